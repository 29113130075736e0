"""What the sections of pages are made of: figures with their data, tables, intervals."""

from dataclasses import dataclass
from typing import Any, Dict, Sequence

from markupsafe import Markup

from spacy_bioner.reports.html.corpus_page import Plot
from spacy_bioner.reports.plots.style import render_svg
from spacy_bioner.reports.text.corpus_tables import Table


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
