"""Pipelines by corpora: a matrix of F1 with intervals, and what stands behind it."""

from typing import List, Sequence

from spacy_bioner.evaluation.cross_corpus import Cell, arrange_cells
from spacy_bioner.reports.scores import DASH, format_percent
from spacy_bioner.reports.tables import render_markdown_table


def render_matrix(cells: Sequence[Cell]) -> str:
    """Render a Markdown matrix of F1, and a table of what stands behind each cell."""
    models, corpora, by_place = arrange_cells(cells)
    rows = [
        [model, *(_format_score(by_place[model, corpus]) for corpus in corpora)] for model in models
    ]
    header = ["pipeline", *corpora]
    matrix = render_markdown_table(header, rows, right=range(1, len(header)))
    details = [
        (
            cell.model,
            cell.corpus,
            ", ".join(cell.labels) or "none in common",
            f"{cell.n_docs:,}",
            "not known" if cell.n_left_out is None else f"{cell.n_left_out:,}",
            *_format_counts(cell),
        )
        for cell in cells
    ]
    columns = ("pipeline", "corpus", "labels", "documents", "left out", "gold", "P", "R", "F1")
    table = render_markdown_table(columns, details, right=range(3, len(columns)))
    head = "strict F1, per cent, of the labels that pipeline and corpus have in common"
    made = next((cell.intervals for cell in cells if cell.intervals), None)
    if made is not None:
        head += (
            f"; in brackets: {100 * made.level:g} % of {made.n_resamples:,} bootstrap resamples, "
            f"seed {made.seed}"
        )
    note = "left out: test documents that stand in the pipeline's training documents as well"
    return f"{head}\n\n{matrix}\n\n{note}\n\n{table}"


def _format_score(cell: Cell) -> str:
    if cell.intervals is None or cell.intervals.f_score.value is None:
        return DASH
    item = cell.intervals.f_score
    low, high = (100 * (value or 0.0) for value in (item.low, item.high))
    return f"{format_percent(item.value)} [{low:.1f}, {high:.1f}]"


def _format_counts(cell: Cell) -> List[str]:
    counts = cell.counts
    if counts is None:
        return [DASH] * 4
    shares = (counts.precision, counts.recall, counts.f_score)
    return [f"{counts.gold:,}", *map(format_percent, shares)]
