"""Find the terms of a table in text, with one compiled Aho–Corasick automaton.

The automaton does not see the text but its *skeleton*: one character for all typographic twins,
letters folded to lower case one by one, white space and hyphens left out. Every occurrence in the
skeleton is then checked against the text: does it start and end with a token, stand apart from
neighbouring letters and digits, and agree with the name in case and spacing? All overlapping
occurrences are looked at, because a search for the longest one alone loses terms: "aspirin in"
would hide "aspirin" in "aspirin induced".
"""

import re
import zlib
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import numpy as np
import srsly
from daachorse import CharwiseDoubleArrayAhoCorasick
from numpy.typing import NDArray

from spacy_bioner.blanks import is_blank
from spacy_bioner.errors import BionerError, TermTableError
from spacy_bioner.knowledge.table import TermTable
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR, Term
from spacy_bioner.knowledge.typography import is_simple, simplify, simplify_text

# In version 1 the automaton knew no typographic twins.
FORMAT_VERSION = 2
READABLE_VERSIONS = (1, FORMAT_VERSION)

_SPACES = re.compile(r"\s+")
_SKIPPED = re.compile(r"[\s-]")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
# A word that is divided at the end of a line; its hyphen may be its own or the division's.
_DIVIDED = re.compile(r"(?<=\w)-[^\S\n]*\n\s*(?=\w)")


@dataclass(frozen=True)
class TermMatch:
    """Tokens `start` to `end` (exclusive) are an occurrence of the term at `term_index`."""

    start: int
    end: int
    term_index: int


class TermMatcher:
    """A compiled table of terms.

    Typographic twins agree (see `typography`): apostrophes, quotes and primes, hyphens and dashes,
    blanks, accents composed or not, ligatures; so does a word that a hyphen divides at the end of a
    line.

    terms (Iterable[Term]): The names to find.
    variants (bool): A hyphen in the name or in the text may stand for a space or for nothing:
        "IL-2" finds "IL 2" and "IL2".
    RAISES (TermTableError): A name of nothing but spaces and hyphens.
    """

    def __init__(self, terms: Iterable[Term] = (), *, variants: bool = False) -> None:
        self.variants = variants
        self.table = TermTable(terms)
        groups: Dict[str, List[int]] = {}
        for index, term in enumerate(self.table):
            groups.setdefault(_skeleton_of(simplify_text(term.name)), []).append(index)
        if "" in groups:
            raise TermTableError(
                f"found the term {self.table[groups[''][0]]}; expected a name with at least one "
                "letter, digit or symbol besides spaces and hyphens; leave it out"
            )
        self._automaton = CharwiseDoubleArrayAhoCorasick(list(groups))
        self._members = np.array([i for group in groups.values() for i in group], dtype="<i4")
        self._group_ends = np.cumsum([0, *map(len, groups.values())], dtype="<i8")
        self._ragged = bytes(
            any(any(_edge_hyphens(simplify_text(self.table[i].name))) for i in group)
            for group in groups.values()
        )

    def __len__(self) -> int:
        return len(self.table)

    def __reduce__(self) -> Tuple[Any, ...]:
        # Worker processes that are spawned, not forked, get the matcher through pickling.
        return TermMatcher.from_bytes, (self.to_bytes(), self.variants)

    def find(
        self, text: str, token_starts: NDArray[np.integer], token_ends: NDArray[np.integer]
    ) -> List[TermMatch]:
        """Find every occurrence that begins and ends with a token.

        token_starts (NDArray): Character offsets at which the tokens start, ascending.
        token_ends (NDArray): Character offsets behind the tokens.
        RETURNS (List[TermMatch]): By start, the longest first, then in the table's order.
        """
        if not len(self) or not text:
            return []
        boundaries = _Boundaries(text, token_starts, token_ends)
        plain = boundaries.text
        positions = np.delete(np.arange(len(plain)), [m.start() for m in _SKIPPED.finditer(plain)])
        opens = (boundaries.first[positions] >= 0).tobytes()
        closes = (boundaries.last[positions + 1] >= 0).tobytes()
        ragged = self._ragged
        # Most occurrences end here, within words: hence the comprehension, and bytes for flags.
        candidates = [
            (group, int(positions[start]), int(positions[end - 1]) + 1)
            for start, end, group in self._automaton.find_overlapping(_skeleton_of(plain))
            if (closes[end - 1] and opens[start]) or ragged[group]
        ]
        matches = [
            match for candidate in candidates for match in self._verify(*candidate, boundaries)
        ]
        return sorted(matches, key=lambda match: (match.start, -match.end, match.term_index))

    def to_bytes(self) -> bytes:
        """Serialize table and automaton; the settings are not part of it."""
        body = srsly.msgpack_dumps(
            {
                "version": FORMAT_VERSION,
                "automaton": self._automaton.serialize() if len(self) else b"",
                "table": self.table.to_columns(),
                "members": self._members.tobytes(),
                "group_ends": self._group_ends.tobytes(),
                "ragged": self._ragged,
            }
        )
        return zlib.crc32(body).to_bytes(4, "little") + body

    @classmethod
    def from_bytes(cls, data: bytes, variants: bool = False) -> "TermMatcher":
        """Rebuild a matcher without compiling it again.

        RAISES (BionerError): Bytes that `to_bytes` did not write, or not completely.
        """
        # The automaton trusts its bytes: a damaged one must not get that far.
        body = memoryview(data)[4:]
        if zlib.crc32(body).to_bytes(4, "little") != bytes(data[:4]):
            raise BionerError(
                f"gazetteer data: found {len(data)} bytes with a wrong checksum; expected what "
                "TermMatcher.to_bytes wrote; copy or build the pipeline again"
            )
        state = srsly.msgpack_loads(body)
        if state["version"] not in READABLE_VERSIONS:
            raise BionerError(
                f"gazetteer data: found format version {state['version']}; expected "
                f"{FORMAT_VERSION}; build the gazetteer again from its terms"
            )
        table = TermTable.from_columns(state["table"])
        if state["version"] < FORMAT_VERSION and not is_simple(table.all_names):
            # Its automaton holds names as they were spelled.
            return cls(table, variants=variants)
        matcher = cls(variants=variants)
        matcher.table = table
        if len(matcher.table):
            matcher._automaton = CharwiseDoubleArrayAhoCorasick.deserialize(state["automaton"])
        matcher._members = np.frombuffer(state["members"], dtype="<i4")
        matcher._group_ends = np.frombuffer(state["group_ends"], dtype="<i8")
        matcher._ragged = state["ragged"]
        return matcher

    def _verify(
        self, group: int, start_char: int, end_char: int, boundaries: "_Boundaries"
    ) -> List[TermMatch]:
        found = []
        for index in self._members[self._group_ends[group] : self._group_ends[group + 1]].tolist():
            name, exact, tokens = self.table.rule(index)
            name = simplify_text(name)
            before, behind = _edge_hyphens(name) if self._ragged[group] else (0, 0)
            start, end = start_char - before, end_char + behind
            if not boundaries.allow(start, end):
                continue
            surface = boundaries.surface(start, end, tokens=tokens)
            if surface == name or self._agrees(surface, name, exact=exact, tokens=tokens):
                first, last = int(boundaries.first[start]), int(boundaries.last[end])
                found.append(TermMatch(first, last + 1, index))
        return found

    def _agrees(self, surface: str, name: str, *, exact: bool, tokens: bool) -> bool:
        if not exact:
            surface, name = fold(surface), fold(name)
        if surface == name or tokens:
            return surface == name
        if _BLANK_LINE.search(surface):
            return False
        name = _SPACES.sub(" ", name)
        readings = {_SPACES.sub(" ", _DIVIDED.sub(hyphen, surface)) for hyphen in ("-", "")}
        if not self.variants:
            return name in readings
        return any(
            one.replace("-", other) == name.replace("-", other)
            for one in readings
            for other in (" ", "")
        )


def longest(matches: Sequence[TermMatch]) -> List[TermMatch]:
    """Keep the matches that do not lie within a longer one; `matches` come sorted as found."""
    kept: List[TermMatch] = []
    for match in matches:
        inside = kept and match.end <= kept[-1].end
        same = kept and (match.start, match.end) == (kept[-1].start, kept[-1].end)
        if same or not inside:
            kept.append(match)
    return kept


_LAST_KEPT = 0x10000


class _Folding(Dict[int, Any]):
    """Maps a code point to its lower case if that is one character, else to itself.

    `str.lower` may lengthen a text ("İ" becomes two characters), and offsets would shift.
    """

    def __missing__(self, code: int) -> int:
        lower = chr(code).lower()
        folded = ord(lower) if len(lower) == 1 else code
        # Texts of all planes would leave a million entries here.
        if folded != code or code < _LAST_KEPT:
            self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Fold to lower case, character by character: the length stays as it is."""
    return text.translate(_FOLDING)


def _skeleton_of(simple: str) -> str:
    """Fold, and leave out hyphens and white space (`TOKEN_SEPARATOR` counts as such)."""
    return _SKIPPED.sub("", fold(simple))


class _Boundaries:
    """A simplified text and its tokens: `first` and `last` give the token that starts or ends at an
    offset in it."""

    def __init__(
        self, text: str, token_starts: NDArray[np.integer], token_ends: NDArray[np.integer]
    ) -> None:
        simple = simplify(text)
        self.whole, self.text = text, simple.text
        self._places = simple.starts
        self.starts, self.ends = token_starts, token_ends
        self.first = np.full(len(self.text) + 1, -1, dtype=np.int64)
        self.last = np.full(len(self.text) + 1, -1, dtype=np.int64)
        tokens = np.arange(len(token_starts))
        opens, closes = token_starts, token_ends
        if simple.starts is not None and simple.ends is not None:
            opens = np.searchsorted(simple.starts, token_starts)
            closes = np.searchsorted(simple.ends, token_ends, side="right")
            # What shows nothing is gone.
            shown = opens < closes
            tokens, opens, closes = tokens[shown], opens[shown], closes[shown]
        self.first[opens] = tokens
        self.last[closes] = tokens

    def allow(self, start: int, end: int) -> bool:
        """Tell whether a match may stand here: whole tokens, and no part of a word or number.

        A tokenizer that splits "IL2" must not make "IL" an occurrence of its own.
        """
        if start < 0 or end > len(self.text) or self.first[start] < 0 or self.last[end] < 0:
            return False
        # What shows nothing is no part of a name: a soft hyphen that divides a word at the end of a
        # line ("Cl-"), a blank where a variant has the last hyphen.
        if self._is_blank(start) or self._is_blank(end - 1):
            return False
        before = start > 0 and self.text[start - 1].isalnum() and self.text[start].isalnum()
        behind = end < len(self.text) and self.text[end].isalnum() and self.text[end - 1].isalnum()
        return not before and not behind

    def _is_blank(self, position: int) -> bool:
        place = position if self._places is None else self._places[position]
        return is_blank(self.whole[place])

    def surface(self, start: int, end: int, *, tokens: bool) -> str:
        """Cut out the text, or the texts of its tokens joined by `TOKEN_SEPARATOR`."""
        if not tokens:
            return self.text[start:end]
        inner = range(int(self.first[start]), int(self.last[end]) + 1)
        words = (self.whole[self.starts[i] : self.ends[i]] for i in inner)
        return TOKEN_SEPARATOR.join(map(simplify_text, words))


def _edge_hyphens(name: str) -> Tuple[int, int]:
    """Count the hyphens that a name starts and ends with ("Cl-"): the skeleton lacks them."""
    skipped = "- "
    return len(name) - len(name.lstrip(skipped)), len(name) - len(name.rstrip(skipped))
