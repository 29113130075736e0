"""The folds of a cross-validation and its types, as tables."""

from typing import List, Sequence, Tuple

from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.scores import format_interval, format_percent
from spacy_bioner.reports.tables import escape_markdown, render_markdown_table
from spacy_bioner.training.cross_validation import CrossValidation, TypeInFolds

HEADER = ("fold", "train", "dev", "test", "gold", "precision", "recall", "F1", "dev F1", "seconds")
TYPE_HEADER = ("type", "gold", "folds with it", "precision", "recall", "F1", "F1 std. dev.")


def render_folds(outcome: CrossValidation) -> str:
    """Render a table with a row for each fold, the mean, the deviation and the pooled score."""
    rows: List[Tuple[str, ...]] = []
    for fold, counts in zip(outcome.folds, outcome.counts):
        sizes = tuple(f"{fold[name]:,}" for name in ("train", "dev", "test"))
        ends = (format_percent(fold["dev_f_score"]), f"{fold['seconds']:,.0f}")
        rows.append((str(fold["fold"]), *sizes, f"{counts.gold:,}", *_percents(counts), *ends))
    spreads = list(outcome.summary.values())
    for name, kind in (("mean", "mean"), ("std. dev.", "deviation")):
        values = tuple(format_percent(getattr(spread, kind)) for spread in spreads)
        rows.append((name, "", "", "", "", *values, "", ""))
    pooled = sum(outcome.counts, Counts())
    tested = f"{sum(fold['test'] for fold in outcome.folds):,}"
    rows.append(("pooled", "", "", tested, f"{pooled.gold:,}", *_percents(pooled), "", ""))
    head = f"strict match, {len(outcome.folds)} folds, seed {outcome.seed}"
    table = render_markdown_table(HEADER, rows, right=range(1, len(HEADER)))
    intervals = outcome.pooled
    pooled_line = (
        f"pooled F1 {format_interval(intervals.f_score)}: {100 * intervals.level:g} % of "
        f"{intervals.n_resamples:,} bootstrap resamples of {intervals.n_docs:,} documents"
    )
    return "\n\n".join([head, table, pooled_line, render_types(outcome.types)])


def _percents(counts: Counts) -> Tuple[str, ...]:
    return tuple(map(format_percent, (counts.precision, counts.recall, counts.f_score)))


def render_types(types: Sequence[TypeInFolds]) -> str:
    """Render a table with a row for each type, and a note for each that folds lack."""
    rows = []
    for item in types:
        means = [format_percent(spread.mean) for spread in item.spreads.values()]
        deviation = format_percent(item.spreads["f_score"].deviation)
        name = escape_markdown(item.label or "(none)")
        rows.append((name, f"{item.gold:,}", str(item.n_folds), *means, deviation))
    lines = [render_markdown_table(TYPE_HEADER, rows, right=range(1, len(TYPE_HEADER))), ""]
    for item in types:
        name = escape_markdown(item.label or "(none)")
        if item.untested:
            lines.append(
                f"- {name}: no mention to find in {_list(item.untested)}, left out of means"
            )
        if item.untrained:
            lines.append(
                f"- {name}: no mention to learn from in {_list(item.untrained)}, where all of them "
                "are missed"
            )
    return "\n".join(lines).rstrip()


def _list(folds: Sequence[int]) -> str:
    return f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"
