"""From the mentions of a document to concepts: candidates, and what the document says of them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Callable, Dict, Iterable, List, Sequence, Set, Tuple

from spacy_bioner.knowledge.concepts.candidates import SURE, CandidateFinder, ConceptCandidate
from spacy_bioner.knowledge.concepts.composites import split_composite
from spacy_bioner.knowledge.concepts.ranking import CONTEXT_WEIGHT, add_up, list_features, rank
from spacy_bioner.knowledge.concepts.store import ConceptStore, NamedConcept, id_scheme

MIN_SCORE = 0.3
# The parts of a composite mention agree with names at least so far.
MIN_AGREEMENT = 0.5
_CACHED = 1 << 16

Ranked = Tuple[ConceptCandidate, float]


@dataclass(frozen=True)
class MentionText:
    """A mention as it is looked up.

    text (str): What stands in the document.
    label (str): The store's label.
    long_text (str): The same with short forms replaced by the long forms that the document defines;
        empty where it has none of them.
    """

    text: str
    label: str
    long_text: str = ""


@dataclass(frozen=True)
class ConceptLink:
    """A concept that a mention names.

    score (float): How sure that is, 0 to 1.
    how (str): See `ConceptCandidate`.
    name (str): The name by which it was found.
    part (str): Of a composite mention, the part that names it; else empty.
    """

    concept: NamedConcept
    score: float
    how: str
    part: str = ""


@dataclass(frozen=True)
class LinkedMention:
    """What a mention names.

    links (Tuple[ConceptLink, ...]): One, or those of the parts of a composite mention.
    others (Tuple[ConceptLink, ...]): What it may name instead, the likeliest first.
    """

    links: Tuple[ConceptLink, ...] = ()
    others: Tuple[ConceptLink, ...] = ()

    @property
    def keys(self) -> Tuple[str, ...]:
        """The ids in the form in which they are compared; several of a concept that has several."""
        keys = (key for link in self.links for key in link.concept.key.split("|"))
        return tuple(dict.fromkeys(keys))


class Linker:
    """Finds the concepts that the mentions of a document name.

    min_score (float): What scores less names no concept.
    n_others (int): So many other candidates are listed.
    """

    def __init__(
        self, store: ConceptStore, *, min_score: float = MIN_SCORE, n_others: int = 0
    ) -> None:
        self.store, self.min_score, self.n_others = store, min_score, n_others
        self._finder = CandidateFinder(store)
        self._read_schemes = lru_cache(maxsize=None)(store.count_schemes)
        # Texts name the same things over and over.
        self._look_up: Callable[[MentionText], Looked] = lru_cache(maxsize=_CACHED)(self._look)

    def __reduce__(self) -> Tuple[object, ...]:
        """Let it pass to another process, which looks up anew."""
        return _remake, (self.store, self.min_score, self.n_others)

    def link(self, mentions: Sequence[MentionText]) -> List[LinkedMention]:
        """Find the concepts of the mentions of one document."""
        looked = [self._look_up(mention) for mention in mentions]
        context = find_context([item.candidates for item in looked])
        return [self._choose(item, context) for item in looked]

    def find(self, mention: MentionText) -> Tuple[ConceptCandidate, ...]:
        """Find the candidates of a mention, by its text and by what its short forms stand for."""
        own = self._finder.find(mention.text, mention.label)
        if not mention.long_text:
            return own
        long = self._finder.find(mention.long_text, mention.label)
        best: Dict[int, ConceptCandidate] = {item.concept.number: item for item in long}
        for item in own:
            known = best.get(item.concept.number)
            if known is None or (known.how not in SURE and item.how in SURE):
                best[item.concept.number] = replace(item, is_short=True)
        return tuple(best.values())

    def describe(
        self, item: ConceptCandidate, label: str, *, in_context: bool = False
    ) -> Dict[str, float]:
        """Say what tells for a candidate, see `ranking`."""
        schemes = self._read_schemes(label)
        share = schemes.get(id_scheme(item.concept.key), 0) / max(1, sum(schemes.values()))
        return list_features(item, scheme_share=share, in_context=in_context)

    def _look(self, mention: MentionText) -> "Looked":
        """Find all that does not depend on the document's other mentions."""
        candidates = self.find(mention)
        sums = self._add_up(candidates, mention.label)
        ranked = rank(candidates, sums)
        is_sure = any(item.how in SURE for item, _ in ranked[:1])
        parts = () if is_sure else self._link_parts(mention, ranked)
        return Looked(candidates, sums, tuple(ranked), parts)

    def _choose(self, looked: "Looked", context: Set[str]) -> LinkedMention:
        if looked.parts:
            return LinkedMention(looked.parts)
        ranked: Sequence[Ranked] = looked.ranked
        if len(ranked) > 1 and any(item.concept.key in context for item, _ in ranked):
            sums = [
                value + CONTEXT_WEIGHT * (item.concept.key in context)
                for item, value in zip(looked.candidates, looked.sums, strict=True)
            ]
            ranked = rank(looked.candidates, sums)
        links = [
            ConceptLink(item.concept, score, item.how)
            for item, score in ranked[: 1 + self.n_others]
        ]
        if not links or links[0].score < self.min_score:
            return LinkedMention((), tuple(links[: self.n_others]))
        return LinkedMention((links[0],), tuple(links[1:]))

    def _add_up(self, candidates: Sequence[ConceptCandidate], label: str) -> Tuple[float, ...]:
        return tuple(add_up(self.describe(item, label)) for item in candidates)

    def _link_parts(
        self, mention: MentionText, ranked: Sequence[Ranked]
    ) -> Tuple[ConceptLink, ...]:
        """Read a mention as several names; the reading that agrees most, if more than one name."""
        least = max([MIN_AGREEMENT, *(item.agreement for item, _ in ranked[:1])])
        chosen: Tuple[ConceptLink, ...] = ()
        for text in filter(None, (mention.long_text, mention.text)):
            for reading in split_composite(text):
                found = [self._finder.find(part, mention.label) for part in reading]
                if not all(found):
                    continue
                best = [rank(items, self._add_up(items, mention.label))[0] for items in found]
                agreement = min(item.agreement for item, _ in best)
                if agreement <= least or len({item.concept.key for item, _ in best}) < 2:
                    continue
                if min(score for _, score in best) < self.min_score:
                    continue
                least = agreement
                chosen = tuple(
                    ConceptLink(item.concept, score, item.how, part)
                    for (item, score), part in zip(best, reading, strict=True)
                )
        return chosen


@dataclass(frozen=True)
class Looked:
    """What is found of a mention without the other mentions of its document.

    sums (Tuple[float, ...]): What tells for each candidate.
    ranked (Tuple[Ranked, ...]): The candidates, the likeliest first, and how sure each is.
    parts (Tuple[ConceptLink, ...]): What it names as a composite mention; empty where it is none.
    """

    candidates: Tuple[ConceptCandidate, ...]
    sums: Tuple[float, ...]
    ranked: Tuple[Ranked, ...]
    parts: Tuple[ConceptLink, ...]


def find_context(found: Iterable[Sequence[ConceptCandidate]]) -> Set[str]:
    """Return the concepts that mentions of a document name for sure, by their keys."""
    return {items[0].concept.key for items in found if len(items) == 1 and items[0].how in SURE}


def _remake(store: ConceptStore, min_score: float, n_others: int) -> Linker:
    return Linker(store, min_score=min_score, n_others=n_others)
