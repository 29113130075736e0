"""The terms of a gazetteer: compiled when they are first looked for, and found in Docs."""

from typing import Container, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import tokenized_text
from spacy_bioner.components.gazetteer.hits import Found, Hit, Name
from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.index import BARE_NAME
from spacy_bioner.knowledge.matcher import Occurrence, TermMatcher
from spacy_bioner.knowledge.skeletons import is_bare
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.knowledge.typography import simplify_text

# Places of the same name come again and again.
MAX_KEPT = 50_000

LabelNames = Tuple[str, List[Name]]


class TermList:
    """Terms that can be added to.

    variants (bool): See `TermMatcher`.
    """

    def __init__(self, *, variants: bool = False) -> None:
        self.variants = variants
        self.clear()

    def __len__(self) -> int:
        return len(self._matcher.table) + len(self._new)

    @property
    def matcher(self) -> TermMatcher:
        """The compiled terms; terms that were added since are compiled in first."""
        if self._new:
            table = self._matcher.table
            every = [*table, *self._new]
            sources, rules = table.sources, table.rules
            self.use(TermMatcher(every, variants=self.variants, sources=sources, rules=rules))
        return self._matcher

    def clear(self) -> None:
        """Forget all terms."""
        self.use(TermMatcher(variants=self.variants))

    def use(self, matcher: TermMatcher) -> None:
        """Take terms that are compiled already, in place of all others."""
        self._matcher = matcher
        self._new: List[Term] = []
        self._kept: Dict[Tuple[int, ...], Tuple[LabelNames, ...]] = {}

    def use_table(
        self, matcher: TermMatcher, *, labels: Optional[Container[str]], min_length: int
    ) -> None:
        """Take a compiled table as it is, or compile the part of it that has these labels and so
        many characters at least, in place of all others; it keeps its sources and rules."""
        self.use(matcher.restrict(variants=self.variants, labels=labels, min_length=min_length))

    def add(self, term: Term) -> None:
        """Add a term.

        RAISES (TermTableError): A name of nothing but spaces and hyphens.
        """
        if is_bare(simplify_text(term.name)):
            raise TermTableError(BARE_NAME.format(term))
        self._new.append(term)

    def find(self, docs: Sequence[Doc], *, nested: bool) -> List[List[Occurrence]]:
        """Find where terms occur in Docs, sorted.

        nested (bool): Also what lies within a longer one.
        """
        return list(self.matcher.find_places(map(tokenized_text, docs), nested=nested))

    def list_hits(self, places: Iterable[Occurrence]) -> List[Hit]:
        """List what `group_hits` would make of places, if terms are all that was found."""
        return [
            Hit(start, end, label, names)
            for start, end, terms in places
            for label, names in self._kept.get(terms) or self._look_up(terms)
        ]

    def list_found(self, places: Iterable[Occurrence]) -> Iterator[Found]:
        """List what was found, term by term, to be sorted in among what patterns find."""
        for start, end, terms in places:
            for index in terms:
                label, name, identifier = self._matcher.table.describe(index)
                yield (start, -end, index, label, identifier, name, False)

    def _look_up(self, terms: Tuple[int, ...]) -> Tuple[LabelNames, ...]:
        """Group terms by label, which takes longer than all else that is done for a hit."""
        groups: Dict[str, List[Name]] = {}
        for label, name, identifier in map(self._matcher.table.describe, terms):
            groups.setdefault(label, []).append((True, name, identifier))
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[terms] = grouped = tuple(groups.items())
        return grouped
