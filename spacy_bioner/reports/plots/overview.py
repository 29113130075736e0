"""Several runs side by side, as figures: a color and a marker for each run."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.reports.plots.row_plots import WIDTH, draw_dots, fit_name, make_rows
from spacy_bioner.reports.plots.style import COLORS, MARKERS, SERIES, make_figure

Values = Mapping[str, Optional[float]]
Curve = Sequence[Tuple[float, float]]


def plot_shares(runs: Mapping[str, Values], *, axis: str) -> Any:
    """Draw a share for each row and run, such as F1 by type.

    runs (Mapping[str, Values]): Values by row, by run; a row that a run has not is left out there.
    axis (str): What the shares are.
    """
    names = list(dict.fromkeys(name for values in runs.values() for name in values))
    figure, axes = make_rows([name or "(none)" for name in names], legend=True)
    if names:
        draw_dots(
            axes, [(run, [values.get(name) for name in names]) for run, values in runs.items()]
        )
        axes.set_xlim(0, 1.02)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
        axes.set_xlabel(axis)
    return figure


def plot_numbers(runs: Mapping[str, Mapping[str, int]], *, axis: str) -> Any:
    """Draw a number for each row and run, such as mistakes by kind."""
    names = list(dict.fromkeys(name for values in runs.values() for name in values))
    shown = [name for name in names if any(values.get(name) for values in runs.values())]
    figure, axes = make_rows(shown, legend=True)
    if shown:
        rows = [(run, [values.get(name, 0) for name in shown]) for run, values in runs.items()]
        draw_dots(axes, rows)
        axes.set_xlim(left=0)
        axes.set_xlabel(axis)
    return figure


def plot_curves(
    panels: Mapping[str, Mapping[str, Curve]], *, x: str, y: str, diagonal: bool = False
) -> Any:
    """Draw a curve for each run in each panel; panels without any are left out.

    diagonal (bool): Draw the line on which both are the same.
    """
    filled = {
        title: {run: curve for run, curve in curves.items() if curve}
        for title, curves in panels.items()
    }
    filled = {title: curves for title, curves in filled.items() if curves}
    figure = make_figure(WIDTH + 1.4 if len(filled) > 1 else WIDTH, 3.7)
    order: List[str] = list(dict.fromkeys(run for curves in panels.values() for run in curves))
    drawn: Dict[str, Any] = {}
    for axes, (title, curves) in zip(
        figure.subplots(1, max(len(filled), 1), squeeze=False)[0], filled.items()
    ):
        if diagonal:
            axes.plot([0, 1], [0, 1], color=COLORS["muted"], lw=1, ls=(0, (4, 3)))
        for run, curve in curves.items():
            number = order.index(run)
            style = {"color": SERIES[number % len(SERIES)], "lw": 1.6}
            marker = MARKERS[number % len(MARKERS)] if len(curve) < 30 else ""
            (line,) = axes.plot(*zip(*curve), marker=marker, **style)
            drawn[run] = line
        axes.set(xlabel=x, ylabel=y, title=title)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
        if diagonal:
            axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    if drawn:
        names = [fit_name(run) for run in drawn]
        figure.legend(
            list(drawn.values()), names, loc="outside upper left", ncols=min(len(names), 4)
        )
    return figure
