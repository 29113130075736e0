"""Grapheme clusters: what a reader takes for one character, and some editors count as one.

`regex` knows the clusters of Unicode (UAX 29), and comes with the training extras. Without it the
rules that matter for offsets are applied: marks, joiners, modifiers and variation selectors belong
to the character before them, flags are pairs, CR LF is one, Hangul letters join to a syllable.
"""

import unicodedata
from importlib import import_module
from importlib.util import find_spec
from typing import Callable, Iterator, List, Optional

# Letters that join: what Unicode calls Prepend, and the vowels AM of Thai and Lao.
_JOINING_LETTERS = frozenset(
    "\u0d4e\u0e33\u0eb3\U000111c2\U000111c3\U000113d1\U0001193f\U00011941\U00011a3a"
    "\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46"
)
_JOINER = "\u200d"
# Characters that are newer than Python's tables ("Cn") may be marks.
_JOINING = frozenset(("Mn", "Me", "Mc", "Cf", "Cn"))
_MARKS = frozenset(("Mn", "Me", "Mc"))


def cluster_starts(text: str) -> List[int]:
    """List the offsets in characters where clusters start."""
    if not any(map(_may_join, set(text))):
        return list(range(len(text)))
    return list(_find_starts(text))


def _may_join(character: str) -> bool:
    """Tell whether a character can be in a cluster with another."""
    if character.isascii():
        return character == "\r"
    return (
        unicodedata.category(character) in _JOINING or _extends(character) or _is_paired(character)
    )


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


def _is_paired(character: str) -> bool:
    """Tell letters of flags, of Hangul, and of other scripts that join."""
    is_hangul = "\u1100" <= character <= "\u11ff" or "\ua960" <= character <= "\ud7fb"
    is_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
    return is_hangul or is_flag or character in _JOINING_LETTERS


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
