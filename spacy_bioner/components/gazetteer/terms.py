"""The terms of a gazetteer: compiled when they are first looked for, and found in Docs."""

from typing import Dict, Iterable, List, Sequence, Tuple

from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import token_offsets
from spacy_bioner.components.gazetteer.hits import Found
from spacy_bioner.knowledge.matcher import TermMatch, TermMatcher
from spacy_bioner.knowledge.terms import Term

# Cutting a term out of its table takes longer than all else that is done for a hit.
MAX_KEPT = 50_000


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
        self._kept: Dict[int, Tuple[str, str, str]] = {}

    def add(self, term: Term) -> None:
        """Add a term."""
        self._new.append(term)

    def find(self, docs: Sequence[Doc], *, nested: bool) -> List[List[Found]]:
        """Find the terms in Docs, sorted.

        nested (bool): Also what lies within a longer one.
        """
        texts = ((doc.text, *token_offsets(doc)) for doc in docs)
        return [self._look_up(matches) for matches in self.matcher.find_all(texts, nested=nested)]

    def _look_up(self, matches: Iterable[TermMatch]) -> List[Found]:
        kept, table = self._kept, self._matcher.table
        found: List[Found] = []
        for match in matches:
            index = match.term_index
            if index not in kept:
                if len(kept) >= MAX_KEPT:
                    kept.clear()
                term = table[index]
                kept[index] = (term.label, term.id, term.name)
            found.append((match.start, -match.end, index, *kept[index], False))
        return found
