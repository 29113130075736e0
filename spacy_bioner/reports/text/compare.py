"""Several trained systems side by side: a table and CSV of scores with their intervals."""

import io
from typing import Any, List, Optional, Sequence

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.files.formula_cells import CsvRows
from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.tables import render_markdown_table, shorten
from spacy_bioner.training.results.experiments import ComparisonRow, rank_rows

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
_SCORES = (("precision", "P"), ("recall", "R"), ("f_score", "F1"))


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
