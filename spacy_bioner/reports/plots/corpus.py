"""Plots of one corpus: lengths, labels, tags."""

from math import ceil
from typing import Any, List, Tuple

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics, LabelStatistics
from spacy_bioner.corpora.statistics.lengths import Lengths
from spacy_bioner.reports.plots.row_plots import (
    EDGE,
    EMPTY,
    WIDTH,
    format_share,
    make_rows,
    put_legend_above,
    split_points,
    write_whole,
)
from spacy_bioner.reports.plots.style import COLORS, SERIES, make_figure
from spacy_bioner.tags import OUTSIDE

MAX_BARS = 40
MAX_WORDS = 8
"""Longer mentions share one column of the table of lengths."""


def plot_lengths(corpus: CorpusStatistics) -> Any:
    """Draw histograms of the lengths of documents, sentences and mentions.

    Lengths beyond the upper far fence share one hatched bar at the right.
    """
    figure = make_figure(WIDTH, 5.2)
    figure.get_layout_engine().set(h_pad=0.1, w_pad=0.1)
    measured = (
        corpus.document_words,
        corpus.sentence_words,
        corpus.mention_words,
        corpus.mention_characters,
    )
    for axes, lengths in zip(figure.subplots(2, 2).flat, measured, strict=True):
        _draw_histogram(axes, lengths)
    return figure


def plot_labels(corpus: CorpusStatistics) -> Any:
    """Draw the number of mentions of each label as bars, with number and share."""
    names = [label.label for label in corpus.labels]
    figure, axes = make_rows(names)
    counts = [label.mentions for label in corpus.labels]
    axes.barh(range(len(names)), counts, height=0.72, color=SERIES[0])
    for row, count in enumerate(counts):
        text = f"{count:,} ({format_share(count / corpus.mentions)})"
        axes.annotate(text, (count, row), (4, 0), textcoords="offset points", va="center", size=8.5)
    axes.set_xlim(0, max(counts, default=1) * 1.2)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(write_whole)
    axes.set_xlabel("mentions")
    return figure


def plot_tags(corpus: CorpusStatistics) -> Any:
    """Draw the number of words with each BIO tag, on a logarithmic scale."""
    names = [OUTSIDE, *(label.label for label in corpus.labels)]
    counts = dict(corpus.tags)
    figure, axes = make_rows(names, legend=True)
    series = (
        ("outside (O)", [OUTSIDE]),
        ("first word (B)", ["", *(f"B-{label.label}" for label in corpus.labels)]),
        ("further words (I)", ["", *(f"I-{label.label}" for label in corpus.labels)]),
    )
    for number, (title, tags) in enumerate(series):
        points = [(counts.get(tag, 0), row) for row, tag in enumerate(tags) if counts.get(tag, 0)]
        style = {"color": (COLORS["muted"], *SERIES)[number], "ms": (8.0, 9.0, 6.5)[number]}
        axes.plot(*split_points(points), "Dos"[number], label=title, **EDGE, **style)
    axes.set_xscale("log")
    _label_log_axis(axes, max(counts.values(), default=1))
    axes.set_xlabel("words (logarithmic)")
    put_legend_above(axes)
    return figure


def plot_mention_lengths(corpus: CorpusStatistics) -> Any:
    """Draw how long the mentions of each label are, as shares in the cells of a table."""
    labels = [label for label in corpus.labels if label.words.count]
    figure, axes = make_rows([label.label for label in labels])
    for row, label in enumerate(labels):
        for column, share in enumerate(share_lengths(label)):
            # Pale enough for the text on it, in both themes.
            axes.barh(row, 1, left=column, height=1, color=SERIES[0], alpha=0.55 * share, lw=0)
            if share:
                text = format_share(share)
                axes.text(column + 0.5, row, text, ha="center", va="center", size=8.5)
    axes.set_xlim(0, MAX_WORDS + 1)
    columns = [*map(str, range(1, MAX_WORDS + 1)), f"{MAX_WORDS + 1}+"]
    axes.set_xticks([column + 0.5 for column in range(MAX_WORDS + 1)], columns)
    axes.xaxis.tick_top()
    axes.set_title("words in a mention", color=COLORS["muted"], size=9.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return figure


def share_lengths(label: LabelStatistics) -> List[float]:
    """Return the share of a label's mentions with 1, 2, … 8 words and with more."""
    counts = [0] * (MAX_WORDS + 1)
    for length, number in label.words.histogram:
        counts[min(length, MAX_WORDS + 1) - 1] += number
    return [count / label.words.count for count in counts]


def _draw_histogram(axes: Any, lengths: Lengths) -> None:
    axes.set_title(f"{lengths.of.capitalize()}: {lengths.unit}")
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(lengths.of)
    if lengths.maximum is None or lengths.minimum is None or lengths.fences is None:
        axes.text(0.5, 0.5, EMPTY, transform=axes.transAxes, ha="center", color=COLORS["muted"])
        axes.set(xticks=[], yticks=[])
        return
    last = min(lengths.maximum, int(lengths.fences[1]))
    first = min(lengths.minimum, last)
    width = ceil((last - first + 1) / MAX_BARS)
    heights = [0] * ceil((last - first + 1) / width)
    beyond = 0
    for length, number in lengths.histogram:
        if length > last:
            beyond += number
        else:
            heights[(length - first) // width] += number
    lefts = [first - 0.5 + width * index for index in range(len(heights))]
    axes.bar(lefts, heights, width=width * 0.92, align="edge", color=SERIES[0])
    end = first - 0.5 + width * len(heights)
    if beyond:
        _draw_rest(axes, beyond, last, (end, max(width, (end - lefts[0]) / 25)))
    _draw_median(axes, lengths)
    axes.yaxis.set_major_locator(_whole_numbers(4))
    ticks = _whole_numbers(8).tick_values(first, last)
    axes.set_xticks([tick for tick in ticks if first <= tick <= last])
    axes.xaxis.set_major_formatter(write_whole)
    axes.yaxis.set_major_formatter(write_whole)


def _draw_rest(axes: Any, number: int, last: int, place: Tuple[float, float]) -> None:
    """Draw the bar of all that is longer, set off from the others."""
    end, width = place
    left = end + width
    axes.bar(left, number, width=width, align="edge", color="none", ec=SERIES[0], hatch="////")
    axes.annotate(
        f"{number:,} above {last:,}",
        (left + width, number),
        (0, 4),
        textcoords="offset points",
        ha="right",
        size=8.5,
    )


def _draw_median(axes: Any, lengths: Lengths) -> None:
    axes.axvline(lengths.median, color=SERIES[1], lw=1.4)
    # Room above the bars for the text.
    axes.set_ylim(top=axes.get_ylim()[1] * 1.12)
    axes.annotate(
        f"median {lengths.median:,g}",
        (lengths.median, axes.get_ylim()[1]),
        (4, -1),
        textcoords="offset points",
        va="top",
        size=8.5,
        color=SERIES[1],
    )


def _label_log_axis(axes: Any, greatest: int) -> None:
    axes.set_xlim(0.7, max(greatest, 10) * 1.6)
    axes.xaxis.set_major_formatter(write_whole)


def _whole_numbers(bins: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(bins, integer=True)
