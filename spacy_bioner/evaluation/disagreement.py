"""Where the annotation rules of several corpora differ, by what a pipeline finds by each of them.

Entities that overlap, by whatever rules, are one place. A corpus has a say there if it annotates
one of the labels that are found: where NCBI-disease marks no gene, it is silent and not of another
opinion.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.sentences import sentence_starts


@dataclass(frozen=True)
class RuledEntity:
    """An entity by the rules of a corpus.

    start_char (int): Offset of its first character.
    end_char (int): Offset behind its last character.
    confidence (Optional[float]): None where its source gives none.
    """

    start_char: int
    end_char: int
    label: str
    confidence: Optional[float] = None

    @property
    def key(self) -> Tuple[int, int, str]:
        """What two corpora agree on."""
        return self.start_char, self.end_char, self.label


# What is found at a place by one corpus' rules; None where the corpus has no say.
Reading = Optional[Tuple[RuledEntity, ...]]


@dataclass(frozen=True)
class DisputedPlace:
    """A stretch of text on which corpora disagree.

    document (str): Id of its document.
    start_char (int): Where the first of its entities starts.
    end_char (int): Where the last of them ends.
    sentence (str): The sentence or sentences that it lies in.
    sentence_start (int): Offset of their first character.
    readings (Mapping[str, Reading]): By corpus.
    """

    document: str
    start_char: int
    end_char: int
    sentence: str
    sentence_start: int
    readings: Mapping[str, Reading]

    @property
    def text(self) -> str:
        """The stretch of text."""
        start = self.sentence_start
        return self.sentence[self.start_char - start : self.end_char - start]

    @property
    def n_disagreeing(self) -> int:
        """Corpora that read it otherwise than most do; of equally many, one side."""
        return _count_disagreeing(self.readings)

    def cut(self, entity: RuledEntity) -> str:
        """Return the text of one of its entities."""
        start = self.sentence_start
        return self.sentence[entity.start_char - start : entity.end_char - start]


@dataclass(frozen=True)
class PairCounts:
    """How two corpora differ.

    places (int): Where both have a say, and one of them finds something.
    one_only (int): Of these, only one marks something.
    other_label (int): The same stretches, with other labels.
    other_borders (int): Stretches that are not the same.
    """

    first: str
    second: str
    places: int = 0
    one_only: int = 0
    other_label: int = 0
    other_borders: int = 0

    @property
    def differing(self) -> int:
        """Places that they read differently."""
        return self.one_only + self.other_label + self.other_borders


@dataclass(frozen=True)
class Disagreements:
    """What is found by the rules of several corpora, compared.

    labels (Mapping[str, Sequence[str]]): What each corpus annotates; empty where that is not known:
        then it has a say everywhere.
    n_documents (int): Those that were compared.
    n_places (int): Places at which something is found by some rules.
    places (Sequence[DisputedPlace]): Those on which corpora disagree, most disagreeing ones first.
    pairs (Sequence[PairCounts]): All pairs of corpora, the most different first.
    """

    labels: Mapping[str, Sequence[str]]
    n_documents: int
    n_places: int
    places: Sequence[DisputedPlace]
    pairs: Sequence[PairCounts]


@dataclass(frozen=True)
class RuledDocument:
    """A document and what is found in it by each corpus' rules."""

    id: str
    text: str
    entities: Mapping[str, Sequence[RuledEntity]]


def compare_rules(
    documents: Iterable[RuledDocument], labels: Mapping[str, Collection[str]]
) -> Disagreements:
    """Compare what is found by the rules of several corpora.

    documents (Iterable[RuledDocument]): Each with the entities of every corpus.
    labels (Mapping[str, Collection[str]]): What each corpus annotates; empty: not known. Entities
        of other labels say nothing of its rules, and are left out.
    """
    n_documents = n_places = 0
    differing: List[DisputedPlace] = []
    pairs: Dict[Tuple[str, str], Counter] = {pair: Counter() for pair in combinations(labels, 2)}
    for document in documents:
        n_documents += 1
        starts: List[int] = []
        for found in _find_places(document, labels):
            n_places += 1
            readings = _read(found, labels)
            _count_pairs(readings, pairs)
            if _count_disagreeing(readings):
                starts = starts or sentence_starts(document.text)
                differing.append(_describe(document, found, readings, starts))
    # A stable order: within a number, that of the text.
    differing.sort(key=lambda place: -place.n_disagreeing)
    kinds = ("places", "one_only", "other_label", "other_borders")
    rows = [PairCounts(*pair, *(own[kind] for kind in kinds)) for pair, own in pairs.items()]
    rows.sort(key=lambda row: -row.differing)
    known = {name: tuple(sorted(own)) for name, own in labels.items()}
    return Disagreements(known, n_documents, n_places, tuple(differing), tuple(rows))


_Found = List[Tuple[str, RuledEntity]]


def _find_places(
    document: RuledDocument, labels: Mapping[str, Collection[str]]
) -> Iterator[_Found]:
    """Yield the entities of each place, with the corpus of each."""
    rows = [
        (name, entity)
        for name, known in labels.items()
        for entity in document.entities.get(name, ())
        if not known or entity.label in known
    ]
    rows.sort(key=lambda row: row[1].key)
    place: _Found = []
    end = -1
    for name, entity in rows:
        if place and entity.start_char >= end:
            yield place
            place = []
        place.append((name, entity))
        end = max(end if len(place) > 1 else -1, entity.end_char)
    if place:
        yield place


def _read(found: _Found, labels: Mapping[str, Collection[str]]) -> Dict[str, Reading]:
    here = {entity.label for _, entity in found}
    return {
        name: tuple(entity for owner, entity in found if owner == name)
        if not known or here & set(known)
        else None
        for name, known in labels.items()
    }


def _count_disagreeing(readings: Mapping[str, Reading]) -> int:
    said = [tuple(e.key for e in reading) for reading in readings.values() if reading is not None]
    return len(said) - max(Counter(said).values(), default=0)


def _count_pairs(readings: Mapping[str, Reading], pairs: Mapping[Tuple[str, str], Counter]) -> None:
    for (first, second), counts in pairs.items():
        left, right = readings[first], readings[second]
        if left is None or right is None or not (left or right):
            continue
        counts["places"] += 1
        if not (left and right):
            counts["one_only"] += 1
        elif [e.key[:2] for e in left] != [e.key[:2] for e in right]:
            counts["other_borders"] += 1
        elif [e.key for e in left] != [e.key for e in right]:
            counts["other_label"] += 1


def _describe(
    document: RuledDocument,
    found: _Found,
    readings: Mapping[str, Reading],
    starts: Sequence[int],
) -> DisputedPlace:
    start = min(entity.start_char for _, entity in found)
    end = max(entity.end_char for _, entity in found)
    first = max((own for own in starts if own <= start), default=0)
    last = min((own for own in starts if own >= end), default=len(document.text))
    sentence = document.text[first:last].rstrip()
    return DisputedPlace(document.id, start, end, sentence, first, readings)
