"""Characters that show nothing, and a text as it reads without them.

A line break, a tab or a no-break space between two words says no more than a blank does; a soft
hyphen, a zero-width space or a byte order mark within a word says nothing at all. What reads a text
word by word should not see the difference.
"""

import re
from dataclasses import dataclass
from typing import Tuple

import numpy as np

# Inclusive ranges. What separates words: all that `str.isspace` knows, the Hangul fillers and the
# braille pattern without dots.
_SPACES = (
    (0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x2800, 0x2800), (0x3000, 0x3000),
    (0x3164, 0x3164), (0xFFA0, 0xFFA0),
)  # fmt: skip
# What has no width: other controls, and what Unicode lets be ignored by default: soft hyphen,
# joiners, marks of direction, selectors of variants, tags, annotation anchors, byte order marks.
_NOTHING = (
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F),
    (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_SHOWN, _IS_SPACE, _IS_NOTHING = 0, 1, 2
_CODEC = "utf-32-le"


def _tabulate() -> np.ndarray:
    # One more than the last code: all characters behind it are shown.
    kinds = np.zeros(_NOTHING[-1][1] + 2, dtype=np.uint8)
    for ranges, kind in ((_SPACES, _IS_SPACE), (_NOTHING, _IS_NOTHING)):
        for first, last in ranges:
            kinds[first : last + 1] = kind
    return kinds


def _char_class(ranges: Tuple[Tuple[int, int], ...]) -> str:
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


_KINDS = _tabulate()
_SEEN = re.compile(f"[^{_char_class(_SPACES + _NOTHING)}]")
_SQUEEZABLE = re.compile(f"(?! )[{_char_class(_SPACES + _NOTHING)}]|^ |  | \\Z")


@dataclass(frozen=True)
class Squeezed:
    """A text as it reads: words with one blank between them.

    text (str): Without characters of no width; runs of white space are one blank, and there is
        none at the ends.
    kept (np.ndarray): Which characters of the whole text stand in it; bool, shape (characters,).
    shown (np.ndarray): Which of them can be seen; bool, shape (characters,).
    """

    text: str
    kept: np.ndarray
    shown: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """Where each character of `text` stands in the whole text; int64."""
        return np.flatnonzero(self.kept)


def is_blank(text: str) -> bool:
    """Tell whether there is nothing to see in a text."""
    first = text[:1]
    return not (first.isascii() and first.isalnum()) and _SEEN.search(text) is None


def trim(text: str, start: int, end: int) -> Tuple[int, int]:
    """Leave out what shows nothing at the ends of a stretch of a text.

    RETURNS (Tuple[int, int]): Its first character and end; as they were where there is nothing to
        see, or no such stretch.
    """
    seen = _SEEN.search(text, start, end) if 0 <= start < end <= len(text) else None
    if seen is None:
        return start, end
    while _SEEN.match(text, end - 1) is None:
        end -= 1
    return seen.start(), end


def is_squeezed(text: str) -> bool:
    """Tell whether `squeeze` leaves a text as it is."""
    return _SQUEEZABLE.search(text) is None


def squeeze(text: str) -> Squeezed:
    """Leave out what shows nothing; linear in the text."""
    codes = np.frombuffer(text.encode(_CODEC, "surrogatepass"), dtype="<u4")
    kinds = _KINDS[np.minimum(codes, len(_KINDS) - 1)]
    shown = kinds == _SHOWN
    kept = shown.copy()
    wide = np.flatnonzero(kinds != _IS_NOTHING)
    is_space = kinds[wide] == _IS_SPACE
    opens = is_space[1:] & ~is_space[:-1]
    # A text may end in white space: the last run has no word behind it.
    last = wide[~is_space][-1] if not is_space.all() else -1
    starts = wide[1:][opens]
    kept[starts[starts < last]] = True
    chosen = np.where(shown, codes, ord(" "))[kept].astype("<u4")
    return Squeezed(chosen.tobytes().decode(_CODEC, "surrogatepass"), kept, shown)


def count_before(flags: np.ndarray) -> np.ndarray:
    """Count the set flags before each offset, the end included; int64, shape (flags + 1,)."""
    return np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])
