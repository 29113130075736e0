"""Several trained systems side by side: a table, CSV and a plot of F1 with its intervals."""

import io
from typing import Any, List, Optional, Sequence

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.files.formula_cells import CsvRows
from spacy_bioner.reports.plots.row_plots import fit_name
from spacy_bioner.reports.plots.style import COLORS, SERIES, make_figure
from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.tables import render_markdown_table, shorten
from spacy_bioner.training.results.experiments import ComparisonRow

HEADER = (
    "encoder",
    "P",
    "R",
    "F1",
    "dev F1",
    "training s",
    "words/s",
    "peak MB",
    "GPU MB",
    "parameters",
)
_GPU = HEADER.index("GPU MB")
_REASON_WIDTH = 160
_WIDTH = 8.2
_SCORES = (("precision", "P"), ("recall", "R"), ("f_score", "F1"))


def rank_rows(rows: Sequence[ComparisonRow]) -> List[ComparisonRow]:
    """Put the greatest F1 first, and what has none last."""

    def key(row: ComparisonRow) -> tuple[bool, float, str]:
        value = row.scores.f_score.value if row.scores else None
        return (row.scores is None, -(value or 0.0), row.name)

    return sorted(rows, key=key)


def render_comparison(rows: Sequence[ComparisonRow]) -> str:
    """Render a Markdown table, the best first; failures are listed below it with their reasons.

    There is a column for the GPU's memory where it is known of any row.
    """
    ranked = rank_rows(rows)
    has_gpu = any(row.gpu_memory_mb is not None for row in ranked)
    lines = [
        [cell for place, cell in enumerate(line) if has_gpu or place != _GPU]
        for line in (HEADER, *map(_make_cells, ranked))
    ]
    table = render_markdown_table(lines[0], lines[1:], right=range(1, len(lines[0])))
    notes = [
        f"- **{row.name}** (`{row.source}`) is without scores: {shorten(row.reason, _REASON_WIDTH)}"
        for row in ranked
        if row.scores is None
    ]
    made = next((row.scores for row in ranked if row.scores), None)
    head = "strict match of offsets and label on the test set, per cent"
    if made is not None:
        head += (
            f"; in brackets the {100 * made.level:g} % interval of {made.n_resamples:,} bootstrap "
            f"resamples of {made.n_docs:,} documents, seed {made.seed}"
        )
        seeds = max(len(row.f_scores) for row in ranked)
        head += f"; {seeds} seeds, their counts summed" if seeds > 1 else "; one training seed"
    return "\n\n".join([head, table, *(["\n".join(notes)] if notes else [])])


def render_comparison_csv(rows: Sequence[ComparisonRow]) -> str:
    """Render the table with raw numbers, a column for each end of an interval."""
    stream = io.StringIO()
    columns = [f"{name}{end}" for name, _ in _SCORES for end in ("", "_low", "_high")]
    numbers = (
        "dev_f_score",
        "training_seconds",
        "words_per_second",
        "peak_memory_mb",
        "gpu_memory_mb",
    )
    names = ["name", "source", *columns, *numbers, "parameters", "reason"]
    table = CsvRows(stream, names)
    for row in rank_rows(rows):
        values: List[Any] = [row.name, row.source]
        for name, _ in _SCORES:
            item = getattr(row.scores, name) if row.scores else Interval(None, None, None)
            values += [item.value, item.low, item.high]
        values += [getattr(row, name) for name in (*numbers, "parameters", "reason")]
        table.write(["" if value is None else value for value in values])
    table.warn("comparison.csv")
    return stream.getvalue()


def plot_comparison(rows: Sequence[ComparisonRow]) -> Any:
    """Draw F1 as bars with intervals, the best on top; systems without scores are left out."""
    shown = [row for row in rank_rows(rows) if row.scores and row.scores.f_score.value is not None]
    figure = make_figure(_WIDTH, 0.9 + 0.42 * max(len(shown), 1))
    axes = figure.subplots()
    for place, row in enumerate(shown):
        interval: Any = row.scores.f_score if row.scores else None
        # Resampling may be lopsided so far that the value itself is outside.
        below, above = max(interval.value - interval.low, 0), max(interval.high - interval.value, 0)
        axes.barh(place, interval.value, height=0.62, color=SERIES[0], alpha=0.85)
        error = {"ecolor": COLORS["fg"], "capsize": 3, "elinewidth": 1.3}
        axes.errorbar(interval.value, place, xerr=[[below], [above]], fmt="none", **error)
        text = f"{100 * interval.value:.1f}"
        spot = (max(interval.high, interval.value), place)
        axes.annotate(text, spot, (5, 0), textcoords="offset points", va="center", size=9)
    axes.set_yticks(range(len(shown)), [fit_name(row.name) for row in shown])
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.set_xlim(0, 1.08)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    axes.set_xlabel("strict F1 on the test set, with its interval")
    axes.grid(visible=False, axis="y")
    return figure


def _make_cells(row: ComparisonRow) -> List[str]:
    scores = [_format_interval(getattr(row.scores, name, None)) for name, _ in _SCORES]
    parameters = DASH if row.parameters is None else f"{row.parameters / 1e6:,.1f} M"
    return [
        row.name,
        *scores,
        DASH if row.dev_f_score is None else f"{100 * row.dev_f_score:.1f}",
        *map(_format_whole, (row.training_seconds, row.words_per_second, row.peak_memory_mb)),
        _format_whole(row.gpu_memory_mb),
        parameters,
    ]


def _format_interval(interval: Optional[Interval]) -> str:
    if interval is None or interval.value is None:
        return DASH
    low, high = interval.low or 0.0, interval.high or 0.0
    return f"{100 * interval.value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _format_whole(value: Optional[float]) -> str:
    return DASH if value is None else f"{value:,.0f}"
