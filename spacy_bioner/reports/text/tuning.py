"""The trials of a search for settings, as a table."""

from typing import TYPE_CHECKING, Any

from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.tables import render_markdown_table, shorten
from spacy_bioner.training.tuning import get_reason, get_score, list_trials, rank_trial

if TYPE_CHECKING:
    import optuna


def render_trials(study: "optuna.Study") -> str:
    """Render a Markdown table of the trials, the best first."""
    trials = sorted(list_trials(study), key=rank_trial)
    keys = list(dict.fromkeys(key for trial in trials for key in trial.params))
    header = ("trial", "state", "score", "last step", *(key.split(".")[-1] for key in keys), "why")
    rows = []
    for trial in trials:
        values = [format_setting(trial.params.get(key)) for key in keys]
        score, step = get_score(trial), trial.last_step
        state = trial.state.name.lower()
        start = (str(trial.number), state, format_percent(score), "" if step is None else f"{step}")
        rows.append((*start, *values, shorten(get_reason(trial), 80)))
    return render_markdown_table(header, rows, right=range(2, len(header) - 1))


def format_setting(value: Any) -> str:
    """Format a value of a setting; None, that it has none, is empty."""
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
