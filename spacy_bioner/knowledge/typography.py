"""Texts as they read, whatever their typesetting: one character for all of its twins.

An apostrophe is typed, curly or a prime; a hyphen has a dozen code points; an accent stands on its
letter or behind it; ligatures, full-width forms, super- and subscripts, the micro sign and other
compatibility characters look like what they stand for; soft hyphens and zero-width characters show
nothing. `simplify` maps all of these to one form and remembers the places.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from spacy_bioner.blanks import is_blank, squeeze

# Bars of a hyphen's height, the minus sign and what Unicode calls small and full-width forms.
HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2043\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_TWINS = {
    "-": HYPHENS[1:],
    "'": "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u02ee\u2018\u2019\u201a\u201b\u2032"
    "\u2035\u2039\u203a\u05f3\uff07\uff40",
    '"': "\u02ba\u02dd\u201c\u201d\u201e\u201f\u2033\u2036\u3003\u00ab\u00bb\u05f4\uff02",
    "\"'": "\u2034\u2037",
    '""': "\u2057",
    "/": "\u2044\u2215\u29f8\uff0f",
    "~": "\u02dc\u223c\u301c\uff5e",
    "*": "\u2217\uff0a",
    ":": "\u2236\uff1a",
    "\u00b7": "\u2022\u2024\u2027\u2219\u22c5\u30fb\uff65",
    # Look-alikes that stand in texts for the Greek letter.
    "\u03b1": "\u0251",
    "\u03b2": "\u00df\u1e9e",
    "\u03b3": "\u0263",
    "\u03b5": "\u025b",
    "\u03ba": "\u0138",
    "\u03c3": "\u03c2",
    "\u03c6": "\u0278",
    "\u0394": "\u2206",
    "\u03a0": "\u220f",
    "\u03a3": "\u2211",
    "\n": "\u0085\u2028\u2029",
}
_SOFT_HYPHEN = "\u00ad"
_ASCII_KEPT = "\\x09-\\x0d\\x1c-\\x5f\\x61-\\x7e"
_ACCENTS = "\u0300-\u036f"
_ACCENT_CODES = range(0x300, 0x370)
_TOUCHED = re.compile(
    # A letter with the accents behind it, stretches beyond ASCII, two or more apostrophes.
    rf"[{_ASCII_KEPT}](?=[{_ACCENTS}])[^{_ASCII_KEPT}]+|[^{_ASCII_KEPT}]+|'{{2,}}"
)
_GROUP = re.compile(rf"[^{_ACCENTS}][{_ACCENTS}]+|.", re.DOTALL)
_LINE_BREAK = re.compile(r"[^\S\n]*[\r\n]")
# Not those that only resemble: fractions, circled and squared signs, superscript letters (TM).
_KINDS = ("", "<compat>", "<wide>", "<narrow>", "<font>", "<noBreak>", "<sub>")
_SUPERSCRIPT = "<super>"


@dataclass(frozen=True)
class Simple:
    """A text with one character for all twins.

    text (str): What is compared.
    starts (Optional[NDArray]): Where each of its characters starts in the whole text, ascending;
        those of a ligature start at one place. None where each stands at its place.
    ends (Optional[NDArray]): Where each of them ends.
    """

    text: str
    starts: Optional[NDArray[np.int64]] = None
    ends: Optional[NDArray[np.int64]] = None


def is_simple(text: str) -> bool:
    """Tell whether a look at the characters is enough to know that `simplify` changes nothing."""
    if text.isascii() and text.isprintable():
        # Most texts and names: these are looked through ten times as fast as by the pattern.
        return "`" not in text and "''" not in text
    return _TOUCHED.search(text) is None


def simplify_text(text: str) -> str:
    """Return `simplify(text).text`."""
    return text if is_simple(text) else simplify(text).text


def simplify(text: str) -> Simple:
    """Map all twins of a character to one of them; linear in the text."""
    if is_simple(text):
        return Simple(text)
    swapped = _swap(text)
    if swapped is not None:
        return Simple(swapped)
    pieces: List[str] = []
    starts: List[int] = []
    ends: List[int] = []
    done = 0
    for match in _TOUCHED.finditer(text):
        _keep(text, done, match.start(), pieces, starts, ends)
        for start, end, shown in _replace(text, match):
            pieces.append(shown)
            starts += [start] * len(shown)
            ends += [end] * len(shown)
        done = match.end()
    _keep(text, done, len(text), pieces, starts, ends)
    simple = "".join(pieces)
    if simple == text:
        return Simple(text)
    return Simple(simple, np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64))


def _swap(text: str) -> Optional[str]:
    """Replace one by one, where that is all there is to do; else None."""
    odd = {ord(char): _REPLACEMENTS[char] for char in set(text) if not is_simple(char)}
    if any(len(shown) != 1 or code in _ACCENT_CODES for code, shown in odd.items()):
        return None
    swapped = text.translate(odd)
    return None if "''" in swapped else swapped


def _keep(
    text: str, start: int, end: int, pieces: List[str], starts: List[int], ends: List[int]
) -> None:
    pieces.append(text[start:end])
    starts.extend(range(start, end))
    ends.extend(range(start + 1, end + 1))


def _replace(text: str, match: "re.Match[str]") -> List[Tuple[int, int, str]]:
    """Split a touched stretch: start, end, and what stands for it."""
    if not match.group().strip("'"):
        return _pair_apostrophes(match.start(), match.end())
    found = []
    for group in _GROUP.finditer(text, match.start(), match.end()):
        composed = unicodedata.normalize("NFC", group.group())
        if len(composed) == 1:
            shown = _REPLACEMENTS[composed]
            if composed == _SOFT_HYPHEN and _LINE_BREAK.match(text, group.end()):
                shown = "-"
            found.append((group.start(), group.end(), shown))
        else:
            places = range(group.start(), group.end())
            found += [(place, place + 1, _REPLACEMENTS[text[place]]) for place in places]
    return _join_primes(found)


def _join_primes(found: List[Tuple[int, int, str]]) -> List[Tuple[int, int, str]]:
    """Two apostrophes side by side are a double prime, of whichever kind they are."""
    joined: List[Tuple[int, int, str]] = []
    for start, end, shown in found:
        if shown == "'" and joined and joined[-1][1:] == (start, "'"):
            joined[-1] = (joined[-1][0], end, '"')
        else:
            joined.append((start, end, shown))
    return joined


def _pair_apostrophes(start: int, end: int) -> List[Tuple[int, int, str]]:
    """Two apostrophes are a double prime; of three, the first two are."""
    pairs = [(place, place + 2, '"') for place in range(start, end - 1, 2)]
    return pairs + ([(end - 1, end, "'")] if (end - start) % 2 else [])


class _Replacements(Dict[str, str]):
    """Maps a character to what stands for it; computed when it is first met."""

    def __missing__(self, char: str) -> str:
        self[char] = shown = _find_replacement(char)
        return shown


def _find_replacement(char: str) -> str:
    if is_blank(char):
        # Blanks of any width become one; what has none goes.
        separates = " " in squeeze(f"a{char}b").text
        return (char if char.isascii() else " ") if separates else ""
    tag, _, codes = unicodedata.decomposition(char).rpartition("> ")
    tag = f"{tag}>" if tag else ""
    if not codes or tag not in (*_KINDS, _SUPERSCRIPT):
        return char
    shown = unicodedata.normalize("NFKC", char)
    if any(part.isspace() for part in shown):
        # A spacing accent would fall apart.
        return char
    if tag == _SUPERSCRIPT and any(part.isalpha() for part in shown):
        return char
    return "".join(_REPLACEMENTS[part] for part in shown) if shown != char else char


_REPLACEMENTS = _Replacements({twin: shown for shown, twins in _TWINS.items() for twin in twins})
