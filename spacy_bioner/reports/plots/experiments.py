"""Plots of systems side by side: those of a comparison, without a part each, and across corpora."""

from typing import Any, Sequence

from spacy_bioner.evaluation.cross_corpus import Cell, arrange_cells
from spacy_bioner.reports.plots.row_plots import WIDTH, fit_name, make_rows
from spacy_bioner.reports.plots.style import COLORS, SERIES, make_figure
from spacy_bioner.reports.scores import DASH
from spacy_bioner.training.results.experiments import AblationRow, ComparisonRow, rank_rows


def plot_comparison(rows: Sequence[ComparisonRow]) -> Any:
    """Draw F1 as bars with intervals, the best on top; systems without scores are left out."""
    shown = [row for row in rank_rows(rows) if row.scores and row.scores.f_score.value is not None]
    figure = make_figure(WIDTH, 0.9 + 0.42 * max(len(shown), 1))
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


def plot_ablation(rows: Sequence[AblationRow]) -> Any:
    """Draw the difference in F1 without each part, with its interval; a part that helps is below
    zero without it."""
    shown = [row for row in rows if row.compared is not None]
    figure, axes = make_rows([f"without {row.name}" for row in shown])
    for place, row in enumerate(shown):
        difference: Any = row.compared.f_score.difference if row.compared else None
        if difference is None or difference.value is None:
            continue
        color = SERIES[1] if difference.value < 0 else SERIES[2]
        axes.barh(place, 100 * difference.value, height=0.6, color=color, alpha=0.8)
        ends = [100 * difference.low, 100 * difference.high]
        axes.plot(ends, [place, place], color=COLORS["fg"], lw=1.3)
    axes.axvline(0, color=COLORS["muted"], lw=1)
    axes.set_xlabel("difference in strict F1, points")
    axes.grid(visible=False, axis="y")
    return figure


def plot_matrix(cells: Sequence[Cell]) -> Any:
    """Draw F1 by pipeline (rows) and corpus (columns); those of one name in another color."""
    models, corpora, by_place = arrange_cells(cells)
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
