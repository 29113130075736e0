"""Plots of pipelines under attack, in the text and in the embeddings."""

from typing import Any, Sequence

from spacy_bioner.evaluation.robustness import Robustness
from spacy_bioner.reports.plots.style import MARKERS, SERIES, make_figure

_WIDTH = 9.6
_HEIGHT = 3.8


def plot_robustness(results: Sequence[Robustness]) -> Any:
    """Draw F1 by epsilon, and F1 under each attack on the text."""
    has_curve, has_text = bool(results[0].curve), bool(results[0].text)
    figure = make_figure(_WIDTH, _HEIGHT)
    panels = figure.subplots(1, has_curve + has_text or 1, squeeze=False)[0]
    if has_curve:
        _draw_curve(panels[0], results)
    if has_text:
        _draw_text(panels[-1], results)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=max(len(names), 1))
    for axes in panels:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}")
    return figure


def _draw_curve(axes: Any, results: Sequence[Robustness]) -> None:
    for place, item in enumerate(results):
        strengths = [0.0, *(outcome.strength for outcome in item.curve)]
        scores = [outcome.counts.f_score or 0.0 for outcome in (item.clean, *item.curve)]
        style = {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)]}
        axes.plot(strengths, scores, label=item.name, lw=1.6, **style)
    axes.set_xscale("symlog", linthresh=min(o.strength or 1.0 for o in results[0].curve))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel(f"ε of {results[0].curve[0].attack}, within a window")
    axes.set_ylabel("strict F1")
    axes.set_title("Attack on the embeddings")


def _draw_text(axes: Any, results: Sequence[Robustness]) -> None:
    names = ["none", *(outcome.attack.split(" (")[0] for outcome in results[0].text)]
    for place, item in enumerate(results):
        scores = [outcome.counts.f_score or 0.0 for outcome in (item.clean, *item.text)]
        spots = [row + 0.14 * (place - (len(results) - 1) / 2) for row in range(len(names))]
        style = {"color": SERIES[place % len(SERIES)], "marker": MARKERS[place % len(MARKERS)]}
        axes.plot(spots, scores, ls="none", label=item.name, **style)
    axes.set_xticks(range(len(names)), names, rotation=20, ha="right", rotation_mode="anchor")
    axes.set_title("Attacks on the text of mentions")
