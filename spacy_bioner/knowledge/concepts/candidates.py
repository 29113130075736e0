"""The concepts that a text may name, by ever looser comparison.

Exact keys, then forms; where neither gives any, forms in which words are exchanged or left out as
the store has learned it, and forms that have most grams in common. See `keys`, `edits`, `postings`.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Callable, Dict, FrozenSet, Iterable, Iterator, List, Sequence, Tuple

from spacy_bioner.knowledge.concepts.keys import list_words, make_exact_key, make_form, stem
from spacy_bioner.knowledge.concepts.store import ConceptStore, NamedConcept

EXACT, NORMALIZED, EDITED, SIMILAR = "exact", "normalized", "edited", "similar"
SURE = (EXACT, NORMALIZED)
MIN_EDITS = 0.25
# Of the words that may stand for one, and of forms that are alike, the best.
MAX_EDITS = 8
N_SIMILAR = 40
MIN_SIMILAR = 0.25
_CACHED = 1 << 16


@dataclass(frozen=True)
class ConceptCandidate:
    """A concept that a text may name.

    how (str): "exact", "normalized", "edited" or "similar": by which comparison it was found first.
    belief (float): In the edits that make the text's form the name's, 0 to 1; 0 where none do.
    likeness (float): Cosine of the grams of both; 1 where they are the same, 0 if not looked at.
    common (float): The part of the words of both together that both have; rare ones weigh more.
    covered (float): The part of the text's words that the name has.
    used (float): The part of the name's words that the text has.
    has_last (bool): The name has the last word of the text.
    is_short (bool): It was found by a short form that the document defines.
    """

    concept: NamedConcept
    how: str
    belief: float = 0.0
    likeness: float = 0.0
    common: float = 1.0
    covered: float = 1.0
    used: float = 1.0
    has_last: bool = True
    is_short: bool = False

    @property
    def agreement(self) -> float:
        """How far text and name agree, 0 to 1."""
        return {EXACT: 1.0, NORMALIZED: 0.95}.get(self.how, 0.9 * max(self.belief, self.likeness))


FormCandidates = Tuple[str, List[ConceptCandidate]]
"""A form, and what has a name with it."""


class CandidateFinder:
    """Finds the candidates of texts in a store, and keeps those that it has found."""

    def __init__(self, store: ConceptStore) -> None:
        self.store = store
        self.find: Callable[[str, str], Tuple[ConceptCandidate, ...]]
        self.find = lru_cache(maxsize=_CACHED)(self._find)
        self._read_edits = lru_cache(maxsize=_CACHED)(self._choose_edits)
        self._weigh_word = lru_cache(maxsize=_CACHED)(store.weigh_word)

    def _find(self, text: str, label: str) -> Tuple[ConceptCandidate, ...]:
        """Find the candidates of a text, each concept once."""
        if found := self.store.find_exact(make_exact_key(text), label):
            return _merge(ConceptCandidate(item, EXACT, likeness=1.0) for item in found)
        form = make_form(text)
        if not form:
            return ()
        if found := self.store.find_form(form, label):
            return _merge(ConceptCandidate(item, NORMALIZED, likeness=1.0) for item in found)
        last = stem(list_words(text)[-1])
        loose = [*self._find_edited(form, label), *self._find_similar(form, label)]
        return _merge(
            item
            for other, items in loose
            for item in self._compare(items, other, form, last, label)
        )

    def _find_edited(self, form: str, label: str) -> Iterator[FormCandidates]:
        for other, belief in self._edit(form, label):
            found = self.store.find_form(other, label)
            yield other, [ConceptCandidate(item, EDITED, belief=belief) for item in found]

    def _find_similar(self, form: str, label: str) -> Iterator[FormCandidates]:
        for other, likeness in self.store.find_like(form, label, n_best=N_SIMILAR):
            if likeness >= MIN_SIMILAR:
                found = self.store.find_form(other, label)
                yield other, [ConceptCandidate(item, SIMILAR, likeness=likeness) for item in found]

    def _compare(
        self, items: List[ConceptCandidate], other: str, form: str, last: str, label: str
    ) -> Iterator[ConceptCandidate]:
        """Say of candidates of one form how far its words are those of the text's."""
        words, others = frozenset(form.split()), frozenset(other.split())
        both = self._weigh(words & others, label)
        mine, theirs = self._weigh(words, label), self._weigh(others, label)
        for item in items:
            yield replace(
                item,
                common=both / (mine + theirs - both),
                covered=both / mine,
                used=both / theirs,
                has_last=last in others,
            )

    def _weigh(self, words: FrozenSet[str], label: str) -> float:
        # Of all words there are more than none: the denominators of shares.
        return sum(self._weigh_word(word, label) for word in words) or 1e-9

    def _edit(self, form: str, label: str) -> Iterator[Tuple[str, float]]:
        """Stream the forms after one edit and after two, and the belief in them."""
        once = self._edit_once(form, label)
        twice: Dict[str, float] = {}
        for other, belief in once.items():
            for further, more in self._edit_once(other, label).items():
                if belief * more >= MIN_EDITS and further != form and further not in once:
                    twice[further] = max(belief * more, twice.get(further, 0.0))
        yield from once.items()
        yield from twice.items()

    def _edit_once(self, form: str, label: str) -> Dict[str, float]:
        words = form.split()
        found: Dict[str, float] = {}
        for at, old in enumerate(["", *words], start=-1):
            rest = [word for place, word in enumerate(words) if place != at]
            for new, belief in self._read_edits(old, label):
                changed = " ".join(sorted({*rest, new} - {""}))
                if changed and belief > found.get(changed, 0.0):
                    found[changed] = belief
        return found

    def _choose_edits(self, word: str, label: str) -> Sequence[Tuple[str, float]]:
        edits = self.store.list_edits(word, label)
        return tuple(edit for edit in edits[:MAX_EDITS] if edit[1] >= MIN_EDITS)


def _merge(candidates: Iterable[ConceptCandidate]) -> Tuple[ConceptCandidate, ...]:
    """Keep one candidate of each concept: by its best name, with the best of all comparisons."""
    best: Dict[int, ConceptCandidate] = {}
    for item in candidates:
        known = best.get(item.concept.number)
        if known is None:
            best[item.concept.number] = item
            continue
        first = min(item, known, key=_order)
        belief = max(item.belief, known.belief)
        likeness = max(item.likeness, known.likeness)
        best[item.concept.number] = replace(first, belief=belief, likeness=likeness)
    return tuple(sorted(best.values(), key=_order))


def _order(item: ConceptCandidate) -> Tuple[float, int, int, int]:
    return -item.agreement, -item.concept.count, item.concept.kind, item.concept.number
