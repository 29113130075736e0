"""Grapheme clusters: what a reader takes for one character, and some editors count as one.

`regex` knows the clusters of Unicode (UAX 29), and comes with the training extras. Without it the
rules that matter for offsets are applied: marks, joiners, modifiers and variation selectors belong
to the character before them, flags are pairs, CR LF is one, Hangul letters join to a syllable.
"""

import unicodedata
from importlib import import_module
from importlib.util import find_spec
from typing import Callable, Iterator, List, Optional

_JOINER = "\u200d"
_MARKS = frozenset(("Mn", "Me", "Mc"))


def cluster_starts(text: str) -> List[int]:
    """List the offsets in characters where clusters start."""
    if text.isascii() and "\r\n" not in text:
        return list(range(len(text)))
    return list(_find_starts(text))


def simple_cluster_starts(text: str) -> Iterator[int]:
    """Stream the same without the library."""
    flags = 0
    for offset, character in enumerate(text):
        previous = text[offset - 1] if offset else ""
        is_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        flags = flags + 1 if is_flag else 0
        if not offset or not _joins(text, previous, character, offset, flags):
            yield offset


def _joins(text: str, previous: str, character: str, offset: int, flags: int) -> bool:
    if previous in "\r\n" or character in "\r\n":
        return previous == "\r" and character == "\n"
    if character == _JOINER or _extends(character):
        return unicodedata.category(previous) != "Cc"
    if previous == _JOINER:
        return _is_pictograph(character) and _follows_pictograph(text, offset - 1)
    return (flags > 0 and flags % 2 == 0) or _joins_hangul(previous, character)


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in _MARKS
        or character == "\u200c"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or character in "\uff9e\uff9f"
    )


def _is_pictograph(character: str) -> bool:
    is_symbol = unicodedata.category(character) in ("So", "Cn")
    return character >= "\U0001f000" or ("\u2190" <= character <= "\u2bff" and is_symbol)


def _follows_pictograph(text: str, joiner: int) -> bool:
    offset = joiner - 1
    while offset >= 0 and _extends(text[offset]):
        offset -= 1
    return offset >= 0 and _is_pictograph(text[offset])


def _joins_hangul(previous: str, character: str) -> bool:
    is_leading = "\u1100" <= previous <= "\u115f"
    is_syllable = "\uac00" <= previous <= "\ud7a3"
    is_open = is_syllable and (ord(previous) - 0xAC00) % 28 == 0
    if "\u1160" <= character <= "\u11a7":
        return is_leading or is_open or "\u1160" <= previous <= "\u11a7"
    if "\u11a8" <= character <= "\u11ff":
        return is_syllable or "\u1160" <= previous <= "\u11ff"
    return is_leading and ("\u1100" <= character <= "\u115f" or "\uac00" <= character <= "\ud7a3")


def _load_library() -> Optional[Callable[[str], Iterator[int]]]:
    if not find_spec("regex"):
        return None
    cluster = import_module("regex").compile(r"\X")
    return lambda text: (match.start() for match in cluster.finditer(text))


_library: List[Optional[Callable[[str], Iterator[int]]]] = []


def _find_starts(text: str) -> Iterator[int]:
    if not _library:
        _library.append(_load_library())
    return (_library[0] or simple_cluster_starts)(text)
