"""Plots of a search for settings: scores of its trials, and which settings decided about them."""

from typing import Any, Mapping, Optional, Sequence, Tuple

from spacy_bioner.reports.plots.row_plots import EDGE, WIDTH, fit_name, make_rows
from spacy_bioner.reports.plots.style import COLORS, SERIES, make_figure

TrialPoint = Tuple[int, Optional[float], str]
"""Number, score and state ("complete", "pruned" or "fail") of a trial."""


def plot_history(trials: Sequence[TrialPoint]) -> Any:
    """Draw each trial's score and the best one so far; failed trials are marks on the ground."""
    figure = make_figure(WIDTH, 3.4)
    axes = figure.subplots()
    known = [(number, value) for number, value, state in trials if state == "complete"]
    best: list[Tuple[int, float]] = []
    for number, value in known:
        if value is not None:
            best.append((number, max(value, best[-1][1]) if best else value))
    if best:
        numbers, values = [n for n, _ in best], [v for _, v in best]
        # On to the last trial, which may not be a better one.
        numbers.append(max(number for number, _, _ in trials))
        values.append(values[-1])
        line = {"color": COLORS["c2"], "lw": 1.6, "zorder": 2}
        axes.plot(numbers, values, drawstyle="steps-post", label="best so far", **line)
    for state, marker, color in (("complete", "o", "c1"), ("pruned", "D", "muted")):
        points = [(n, v) for n, v, kind in trials if kind == state and v is not None]
        if points:
            style = {"color": COLORS[color], "ms": 6, "zorder": 3, **EDGE}
            name = "finished" if state == "complete" else "pruned (best score till then)"
            axes.plot([n for n, _ in points], [v for _, v in points], marker, label=name, **style)
    failed = [number for number, _, state in trials if state == "fail"]
    if failed:
        ground = axes.get_ylim()[0]
        axes.set_ylim(bottom=ground)
        style = {"color": COLORS["fg"], "ms": 7, "clip_on": False, "zorder": 4}
        axes.plot(failed, [ground] * len(failed), "x", label="failed", **style)
    axes.set_xlabel("trial")
    axes.set_ylabel("score on the development set")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}")
    if trials:
        axes.legend(loc="best")
    return figure


def plot_importances(importances: Mapping[str, float]) -> Any:
    """Draw the share of each setting, the greatest on top."""
    names = sorted(importances, key=lambda name: (-importances[name], name))
    figure, axes = make_rows([_shorten(name) for name in names])
    for place, name in enumerate(names):
        axes.barh(place, importances[name], height=0.62, color=SERIES[0], alpha=0.85)
        text = f"{100 * importances[name]:.0f}%"
        spot = (importances[name], place)
        axes.annotate(text, spot, (4, 0), textcoords="offset points", va="center", size=8.5)
    if names:
        axes.set_xlim(0, 1.1 * max(max(importances.values()), 0.01))
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
        axes.set_xlabel("importance for the score (PED-ANOVA)")
        axes.grid(visible=False, axis="y")
    return figure


def _shorten(key: str) -> str:
    """Keep the last two names of a dotted key, which say enough."""
    return fit_name(".".join(key.split(".")[-2:]))
