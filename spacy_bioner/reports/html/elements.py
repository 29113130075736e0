"""What the sections of pages are made of: figures with their data, tables, intervals."""

from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple

from markupsafe import Markup

from spacy_bioner.corpora.statistics.corpus import CorpusStatistics, LabelStatistics
from spacy_bioner.reports.plots.style import render_svg
from spacy_bioner.reports.plots.word_clouds import Cloud
from spacy_bioner.reports.tables import Table


@dataclass(frozen=True)
class Plot:
    """A figure of the page.

    svg (Markup): The picture, as an element.
    caption (str): What it shows; read out in its place as well.
    """

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    lines (Tuple[str, ...]): Paragraphs.
    folded (Tuple[Table, ...]): Tables that open on a click.
    """

    anchor: str
    title: str
    lines: Tuple[str, ...] = ()
    plots: Tuple[Plot, ...] = ()
    tables: Tuple[Table, ...] = ()
    folded: Tuple[Table, ...] = ()


@dataclass(frozen=True)
class PagePart:
    """A piece of text, marked where it has a label.

    tone (str): "wrong" where it is part of the mistake.
    """

    text: str
    label: str = ""
    tone: str = ""


@dataclass(frozen=True)
class LabelCard:
    """A label's most frequent mentions, as picture and table."""

    label: LabelStatistics
    top: Table
    cloud: Optional[Cloud]


@dataclass(frozen=True)
class CorpusSection:
    """What the page says of one corpus."""

    corpus: CorpusStatistics
    anchor: str
    facts: Tuple[Tuple[str, str], ...]
    lengths: Plot
    labels: Plot
    tags: Plot
    mention_lengths: Plot
    tables: Dict[str, Table]
    outliers: Tuple[Table, ...]
    cards: Tuple[LabelCard, ...]


@dataclass(frozen=True)
class Drawing:
    """A figure and the plain data that it shows, for files beside the page."""

    figure: Any
    data: Any


Drawings = Dict[str, Drawing]


def draw_plot(drawings: Drawings, name: str, figure: Any, caption: str, data: Any) -> Plot:
    """Put a figure among the drawings and make the plot of the page, within `plot_style`."""
    drawings[name] = Drawing(figure, data)
    return Plot(Markup(render_svg(figure, name=name, description=caption)), caption)


def make_table(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1
) -> Table:
    """Make a table of the page, numbers behind the first columns.

    text_columns (int): So many are text.
    """
    return Table(
        caption,
        tuple(header),
        tuple(tuple(row) for row in rows),
        frozenset(range(text_columns, len(header))),
    )
