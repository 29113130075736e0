"""What plots with a row for each name share: rows, dots, legends, numbers."""

from typing import Any, List, Optional, Sequence, Tuple

from spacy_bioner.reports.plots.style import COLORS, MARKERS, SERIES, make_drawable, make_figure
from spacy_bioner.reports.tables import shorten

WIDTH = 8.2
_NAME_WIDTH = 34
EMPTY = "nothing to show"
EDGE = {"mec": COLORS["bg"], "mew": 0.8}
"""Sets markers off from each other."""
_ROW = 0.24


def make_rows(names: Sequence[str], *, legend: bool = False) -> Tuple[Any, Any]:
    """Make a figure with a row for each name, the first on top."""
    figure = make_figure(WIDTH, 0.75 + 0.25 * legend + _ROW * max(len(names), 1))
    axes = figure.subplots()
    axes.set_yticks(range(len(names)), list(map(fit_name, names)))
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    if not names:
        axes.set(xticks=[])
        axes.text(0.5, 0.5, EMPTY, transform=axes.transAxes, ha="center", color=COLORS["muted"])
    return figure, axes


def draw_dots(axes: Any, series: Sequence[Tuple[str, Sequence[Optional[float]]]]) -> None:
    """Draw one marker a row for each series, joined by a line from the least to the greatest."""
    for row, in_row in enumerate(zip(*(values for _, values in series), strict=True)):
        known = [value for value in in_row if value is not None]
        if len(known) > 1:
            axes.plot([min(known), max(known)], [row, row], color=COLORS["muted"], lw=1, zorder=1)
    for number, (title, values) in enumerate(series):
        points = [(value, row) for row, value in enumerate(values) if value is not None]
        if not points:
            continue
        color, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        # Each is smaller than the one before, so that equal values show as one in the other.
        size = 10.5 * 0.77**number if len(series) < 5 else 7.0
        style = {"color": color, "ms": size, "clip_on": False, "zorder": 3}
        axes.plot(*split_points(points), marker, label=fit_name(title), **EDGE, **style)
    put_legend_above(axes)


def fit_name(name: str) -> str:
    """Bring the name of a label or corpus into the space that plots have for it."""
    return shorten(make_drawable(name), _NAME_WIDTH)


def split_points(points: Sequence[Tuple[float, int]]) -> Tuple[List[float], List[int]]:
    """Return the two coordinates of points apart, as `plot` takes them."""
    return [x for x, _ in points], [y for _, y in points]


def put_legend_above(axes: Any) -> None:
    """Put a legend over the axes, where it hides no data."""
    if axes.get_legend_handles_labels()[0]:
        place = {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0), "borderaxespad": 0.1}
        axes.legend(ncols=4, handletextpad=0.3, columnspacing=1.4, **place)


def write_whole(value: float, _: int) -> str:
    """Write the number of a tick."""
    return f"{value:,.0f}"


def format_share(share: float) -> str:
    """Write a share for a plot: whole per cents, but for those that would round to none or all."""
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 < share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"
