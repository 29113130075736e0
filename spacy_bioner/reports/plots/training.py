"""Curves of a training run: loss, scores, F1 of each type and the learning rate, over the steps."""

from math import floor, log10
from typing import Any, Callable, Collection, Dict, List, Sequence, Tuple

from spacy_bioner.reports.plots.row_plots import fit_name
from spacy_bioner.reports.plots.style import COLORS, MARKERS, SERIES, make_drawable, make_figure
from spacy_bioner.training.loggers import Evaluation

MAX_TYPES = 6
_WIDTH = 10.0
_PANEL_HEIGHT = 3.1
_SCORES = (("ents_f", "F1"), ("ents_p", "precision"), ("ents_r", "recall"))
_MARGIN = 1.02
_MAX_POINTS = 2000
Points = List[Tuple[int, float]]


def plot_training(
    evaluations: Sequence[Evaluation], *, rates: Sequence[float] = (), title: str = ""
) -> Any:
    """Draw the panels of one run; those without data are left out.

    evaluations (Sequence[Evaluation]): In the order of the steps, one at least.
    rates (Sequence[float]): The learning rate of each step from 0 on: between evaluations, a
        warm-up would not be seen. Without, the rates of evaluations are drawn.
    """
    every: Tuple[Tuple[Callable[[Any, Any], None], Any], ...] = (
        (_draw_fitting, gather_fitted(evaluations)),
        (_draw_losses, average_losses(evaluations)),
        (_draw_scores, evaluations),
        (_draw_types, gather_types(evaluations)),
        (_draw_learn_rate, thin_rates(rates) or gather_rates(evaluations)),
    )
    panels = [(draw, data) for draw, data in every if data]
    rows = (len(panels) + 1) // 2
    figure = make_figure(_WIDTH, _PANEL_HEIGHT * rows + 0.3 * bool(title))
    grid = figure.subplots(rows, 2, squeeze=False)
    last = max(max(evaluation.step for evaluation in evaluations), 1)
    for axes, (draw, data) in zip(grid.flat, panels):
        draw(axes, data)
        if draw is not _draw_fitting:
            axes.set_xlim(-0.01 * last, last * _MARGIN)
        axes.set_xlabel("iteration" if draw is _draw_fitting else "step")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.get_major_locator().set_params(integer=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    if title:
        figure.suptitle(make_drawable(title), x=0.01, ha="left", fontsize=12, color=COLORS["fg"])
    return figure


def average_losses(evaluations: Sequence[Evaluation]) -> Dict[str, Points]:
    """Return each component's loss for one step: the mean over the steps since the last evaluation.

    spaCy counts steps from 0 and evaluates step 0 too, whose loss is that of one step.
    """
    curves: Dict[str, Points] = {}
    before = -1
    for evaluation in evaluations:
        steps = max(evaluation.step - before, 1)
        before = evaluation.step
        for name, loss in evaluation.losses.items():
            if loss is not None:
                curves.setdefault(name, []).append((evaluation.step, loss / steps))
    return curves


def gather_fitted(evaluations: Sequence[Evaluation]) -> Dict[str, Points]:
    """Return the loss of each iteration, from 1 on, of what was learned before the first step."""
    return {
        name: list(enumerate(losses, start=1))
        for evaluation in evaluations
        for name, losses in evaluation.fitted.items()
        if losses
    }


def gather_rates(evaluations: Sequence[Evaluation]) -> Points:
    """Return the learning rate where it is known."""
    return [(item.step, item.learn_rate) for item in evaluations if item.learn_rate is not None]


def thin_rates(rates: Sequence[float]) -> Points:
    """Leave out steps between which a line says the same: no more than a figure has dots for, with
    the first, the last and the highest rate always there."""
    if not rates:
        return []
    stride = -(-len(rates) // _MAX_POINTS)
    highest = max(range(len(rates)), key=lambda step: rates[step])
    steps = sorted({*range(0, len(rates), stride), highest, len(rates) - 1})
    return [(step, rates[step]) for step in steps]


def gather_types(evaluations: Sequence[Evaluation]) -> Dict[str, Points]:
    """Return the F1 of each type, the types with most gold mentions first where that is known."""
    curves: Dict[str, Points] = {}
    sizes: Dict[str, int] = {}
    for evaluation in evaluations:
        for label, scores in (evaluation.scores.get("ents_per_type") or {}).items():
            if scores.get("f") is not None:
                curves.setdefault(label, []).append((evaluation.step, scores["f"]))
                sizes[label] = scores.get("tp", 0) + scores.get("fn", 0)
    return {label: curves[label] for label in sorted(curves, key=lambda name: (-sizes[name], name))}


def _draw_fitting(axes: Any, curves: Dict[str, Points]) -> None:
    _draw_losses(axes, curves)
    axes.set_title("Loss of an iteration")
    _put_legend(axes, curves)


def _draw_losses(axes: Any, curves: Dict[str, Points]) -> None:
    for number, (name, points) in enumerate(curves.items()):
        _draw_line(axes, points, number, name)
    values = [value for points in curves.values() for _, value in points if value > 0]
    axes.set_title("Training loss of a step")
    if values and max(values) > 30 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.set_ylim(bottom=0)
    _put_legend(axes, curves)


def _draw_scores(axes: Any, evaluations: Sequence[Evaluation]) -> None:
    curves = {}
    for key, name in _SCORES:
        found = [(e.step, e.scores.get(key)) for e in evaluations]
        curves[name] = [(step, value) for step, value in found if value is not None]
    for number, (name, points) in enumerate(curves.items()):
        _draw_line(axes, points, number, name, strong=number == 0)
    axes.set_title("Scores on the development set")
    _set_share_axis(axes)
    _mark_best(axes, curves["F1"])
    _put_legend(axes, curves)


def _draw_types(axes: Any, curves: Dict[str, Points]) -> None:
    shown = list(curves)[:MAX_TYPES]
    for number, label in enumerate(shown):
        _draw_line(axes, curves[label], number, label or "(none)")
    left_out = len(curves) - len(shown)
    more = f": the {MAX_TYPES} most frequent of {len(curves)}" if left_out else ""
    axes.set_title(f"F1 by type{more}")
    _set_share_axis(axes)
    _put_legend(axes, shown, always=True)


def _draw_learn_rate(axes: Any, points: Points) -> None:
    _draw_line(axes, points, 0, "rate")
    highest = max(rate for _, rate in points)
    axes.set_title("Learning rate")
    axes.set_ylim(0, 1.08 * highest if highest > 0 else 1)
    axes.yaxis.get_major_locator().set_params(nbins=5)
    power = _power_of(highest)
    axes.yaxis.set_major_formatter(lambda value, _: format_rate(value, power))


def format_rate(rate: float, power: int) -> str:
    """Write a rate as 2.5e-5, all of an axis with one power of ten: rounding made ticks equal."""
    if rate == 0:
        return "0"
    return f"{rate / 10.0**power:.4g}" + (f"e{power}" if power else "")


def _power_of(rate: float) -> int:
    # 1e-5 has a logarithm just below -5.
    return floor(log10(rate) + 1e-9) if rate > 0 else 0


def _draw_line(axes: Any, points: Points, number: int, name: str, *, strong: bool = False) -> None:
    color, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
    # Markers that touch each other would hide the line.
    size = 4.5 if len(points) <= 30 else 0
    steps, values = [step for step, _ in points], [value for _, value in points]
    style = {"color": color, "marker": marker, "ms": size, "lw": 2.0 if strong else 1.4}
    axes.plot(steps, values, label=fit_name(name), zorder=3 if strong else 2, **style)


def _mark_best(axes: Any, points: Points) -> None:
    if not points:
        return
    step, value = max(points, key=lambda point: (point[1], -point[0]))
    ring = {"mfc": "none", "mec": COLORS["fg"], "mew": 1.2, "ms": 9}
    axes.plot([step], [value], "o", zorder=4, clip_on=False, **ring)
    right = step > 0.75 * max(points[-1][0], 1)
    spot = {"xytext": (0, 8), "textcoords": "offset points", "ha": "right" if right else "left"}
    axes.annotate(f"best F1 {100 * value:.1f}", (step, value), fontsize=9, zorder=5, **spot)


def _set_share_axis(axes: Any) -> None:
    axes.set_ylim(-0.02, _MARGIN + 0.08)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")


def _put_legend(axes: Any, names: Collection[str], *, always: bool = False) -> None:
    if len(names) > 1 or always:
        columns = 2 if len(names) > 3 else 1
        axes.legend(loc="best", ncols=columns, handlelength=1.8, columnspacing=1.2)
    elif names:
        axes.set_title(f"{axes.get_title(loc='left')} ({fit_name(next(iter(names)))})")
