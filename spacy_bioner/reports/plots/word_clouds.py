"""Word clouds: the most frequent mentions of a label, laid out for an SVG of real text.

`wordcloud` places the words by the metrics of a font that matplotlib brings along; the page fits
whatever font the reader has into these places.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Mapping, Optional, Tuple

from spacy_bioner.reports.plots.style import make_drawable

WIDTH, HEIGHT = 480, 270
_SHOWN_WIDTH = 32
_SEED = 0


@dataclass(frozen=True)
class CloudWord:
    """One mention in a cloud.

    x (float): Where its baseline starts, from the left.
    y (float): The height of its baseline, from the top.
    size (int): Of the font, in the units of the picture.
    width (float): How long it is.
    tone (int): 1 for the most frequent third, 2, 3 for the least.
    """

    text: str
    count: int
    x: float
    y: float
    size: int
    width: float
    tone: int


@dataclass(frozen=True)
class Cloud:
    """A picture of words."""

    words: Tuple[CloudWord, ...]
    width: int = WIDTH
    height: int = HEIGHT


def has_word_clouds() -> bool:
    """Tell whether the library for them is installed."""
    return find_spec("wordcloud") is not None and find_spec("matplotlib") is not None


def lay_out_cloud(counts: Mapping[str, int]) -> Optional[Cloud]:
    """Place words in a picture, the same way every time; None when there is none to place.

    counts (Mapping[str, int]): Each mention with its number.
    """
    from PIL import ImageFont
    from wordcloud import WordCloud

    shown = {text: number for text, number in counts.items() if text.strip()}
    if not shown:
        return None
    path = _find_font()
    cloud = WordCloud(
        width=WIDTH,
        height=HEIGHT,
        font_path=path,
        prefer_horizontal=1.0,
        relative_scaling=0.5,
        min_font_size=12,
        max_font_size=56,
        margin=5,
        max_words=40,
        random_state=_SEED,
        collocations=False,
    )
    # Long ones would push the others out, or shrink everything.
    names = {_clip(text): text for text in shown}
    cloud.generate_from_frequencies({name: shown[text] for name, text in names.items()})
    words = []
    for rank, ((name, _), size, (row, column), _, _) in enumerate(cloud.layout_):
        font = ImageFont.truetype(path, size)
        # Pictures of words are placed by the corner of their ink; text stands on its baseline.
        left, top, _, _ = font.getbbox(name, anchor="ls")
        tone = 1 + 3 * rank // len(cloud.layout_)
        words.append(
            CloudWord(
                name,
                count=shown[names[name]],
                x=float(column - left),
                y=float(row - top),
                size=size,
                width=round(font.getlength(name), 1),
                tone=tone,
            )
        )
    return Cloud(tuple(words))


def _clip(text: str) -> str:
    text = make_drawable(text)
    return text if len(text) <= _SHOWN_WIDTH else text[: _SHOWN_WIDTH - 1].rstrip() + "…"


def _find_font() -> str:
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
