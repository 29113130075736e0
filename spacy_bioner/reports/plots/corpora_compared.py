"""Plots of several corpora: labels side by side, and what was seen in training."""

from typing import Any, List, Optional, Sequence, Tuple

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics
from spacy_bioner.corpora.statistics.vocabulary_overlap import MEASURES, Overlap, SeenShare
from spacy_bioner.reports.plots.row_plots import (
    WIDTH,
    draw_dots,
    fit_name,
    format_share,
    make_rows,
    put_legend_above,
)
from spacy_bioner.reports.plots.style import SERIES, make_figure


def plot_label_shares(corpora: Sequence[CorpusStatistics]) -> Any:
    """Draw the share of each label in the mentions of several corpora, one row a label."""
    names = list(dict.fromkeys(label.label for corpus in corpora for label in corpus.labels))
    figure, axes = make_rows(names, legend=True)
    rows = [[_share_of(corpus, name) for name in names] for corpus in corpora]
    draw_dots(axes, [(corpus.name, row) for corpus, row in zip(corpora, rows, strict=True)])
    greatest = max((value for row in rows for value in row if value is not None), default=1.0)
    axes.set_xlim(0, greatest * 1.05)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    axes.set_xlabel("share of the corpus' mentions")
    return figure


def plot_overlap(overlaps: Sequence[Overlap]) -> Any:
    """Draw which share of the mentions, and of the different ones, was seen in training."""
    bars: List[Tuple[str, Optional[float], str]] = []
    for overlap in overlaps:
        for share in overlap.of_label():
            name = f"{overlap.other}: {share.measure}"
            bars.append((name, share.mention_share, SERIES[0]))
            bars.append(("", share.distinct_share, SERIES[1]))
    figure = make_figure(WIDTH, 0.9 + 0.26 * len(bars))
    axes = figure.subplots()
    for row, (_, value, color) in enumerate(bars):
        # The two bars of a measure touch; measures keep a distance.
        place = row + 0.1 * (1 if row % 2 == 0 else -1)
        axes.barh(place, value or 0.0, height=0.74, color=color)
        text = "none to look for" if value is None else format_share(value)
        spot = (value or 0.0, place)
        axes.annotate(text, spot, (4, 0), textcoords="offset points", va="center", size=8.5)
    for color, title in zip(SERIES, ("mentions", "different ones"), strict=False):
        axes.barh(0, 0, color=color, label=title)
    axes.set_yticks(
        [row + 0.5 for row in range(0, len(bars), 2)],
        [fit_name(bars[row][0]) for row in range(0, len(bars), 2)],
    )
    axes.invert_yaxis()
    _set_percent_axis(axes)
    axes.grid(visible=False, axis="y")
    put_legend_above(axes)
    return figure


def plot_overlap_by_label(overlap: Overlap) -> Any:
    """Draw which share of the mentions of each label was seen in training, by each measure."""
    labels = list(dict.fromkeys(share.label for share in overlap.shares if share.label))
    figure, axes = make_rows(labels, legend=True)
    by_key = {(share.label, share.measure): share for share in overlap.shares}
    series = []
    for measure in MEASURES:
        shares = [by_key.get((label, measure), SeenShare(label, measure)) for label in labels]
        series.append((measure, [share.mention_share for share in shares]))
    draw_dots(axes, series)
    _set_percent_axis(axes)
    return figure


def _share_of(corpus: CorpusStatistics, name: str) -> Optional[float]:
    counts = {label.label: label.mentions for label in corpus.labels}
    return counts.get(name, 0) / corpus.mentions if corpus.mentions else None


def _set_percent_axis(axes: Any) -> None:
    # Room for the figure behind a full bar.
    axes.set_xlim(0, 1.08)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.xaxis.set_major_formatter(lambda value, _: format_share(value))
    axes.set_xlabel("seen in training")
