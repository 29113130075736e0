"""Finds where the surfaces of a corpus' mentions stand in a text, annotated or not.

Surfaces are compared without case, but for short ones (four characters and less) and those without
lower-case letters, which must be equal: "all" is not "ALL".
"""

import re
from typing import Iterator, List, Sequence, Tuple

from daachorse import CharwiseDoubleArrayAhoCorasick

EXACT_CHARACTERS = 4
_SPACE = re.compile(r"\s")


def make_key(surface: str) -> str:
    """Return what equal surfaces have in common; empty for one without a letter or digit."""
    surface = " ".join(surface.split())
    if not any(character.isalnum() for character in surface):
        return ""
    exact = len(surface) <= EXACT_CHARACTERS or not any(map(str.islower, surface))
    return surface if exact else _fold(surface)


def is_inside_word(text: str, place: int) -> bool:
    """Tell whether a letter or digit stands on both sides of a place."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()


class SurfaceFinder:
    """Finds surfaces in texts.

    keys (Sequence[str]): What `make_key` gave for them.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = frozenset(keys)
        patterns: List[str] = sorted({_fold(key) for key in keys})
        self._automaton = CharwiseDoubleArrayAhoCorasick(patterns) if patterns else None

    def find(self, text: str) -> Iterator[Tuple[int, int, str]]:
        """Yield every occurrence that begins and ends at borders of words, overlapping ones too.

        RETURNS (Iterator[Tuple[int, int, str]]): First character, end and key.
        """
        if self._automaton is None or not text:
            return
        for start, end, _ in self._automaton.find_overlapping(_fold(text)):
            if is_inside_word(text, start) or is_inside_word(text, end):
                continue
            key = make_key(text[start:end])
            if key in self._keys:
                yield start, end, key


def _fold(text: str) -> str:
    """Lower the case and make white space spaces, with as many characters as before."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return _SPACE.sub(" ", lowered)
