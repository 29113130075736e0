"""What was measured of a pipeline, as figures."""

from typing import Any, Dict, Mapping, Sequence

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.confidence.calibration import Calibration
from spacy_bioner.evaluation.confidence.thresholds import Sweep
from spacy_bioner.evaluation.metrics.confusion import Confusion
from spacy_bioner.evaluation.metrics.stratified_recall import Stratum
from spacy_bioner.evaluation.scores import Metric
from spacy_bioner.reports.plots.row_plots import (
    WIDTH,
    fit_name,
    format_share,
    make_rows,
    put_legend_above,
    write_whole,
)
from spacy_bioner.reports.plots.style import COLORS, MARKERS, SERIES, make_figure

MAX_CURVES = 6
# Beyond so many labels, the cells of a matrix are too small for numbers.
_MAX_NUMBERS = 14
_BESIDE: Dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": 8.5}
_SHARE_TICKS = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def plot_type_scores(by_type: Mapping[str, Mapping[str, Interval]]) -> Any:
    """Draw F1 of each type with its interval, the greatest on top."""
    rows = {name: row["f_score"] for name, row in by_type.items()}
    known = sorted(
        ((name or "(none)", item) for name, item in rows.items() if item.value is not None),
        key=lambda pair: (-(pair[1].value or 0.0), pair[0]),
    )
    figure, axes = make_rows([name for name, _ in known])
    for place, (_, item) in enumerate(known):
        value, low, high = item.value or 0.0, item.low or 0.0, item.high or 0.0
        axes.plot([low, high], [place, place], color=SERIES[0], lw=2.2, alpha=0.5, zorder=2)
        axes.plot([value], [place], "o", color=SERIES[0], ms=6.5, zorder=3)
    axes.set_xlim(-0.01, 1.01)
    axes.set_xticks(_SHARE_TICKS)
    axes.xaxis.set_major_formatter(_percent)
    axes.set_xlabel("strict F1 with its interval")
    return figure


def plot_confusion(confusion: Confusion) -> Any:
    """Draw the matrix; colors are shares of the gold label's mentions."""
    labels = list(map(fit_name, confusion.labels))
    size = 2.2 + 0.42 * len(labels)
    figure = make_figure(min(size + 1.4, WIDTH + 4), min(size, WIDTH + 3))
    axes = figure.subplots()
    totals = confusion.matrix.sum(axis=1, keepdims=True)
    shares = confusion.matrix / totals.clip(min=1)
    # Squares of one color, more or less opaque: they look right on a dark page as well.
    for row, column in zip(*confusion.matrix.nonzero()):
        share, number = float(shares[row, column]), int(confusion.matrix[row, column])
        color = SERIES[0] if row == column else SERIES[1]
        style = {"color": color, "alpha": 0.08 + 0.72 * share, "lw": 0}
        axes.bar(column, 0.96, width=0.96, bottom=row - 0.48, **style)
        if len(labels) <= _MAX_NUMBERS:
            axes.text(column, row, f"{number:,}", ha="center", va="center", size=8.5)
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    axes.grid(visible=False)
    return figure


def plot_calibration(calibration: Calibration) -> Any:
    """Draw the share of right predictions by confidence, over how many there are."""
    figure = make_figure(WIDTH, 4.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color=COLORS["muted"], lw=1, ls=(0, (4, 3)), label="honest")
    filled = [item for item in calibration.bins if item.n]
    upper.plot(
        [item.confidence for item in filled],
        [item.right for item in filled],
        "o-",
        color=SERIES[0],
        lw=1.6,
        label="predictions",
    )
    upper.set_ylim(-0.03, 1.03)
    upper.yaxis.set_major_formatter(_percent)
    upper.set_ylabel("right")
    put_legend_above(upper)
    for item in calibration.bins:
        middle, width = (item.low + item.high) / 2, 0.92 * (item.high - item.low)
        lower.bar(middle, item.n, width=width, color=SERIES[0], alpha=0.7)
    lower.yaxis.set_major_formatter(write_whole)
    lower.set_ylabel("predictions")
    lower.set_xlabel("confidence")
    lower.set_xlim(-0.01, 1.01)
    lower.set_xticks(_SHARE_TICKS)
    lower.xaxis.set_major_formatter(_percent)
    return figure


def plot_thresholds(sweeps: Sequence[Sweep], chosen: Mapping[str, float] = {}) -> Any:
    """Draw precision over recall and F1 over the threshold, of the most frequent types.

    chosen (Mapping[str, float]): Thresholds of the pipeline by label, marked where there are some.
    """
    shown = sorted(
        (item for item in sweeps if item.points[0].counts.gold),
        key=lambda item: (item.label is not None, -item.points[0].counts.gold),
    )[:MAX_CURVES]
    figure = make_figure(WIDTH + 1.4, 3.7)
    left, right = figure.subplots(1, 2)
    for place, item in enumerate(shown):
        style = {"color": SERIES[place % len(SERIES)], "lw": 1.6}
        points = [(p.threshold, p.counts) for p in item.points if p.counts.precision is not None]
        recalls = [counts.recall for _, counts in points]
        name = "all types" if item.label is None else fit_name(item.label or "(none)")
        left.plot(recalls, [counts.precision for _, counts in points], label=name, **style)
        scores = [counts.f_score for _, counts in points]
        right.step([least for least, _ in points], scores, where="post", **style)
        if item.label is not None and item.label in chosen:
            kept = [score for least, score in zip((p[0] for p in points), scores)
                    if least >= chosen[item.label]]  # fmt: skip
            mark = {"color": style["color"], "marker": MARKERS[place % len(MARKERS)]}
            right.plot([chosen[item.label]], [kept[0] if kept else 0.0], ls="none", **mark)
    left.set(xlabel="recall", ylabel="precision", title="Precision by recall")
    right.set(xlabel="threshold", ylabel="strict F1", title="F1 by threshold")
    for axes in (left, right):
        axes.xaxis.set_major_formatter(_percent)
        axes.yaxis.set_major_formatter(_percent)
    handles, names = left.get_legend_handles_labels()
    if names:
        figure.legend(handles, names, loc="outside upper left", ncols=min(len(names), 4))
    return figure


def plot_strata(strata: Sequence[Stratum], shares: Mapping[Metric, Interval]) -> Any:
    """Draw the recall of each kind of gold mention with its interval; kinds without any are left
    out.

    shares (Mapping[Metric, Interval]): Those of `Measurement`.
    """
    shown = [item for item in strata if item.gold]
    figure, axes = make_rows([f"{item.division}: {item.name}" for item in shown])
    divisions = list(dict.fromkeys(item.division for item in shown))
    for place, item in enumerate(shown):
        recall = item.recall or 0.0
        color = SERIES[divisions.index(item.division) % len(SERIES)]
        axes.barh(place, recall, height=0.66, color=color, alpha=0.8)
        interval = shares[item.metric]
        end = interval.high or recall
        axes.plot([interval.low or 0.0, end], [place, place], color=COLORS["fg"], lw=1.2)
        text = f"{format_share(recall)} (n = {item.gold:,})"
        axes.annotate(text, (max(recall, end), place), (4, 0), **_BESIDE)
    axes.set_xlim(0, 1.25)
    axes.set_xticks(_SHARE_TICKS)
    axes.xaxis.set_major_formatter(_percent)
    axes.set_xlabel("recall")
    axes.grid(visible=False, axis="y")
    return figure


def plot_mistakes(counts: Mapping[str, int]) -> Any:
    """Draw how many mistakes there are of each kind."""
    shown: Dict[str, int] = {kind: number for kind, number in counts.items() if number}
    figure, axes = make_rows(list(shown))
    most = max(shown.values(), default=1)
    for place, number in enumerate(shown.values()):
        axes.barh(place, number, height=0.66, color=SERIES[1], alpha=0.8)
        axes.annotate(f"{number:,}", (number, place), (4, 0), **_BESIDE)
    if shown:
        axes.set_xlim(0, 1.12 * most)
        axes.xaxis.set_major_formatter(write_whole)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("mistakes")
    axes.grid(visible=False, axis="y")
    return figure


def _percent(value: float, _: int) -> str:
    return f"{100 * value:.0f}"
