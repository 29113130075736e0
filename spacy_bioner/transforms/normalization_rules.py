"""The steps of a normalization: each finds the edits that a text needs.

A step is a function from a text to edits in ascending order, without overlap. Each leaves a text
alone that it has been through ("abbreviations" as long as the new text defines nothing new). In the
order of `normalization.STEPS` no step makes what an earlier one looks for.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from functools import lru_cache
from typing import (
    Callable,
    Dict,
    Iterable,
    List,
    Literal,
    Mapping,
    Match,
    Protocol,
    Sequence,
    Tuple,
)

from spacy_bioner.transforms.offsets import Edit

Step = Callable[[str], List[Edit]]
UnicodeForm = Literal["NFC", "NFKC"]
LineBreaks = Literal["keep", "join"]

# Every hyphen, dash and minus that stands on the line. Not the superscript and subscript minus:
# "10⁻³" must not become "10-³" while NFKC is not asked for.
DASHES = (
    "\u02d7\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2796\u2e17"
    "\u2e1a\u2e3a\u2e3b\u2e40\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d"
)
SOFT_HYPHEN = "\u00ad"
# Curly and low quotes, primes ("5′-end"), accents used as quotes, full-width forms.
SINGLE_QUOTES = (
    "`\u00b4\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\uff07"
)
DOUBLE_QUOTES = (
    "\u00ab\u00bb\u02ba\u02ee\u201c\u201d\u201e\u201f\u2033\u2036\u301d\u301e\u301f\uff02"
)
# White space that does not break the line; the control characters among it separate records.
BLANKS = (
    "\t\x1c\x1d\x1e\x1f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u202f\u205f\u3000"
)
BREAKS = "\x0b\x0c\r\x85\u2028\u2029"
# Characters without width: joiners, marks of direction, byte order marks.
INVISIBLE = (
    SOFT_HYPHEN + "\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
_CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"]
_ANY_BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
# A cluster that is not normal has a character outside of ASCII; the one in front may be its base.
_REGION = re.compile(r"[\s\S]?[^\x00-\x7f]+")

# Long forms within long forms within …: a text that was made to grow must not.
_MAX_DEPTH = 4


class DefinitionLike(Protocol):
    """Where a text defines a short form: character offsets, as of `knowledge.definitions`."""

    @property
    def short_start(self) -> int: ...
    @property
    def short_end(self) -> int: ...
    @property
    def long_start(self) -> int: ...
    @property
    def long_end(self) -> int: ...


FindDefinitions = Callable[[str], Iterable[DefinitionLike]]


def make_controls() -> Step:
    """Remove control characters but line feed and tab.

    Those that are white space (form feed, carriage return, next line, separators of records) keep
    words apart: they become line breaks or spaces.
    """
    table = dict.fromkeys(_CONTROLS, "") | dict.fromkeys("\x1c\x1d\x1e\x1f", " ")
    table |= dict.fromkeys("\x0b\x0c\r\x85", "\n")
    return _make_replacement({**table, "\r\n": "\n"})


def make_spaces(line_breaks: LineBreaks) -> Step:
    """Make white space plain spaces and line feeds, and remove characters without width.

    line_breaks (str): "keep", or "join" to make spaces of them.
    """
    new = "\n" if line_breaks == "keep" else " "
    table = dict.fromkeys(BLANKS, " ") | dict.fromkeys(INVISIBLE, "")
    table |= dict.fromkeys((*BREAKS, "\r\n"), new)
    return _make_replacement(table if line_breaks == "keep" else {**table, "\n": " "})


def make_dashes() -> Step:
    """Make every dash, hyphen and minus "-", and remove soft hyphens."""
    return _make_replacement(dict.fromkeys(DASHES, "-") | {SOFT_HYPHEN: ""})


def make_quotes() -> Step:
    """Make every quotation mark and prime ' or "; a triple prime becomes three."""
    table = dict.fromkeys(SINGLE_QUOTES, "'") | dict.fromkeys(DOUBLE_QUOTES, '"')
    return _make_replacement({**table, "\u2034": "'''", "\u2037": "'''", "\u2057": "''''"})


def make_collapse(line_breaks: LineBreaks) -> Step:
    """Make one space of a run of white space.

    line_breaks (str): "keep": a run with a line break becomes that break, one with several a blank
        line, which is a border between sentences. "join": any run becomes a space.
    """
    keep = line_breaks == "keep"
    pattern = re.compile(r"\s{2,}" if keep else rf"\s{{2,}}|{_ANY_BREAK.pattern}")

    def find_edits(text: str) -> List[Edit]:
        edits = []
        for match in pattern.finditer(text):
            breaks = len(_ANY_BREAK.findall(match[0])) if keep else 0
            new = "\n" * min(breaks, 2) or " "
            if new != match[0]:
                edits.append(_narrow(match.start(), match[0], new))
        return edits

    return find_edits


def make_unicode(form: UnicodeForm) -> Step:
    """Bring a text into a Unicode normal form, cluster by cluster.

    A cluster is a character with the combining ones that follow it, so an edit never reaches
    further; the result is that of `unicodedata.normalize` on the whole text.

    form (str): "NFC", which changes no meaning, or "NFKC", which also makes "ﬁ" two letters and
        "x²" plain "x2".
    """

    def find_edits(text: str) -> List[Edit]:
        if text.isascii() or unicodedata.is_normalized(form, text):
            return []
        edits = []
        for region in _REGION.finditer(text):
            if unicodedata.is_normalized(form, region[0]):
                continue
            for start, end in _clusters(text, region.start(), region.end()):
                new = unicodedata.normalize(form, text[start:end])
                if new != text[start:end]:
                    edits.append(Edit(start, end, new))
        return edits

    return find_edits


def make_abbreviations(find_definitions: FindDefinitions) -> Step:
    """Write out the short forms that a text defines, wherever they stand after their definition.

    Case counts and plurals do not ("NSAIDs" is not NSAID). Of two definitions of one short form
    the last one before an occurrence counts. A long form that has an earlier short form in itself
    is written out as well. Nothing is done where the finder finds nothing; long forms in new places
    may make it find more the second time (11 of 3,014 abstracts).

    find_definitions (Callable[[str], Iterable[DefinitionLike]]): Finds them in a whole text.
    """

    def find_edits(text: str) -> List[Edit]:
        found = sorted(find_definitions(text), key=lambda item: item.short_start)
        if not found:
            return []
        known = _Definitions(text, found)
        edits = []
        for match in known.pattern.finditer(text):
            long_form = known.long_form(match[0], match.start())
            if long_form and not known.covers(match.start(), match.end()):
                new = known.write_out(long_form, match.start(), frozenset((match[0],)))
                edits.append(Edit(match.start(), match.end(), new))
        return edits

    return find_edits


class _Definitions:
    """The definitions of a text, by short form, and the stretches that they cover."""

    def __init__(self, text: str, definitions: Sequence[DefinitionLike]) -> None:
        self.by_form: Dict[str, List[Tuple[int, str]]] = defaultdict(list)
        covers = []
        for item in definitions:
            start, end = min(item.short_start, item.long_start), max(item.short_end, item.long_end)
            short = text[item.short_start : item.short_end]
            self.by_form[short].append((end, text[item.long_start : item.long_end]))
            covers.append((start, end))
        self._covers = _merge(covers)
        forms = "|".join(re.escape(form) for form in sorted(self.by_form, key=len, reverse=True))
        self.pattern = re.compile(rf"(?<!\w)(?:{forms})(?!\w)")

    def long_form(self, short: str, position: int) -> str:
        """Return the long form that counts at a position; empty before the definition's end."""
        earlier = [long_form for end, long_form in self.by_form[short] if end <= position]
        return earlier[-1] if earlier else ""

    def covers(self, start: int, end: int) -> bool:
        """Tell whether a stretch of text belongs to a definition."""
        index = bisect_right(self._covers, (end, -1)) - 1
        return index >= 0 and start < self._covers[index][1]

    def write_out(self, long_form: str, position: int, seen: "frozenset[str]") -> str:
        """Replace the other short forms in a long form; each once on the way down."""

        def expand(match: Match[str]) -> str:
            inner = self.long_form(match[0], position)
            if not inner or match[0] in seen or len(seen) > _MAX_DEPTH:
                return match[0]
            return self.write_out(inner, position, seen | {match[0]})

        return self.pattern.sub(expand, long_form)


def _make_replacement(table: Mapping[str, str]) -> Step:
    singles = "".join(re.escape(key) for key in table if len(key) == 1)
    pairs = [re.escape(key) for key in table if len(key) > 1]
    pattern = re.compile("|".join([*pairs, f"[{singles}]"]))
    beyond_ascii = not any(key.isascii() for key in table)

    def find_edits(text: str) -> List[Edit]:
        if beyond_ascii and text.isascii():
            return []
        found = pattern.finditer(text)
        return [_narrow(match.start(), match[0], table[match[0]]) for match in found]

    return find_edits


def _narrow(start: int, old: str, new: str) -> Edit:
    """Leave out of an edit what stays at its end: a mention that ends there keeps its border."""
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return Edit(start, start + len(old), new)


def _clusters(text: str, start: int, end: int) -> Iterable[Tuple[int, int]]:
    first = start
    for position in range(start + 1, end):
        if not _continues(text[position]):
            yield first, position
            first = position
    yield first, end


@lru_cache(maxsize=8192)
def _continues(char: str) -> bool:
    # Marks, and the vowels and finals of Hangul; compatibility forms of them (half-width sound
    # marks) count by what they decompose to. Kirat Rai has vowel signs that are letters.
    first = unicodedata.normalize("NFKD", char)[:1]
    return (
        unicodedata.category(first)[0] == "M"
        or "\u1160" <= first <= "\u11ff"
        or "\ud7b0" <= first <= "\ud7ff"
        or "\U00016d63" <= first <= "\U00016d6a"
    )


def _merge(intervals: Iterable[Tuple[int, int]]) -> List[Tuple[int, int]]:
    merged: List[Tuple[int, int]] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
