"""Find the terms of a table in text.

What is looked up is not the text but its *skeleton*: one character for all typographic twins,
letters folded to lower case one by one, white space and hyphens left out. Every stretch of it that
the index takes for a term (see `index`) is then compared with the name: does it start and end with
a token, stand apart from neighbouring letters and digits, and agree in case and spacing? All
overlapping occurrences are looked at, because a search for the longest one alone loses terms:
"aspirin in" would hide "aspirin" in "aspirin induced".
"""

import re
import zlib
from typing import (
    Any,
    Container,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import srsly
from numpy.typing import NDArray

from spacy_bioner.files.lines import PathLike
from spacy_bioner.knowledge.boundaries import Boundaries, TokenizedText
from spacy_bioner.knowledge.index import SkeletonIndex
from spacy_bioner.knowledge.packing import Piece, damage, is_packed, pack, unknown_version, unpack
from spacy_bioner.knowledge.skeletons import edge_hyphens, fold
from spacy_bioner.knowledge.table import (
    NO_RULES,
    RAGGED_FLAG,
    TOKENS_FLAG,
    SourceInfo,
    TermTable,
    read_old_columns,
)
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.knowledge.typography import simplify_text

# Written as msgpack, with an automaton in place of the index.
_OLD_VERSIONS = (1, 2)
# Characters of texts that are searched together: arrays of this size are quick and small.
_BATCH_SIZE = 1 << 16
# Words come again and again: so many surfaces, of at most this length, are compared only once.
_MOST_SURFACES, _LONGEST_SURFACE = 1 << 14, 100

_SPACES = re.compile(r"\s+")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
# A word that is divided at the end of a line; its hyphen may be its own or the division's.
_DIVIDED = re.compile(r"(?<=\w)-[^\S\n]*\n\s*(?=\w)")

Occurrence = Tuple[int, int, Tuple[int, ...]]
"""The first token, the token behind the last, and the terms that are found there, ascending."""


class TermMatch(NamedTuple):
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
    sources (Sequence[SourceInfo]): Where the terms come from.
    rules (Mapping[str, Any]): By which rules they were chosen and changed; values of JSON.
    RAISES (TermTableError): A name of nothing but spaces and hyphens.
    """

    def __init__(
        self,
        terms: Iterable[Term] = (),
        *,
        variants: bool = False,
        sources: Sequence[SourceInfo] = (),
        rules: Mapping[str, Any] = NO_RULES,
    ) -> None:
        self.variants = variants
        self.table = TermTable(terms, sources=sources, rules=rules)
        self._index = SkeletonIndex.build(self.table)
        self._agreeing: Dict[str, Tuple[int, ...]] = {}

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
        return next(self.find_all([(text, token_starts, token_ends)]))

    def find_all(
        self, texts: Iterable[TokenizedText], *, nested: bool = True
    ) -> Iterator[List[TermMatch]]:
        """Find the occurrences in many texts, which is quicker than one by one.

        texts (Iterable[TokenizedText]): As `find` takes them; read ahead by some 60,000
            characters.
        nested (bool): Yield also what lies within a longer one, see `longest`.
        YIELDS (List[TermMatch]): As `find` returns them, one list a text.
        """
        for places in self.find_places(texts, nested=nested):
            yield [TermMatch(start, end, index) for start, end, terms in places for index in terms]

    def find_places(
        self, texts: Iterable[TokenizedText], *, nested: bool = True
    ) -> Iterator[List[Occurrence]]:
        """Find where terms occur, in many texts: what `find_all` yields, a row for each place.

        Where a table has many terms of one name, these are told once.

        YIELDS (List[Occurrence]): By start, the longest first, one list a text.
        """
        batch: List[TokenizedText] = []
        size = 0
        for text in texts:
            if batch and size + len(text[0]) > _BATCH_SIZE:
                yield from self._find_batch(batch, nested)
                batch, size = [], 0
            batch.append(text)
            size += len(text[0])
        yield from self._find_batch(batch, nested)

    def restrict(
        self, *, variants: bool, labels: Optional[Container[str]] = None, min_length: int = 0
    ) -> "TermMatcher":
        """Return a matcher of a part of the terms, with their sources and rules; this one itself
        where that is all of it.

        variants (bool): As above.
        labels (Optional[Container[str]]): Those that count; None: all.
        min_length (int): Names have so many characters at least.
        """
        table = self.table
        kept = table.select(labels, min_length)
        if len(kept) == len(table) and variants == self.variants:
            return self
        terms = (table[index] for index in kept.tolist())
        return TermMatcher(terms, variants=variants, sources=table.sources, rules=table.rules)

    def to_bytes(self) -> bytes:
        """Serialize table and index; the settings are not part of it."""
        return b"".join(self.pack())

    def pack(self) -> Iterator[Piece]:
        """Yield the pieces of what `to_bytes` returns."""
        return pack({**self.table.to_columns(), **self._index.to_columns()})

    @classmethod
    def from_bytes(
        cls, data: Any, variants: bool = False, *, path: Optional[PathLike] = None
    ) -> "TermMatcher":
        """Rebuild a matcher without compiling it again; what an older release wrote is compiled.

        data (Any): Bytes, or a mapped file: it is not copied.
        path (Optional[PathLike]): The file, for messages.
        RAISES (BionerError): Bytes that `to_bytes` did not write, or not completely; a
            TermTableError where they are those of a file.
        """
        if not is_packed(data):
            return cls(_read_old(data, path), variants=variants)
        content = unpack(data, path)
        matcher = cls.__new__(cls)
        matcher.variants = variants
        matcher.table = TermTable.from_columns(content)
        matcher._index = SkeletonIndex(content)
        matcher._agreeing = {}
        return matcher

    def _find_batch(
        self, texts: Sequence[TokenizedText], nested: bool
    ) -> Iterator[List[Occurrence]]:
        found: List[List[Occurrence]] = [[] for _ in texts]
        if len(self) and texts:
            boundaries = Boundaries(texts)
            number, token_ends = 0, boundaries.token_ends
            reach = 1
            for first, last, terms in sorted(self._compare(boundaries)):
                if not nested:
                    if last >= reach:
                        continue
                    reach = last
                while first >= token_ends[number + 1]:
                    number += 1
                before = token_ends[number]
                found[number].append((first - before, 1 - last - before, terms))
        yield from found

    def _compare(self, boundaries: Boundaries) -> List[Occurrence]:
        """List first token, minus the last one, and the terms with whose names a place agrees."""
        starts, ends, groups = self._index.find(boundaries.skeleton, *boundaries.list_edges())
        flags = self._index.group_flags[groups]
        ragged = np.flatnonzero(flags & RAGGED_FLAG)
        rows = self._compare_ragged(boundaries, starts[ragged], ends[ragged], groups[ragged])
        places = boundaries.skeleton.places
        starts, ends = places[starts], places[ends - 1] + 1
        allowed = np.flatnonzero(boundaries.allow(starts, ends) & ((flags & RAGGED_FLAG) == 0))
        starts, ends = starts[allowed], ends[allowed]
        text, known = boundaries.text, self._agreeing
        columns = (starts, ends, boundaries.first[starts], -boundaries.last[ends], groups[allowed])
        # Most of the time goes here.
        for start, end, first, last, group in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            agreeing = known.get(text[start:end])
            if agreeing is None:
                agreeing = self._list_agreeing(group, start, end, boundaries)
            if agreeing:
                rows.append((first, last, agreeing))
        return rows

    def _list_agreeing(
        self, group: int, start: int, end: int, boundaries: Boundaries
    ) -> Tuple[int, ...]:
        agreeing = tuple(self._compare_group(group, start, end, boundaries))
        # Terms that are tokens ask for more than the surface.
        if not self._index.group_flags[group] & TOKENS_FLAG and end - start <= _LONGEST_SURFACE:
            if len(self._agreeing) >= _MOST_SURFACES:
                self._agreeing.clear()
            self._agreeing[boundaries.text[start:end]] = agreeing
        return agreeing

    def _compare_group(
        self, group: int, start: int, end: int, boundaries: Boundaries
    ) -> Iterator[int]:
        for index in self._index.members(group):
            name, exact, tokens = self.table.rule(index)
            if self._agrees(boundaries.surface(start, end, tokens=tokens), name, exact, tokens):
                yield index

    def _compare_ragged(
        self,
        boundaries: Boundaries,
        starts: NDArray[np.intp],
        ends: NDArray[np.intp],
        groups: NDArray[np.intp],
    ) -> List[Occurrence]:
        """Compare where names have hyphens at the edge, which the skeleton lacks."""
        places, rows = boundaries.skeleton.places, []
        for place, end_place, group in zip(*map(np.ndarray.tolist, (starts, ends, groups))):
            for index in self._index.members(group):
                before, behind = edge_hyphens(simplify_text(self.table.rule(index)[0]))
                start, end = int(places[place]) - before, int(places[end_place - 1]) + 1 + behind
                if boundaries.spans(start, end, place, end_place):
                    rows.append((start, end, index))
        table = np.array(rows, dtype=np.intp).reshape(-1, 3)
        found: Dict[Tuple[int, int], List[int]] = {}
        for row in np.flatnonzero(boundaries.allow(table[:, 0], table[:, 1])).tolist():
            start, end, index = rows[row]
            # What shows nothing is no part of a name: a soft hyphen that divides a word at the end
            # of a line ("Cl-"), a blank where a variant has the last hyphen.
            if boundaries.is_blank(start) or boundaries.is_blank(end - 1):
                continue
            name, exact, tokens = self.table.rule(index)
            if self._agrees(boundaries.surface(start, end, tokens=tokens), name, exact, tokens):
                place = int(boundaries.first[start]), -int(boundaries.last[end])
                found.setdefault(place, []).append(index)
        return [(*place, tuple(sorted(terms))) for place, terms in found.items()]

    def _agrees(self, surface: str, name: str, exact: bool, tokens: bool) -> bool:
        name = simplify_text(name)
        if surface == name:
            return True
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


def _read_old(data: Any, path: Optional[PathLike]) -> Iterator[Term]:
    body = memoryview(data)[4:]
    if zlib.crc32(body).to_bytes(4, "little") != bytes(data[:4]):
        raise damage(f"{len(data):,} bytes that are none, or have a wrong checksum", path)
    state = srsly.msgpack_loads(body)
    if state["version"] not in _OLD_VERSIONS:
        raise unknown_version(state["version"], path)
    return read_old_columns(state["table"])
