"""Matplotlib figures as inline SVG that follows the page's colors, light or dark.

Figures are drawn in the light theme; in the SVG every color of `COLORS` becomes the CSS variable
of its name, which the page defines for both themes.
"""

import io
import re
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterator

from spacy_bioner.extras import require

# Blue, vermillion, green and purple are those of Okabe and Ito, told apart by the color-blind.
COLORS: Dict[str, str] = {
    "bg": "#fefefe",
    "fg": "#1b1f24",
    "muted": "#59636e",
    "grid": "#e1e4e8",
    "c1": "#0072b2",
    "c2": "#d55e00",
    "c3": "#009e73",
    "c4": "#cc79a7",
    "c5": "#8a6d00",
    "c6": "#5b4fa2",
}
SERIES = tuple(COLORS[f"c{number}"] for number in range(1, 7))
MARKERS = "osD^vP"
# What the page's style gives a figure of the usual width.
_REM_PER_INCH = 50 / 8.2
_NARROW = 40
_STYLE: Dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLORS["grid"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": COLORS["muted"],
    "axes.labelsize": 9.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": COLORS["fg"],
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.color": COLORS["grid"],
    "grid.linewidth": 0.8,
    "hatch.color": COLORS["c1"],
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.labelcolor": COLORS["fg"],
    "lines.markersize": 6.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "spacy-bioner",
    "text.color": COLORS["fg"],
    # "$" in a label is a character, not the start of a formula.
    "text.parse_math": False,
    "xtick.color": COLORS["muted"],
    "xtick.labelsize": 9,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.color": COLORS["fg"],
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}
# A picture has no creation date, so that equal data give equal files.
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_DOTS_PER_INCH = 144
_FONTS = re.compile(r"'DejaVu Sans'[^;\"]*")
_NOT_INLINE = re.compile(r"<metadata>.*?</metadata>|<style[^<>]*>.*?</style>|<!--.*?-->", re.DOTALL)
_ID = re.compile(r'(\bid="|href="#|url\(#)')
_SIZE = re.compile(r'<svg\b[^<>]*?viewBox="([^"]*)"[^<>]*>')


def require_matplotlib() -> None:
    """Check that plots can be drawn.

    RAISES (MissingExtraError): When matplotlib is not installed.
    """
    require("matplotlib", extra="corpora", who="drawing plots")


def require_jinja2() -> None:
    """Check that pages can be written.

    RAISES (MissingExtraError): When jinja2 is not installed.
    """
    require("jinja2", extra="corpora", who="writing pages")


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw in the common style within the block; no window, no settings of the user's."""
    require_matplotlib()
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = matplotlib.rcParams
        settings.update(_STYLE)
        # A script that the font lacks: the reader's browser has other fonts.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        yield


def make_figure(width: float, height: float) -> Any:
    """Create a figure without pyplot, which would keep state. Sizes are in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def make_drawable(text: str) -> str:
    """Replace what no font can draw: control characters, halves of characters, line breaks."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def render_svg(figure: Any, *, name: str, description: str) -> str:
    """Render a figure as an `<svg>` element to stand in an HTML page.

    name (str): Goes before every id in it, so that figures of one page do not clash.
    description (str): What the figure shows, for those who do not see it.
    """
    markup = render_picture(figure, "svg", background="none").decode("utf-8")
    markup = _NOT_INLINE.sub("", markup[markup.index("<svg") :])
    for color, code in COLORS.items():
        markup = markup.replace(code, f"var(--{color})")
    markup = _FONTS.sub("var(--font)", markup)
    # The prefix would have to be declared; SVG 2 does without it.
    markup = markup.replace("xlink:href=", "href=")
    markup = _ID.sub(lambda match: f"{match[1]}{name}-", markup)
    label = _escape(description)
    width = _REM_PER_INCH * figure.get_figwidth()
    # Narrow figures are not blown up to the width of others.
    size = f' style="max-width: {width:.0f}rem; min-width: 0"' if width < _NARROW else ""
    head = f'<svg class="plot" role="img" aria-label="{label}"{size} viewBox="\\1">'
    return _SIZE.sub(head, markup, count=1).strip()


def render_picture(figure: Any, kind: str, *, background: str = "white") -> bytes:
    """Render a figure in the light theme as "png" or "svg"."""
    buffer = io.BytesIO()
    settings = {"dpi": _DOTS_PER_INCH} if kind == "png" else {"metadata": _NO_METADATA}
    figure.savefig(buffer, format=kind, facecolor=background, **settings)
    return buffer.getvalue()


def _escape(text: str) -> str:
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text.replace("\\", "\\\\")
