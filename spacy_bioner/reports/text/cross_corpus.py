"""Pipelines by corpora: a table of F1 with intervals, and the same as a matrix in colour."""

from typing import Any, Dict, List, Sequence, Tuple

from spacy_bioner.evaluation.cross_corpus import Cell
from spacy_bioner.reports.plots.row_plots import WIDTH, fit_name
from spacy_bioner.reports.plots.style import COLORS, SERIES, make_figure
from spacy_bioner.reports.scores import DASH, format_percent
from spacy_bioner.reports.tables import render_markdown_table


def render_matrix(cells: Sequence[Cell]) -> str:
    """Render a Markdown matrix of F1, and a table of what stands behind each cell."""
    models, corpora, by_place = _arrange(cells)
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


def plot_matrix(cells: Sequence[Cell]) -> Any:
    """Draw F1 by pipeline (rows) and corpus (columns); those of one name in another colour."""
    models, corpora, by_place = _arrange(cells)
    figure = make_figure(
        min(2.6 + 1.1 * len(corpora), WIDTH + 2), min(1.4 + 0.5 * len(models), WIDTH)
    )
    axes = figure.subplots()
    for row, model in enumerate(models):
        for column, corpus in enumerate(corpora):
            counts = by_place[model, corpus].counts
            score = counts.f_score if counts else None
            color = SERIES[0] if model == corpus else SERIES[2]
            style = {"color": color, "alpha": 0.08 + 0.72 * (score or 0.0), "lw": 0}
            if score is not None:
                axes.bar(column, 0.94, width=0.96, bottom=row - 0.47, **style)
            text = DASH if score is None else f"{100 * score:.1f}"
            axes.text(column, row, text, ha="center", va="center", color=COLORS["fg"], size=9)
    axes.set_xticks(
        range(len(corpora)), map(fit_name, corpora), rotation=25, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(models)), map(fit_name, models))
    axes.set_xlim(-0.5, len(corpora) - 0.5)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set(xlabel="scored on", ylabel="pipeline")
    axes.grid(visible=False)
    return figure


def _arrange(
    cells: Sequence[Cell],
) -> Tuple[List[str], List[str], Dict[Tuple[str, str], Cell]]:
    models = list(dict.fromkeys(cell.model for cell in cells))
    corpora = list(dict.fromkeys(cell.corpus for cell in cells))
    return models, corpora, {(cell.model, cell.corpus): cell for cell in cells}


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
