"""What a corpus consists of, in numbers: streamed over its records.

Words are the corpus' own tokens; where it has none, `WORD_RULE`. Sentences are the corpus' own;
where it has none, those of `spacy_bioner.sentences`; one without a word does not count. Tags are
those of a flat selection of the mentions over these words, as `alignment.align` makes it.

A share, mean or ratio of nothing is None, never 0 or 1.
"""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, List, Optional, Tuple

from spacy_bioner.corpora.statistics.lengths import Lengths, LengthTally
from spacy_bioner.corpora.statistics.mention_counts import (
    Ambiguity,
    MentionInventory,
    rank,
    spell,
)
from spacy_bioner.corpora.statistics.nesting import KINDS, count_nesting
from spacy_bioner.corpora.statistics.words import Extent, RecordView, count_tags
from spacy_bioner.records import Mention, Record
from spacy_bioner.tags import OUTSIDE

TOP_MENTIONS = 25
CLOUD_MENTIONS = 60
NAMED_DOCUMENTS = 20
_SHOWN_START = 80


@dataclass(frozen=True)
class LabelStatistics:
    """The mentions of one label.

    documents (int): How many documents have one.
    surfaces (int): Different surface forms, case-folded.
    singletons (int): Surface forms with a single mention.
    concepts (int): Different concept ids.
    without_concept (int): Mentions that name none.
    top (Tuple[Tuple[str, int], ...]): The most frequent surface forms; the page shows the first 25
        in a table and all of them in a word cloud.
    """

    label: str
    mentions: int
    documents: int
    surfaces: int
    singletons: int
    concepts: int
    without_concept: int
    words: Lengths
    characters: Lengths
    top: Tuple[Tuple[str, int], ...]


@dataclass(frozen=True)
class CorpusStatistics:
    """A corpus in numbers.

    own_words (int): Documents that bring their own tokens.
    own_sentences (int): Documents that bring their own sentence borders.
    tags (Tuple[Tuple[str, int], ...]): BIO tags with their tokens: "O", then B and I of each label.
    nesting (Dict[str, int]): Mentions of each of `nesting.KINDS`.
    unusable (int): Mentions beyond the text, empty, or claiming another text than stands there.
        They count as mentions, but not in tags and lengths.
    documents_without_mentions (Tuple[str, ...]): The first 20 of them.
    label_ambiguity (Tuple[Ambiguity, ...]): Surfaces with several labels, the worst 25 of them.
    concept_ambiguity (Tuple[Ambiguity, ...]): Surfaces with several concepts, likewise.
    """

    name: str
    documents: int
    sentences: int
    words: int
    characters: int
    mentions: int
    surfaces: int
    singletons: int
    concepts: int
    own_words: int
    own_sentences: int
    unusable: int
    n_documents_without_mentions: int
    documents_without_mentions: Tuple[str, ...]
    labels: Tuple[LabelStatistics, ...]
    tags: Tuple[Tuple[str, int], ...]
    nesting: Dict[str, int]
    document_words: Lengths
    sentence_words: Lengths
    mention_words: Lengths
    mention_characters: Lengths
    n_label_ambiguity: int
    label_ambiguity: Tuple[Ambiguity, ...]
    n_concept_ambiguity: int
    concept_ambiguity: Tuple[Ambiguity, ...]

    @property
    def outside_share(self) -> Optional[float]:
        """The share of words that are tagged O; None without words."""
        return dict(self.tags).get(OUTSIDE, 0) / self.words if self.words else None

    @property
    def imbalance(self) -> Optional[float]:
        """Mentions of the most frequent label for one of the rarest; None without labels."""
        counts = [label.mentions for label in self.labels]
        return max(counts) / min(counts) if counts else None

    @property
    def entropy(self) -> Optional[float]:
        """Shannon's entropy of the labels over mentions, in bits; None without mentions."""
        if not self.mentions:
            return None
        shares = [label.mentions / self.mentions for label in self.labels]
        return abs(sum(share * math.log2(share) for share in shares))

    @property
    def effective_labels(self) -> Optional[float]:
        """How many labels of equal frequency would have that entropy; None without mentions."""
        return None if self.entropy is None else 2**self.entropy

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        names = ("outside_share", "imbalance", "entropy", "effective_labels")
        return {**asdict(self), **{name: getattr(self, name) for name in names}}


class _LabelTallies(Dict[Optional[str], LengthTally]):
    """The lengths of mentions by label; those of all of them are under None."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def __missing__(self, label: Optional[str]) -> LengthTally:
        return self.setdefault(label, LengthTally(self.unit, "mentions"))


class CorpusTally:
    """Takes documents one by one; memory grows with the different mentions only."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.inventory = MentionInventory()
        self._numbers: Counter[str] = Counter()
        self._tags: Counter[str] = Counter()
        self._nesting: Counter[str] = Counter()
        self._documents_of: Counter[str] = Counter()
        self._without_mentions: List[str] = []
        self._document_words = LengthTally("words", "documents")
        self._sentence_words = LengthTally("words", "sentences")
        self._mention_words = _LabelTallies("words")
        self._mention_characters = _LabelTallies("characters")

    def add(self, record: Record) -> None:
        """Count one document."""
        view = RecordView(record)
        self._numbers["documents"] += 1
        self._numbers["words"] += len(view.words)
        self._numbers["characters"] += len(record.text)
        self._numbers["own_words"] += bool(record.words)
        self._numbers["own_sentences"] += bool(record.sentence_starts)
        self._document_words.add(len(view.words), record.id)
        for start, end, length in view.list_sentences():
            self._sentence_words.add(length, record.id, start, _show(record.text[start:end]))
            self._numbers["sentences"] += 1
        if not record.mentions:
            self._numbers["without_mentions"] += 1
            if len(self._without_mentions) < NAMED_DOCUMENTS:
                self._without_mentions.append(record.id)
        extents = [extent for m in record.mentions if (extent := self._add_mention(m, view))]
        self._documents_of.update({mention.label for mention in record.mentions})
        self._nesting.update(count_nesting(record.mentions))
        self._tags.update(count_tags(extents))

    def statistics(self) -> CorpusStatistics:
        """Sum up what was added so far."""
        surfaces = self.inventory.count_surfaces()
        by_label = self.inventory.find_label_ambiguity()
        by_concept = self.inventory.find_concept_ambiguity()
        labels = self._sum_up_labels()
        return CorpusStatistics(
            self.name,
            documents=self._numbers["documents"],
            sentences=self._numbers["sentences"],
            words=self._numbers["words"],
            characters=self._numbers["characters"],
            mentions=sum(surfaces.values()),
            surfaces=len(surfaces),
            singletons=_count_singletons(surfaces),
            concepts=len(self.inventory.count_concepts()),
            own_words=self._numbers["own_words"],
            own_sentences=self._numbers["own_sentences"],
            unusable=self._numbers["unusable"],
            n_documents_without_mentions=self._numbers["without_mentions"],
            documents_without_mentions=tuple(self._without_mentions),
            labels=labels,
            tags=self._sum_up_tags(labels),
            nesting={kind: self._nesting[kind] for kind in KINDS},
            document_words=self._document_words.lengths(),
            sentence_words=self._sentence_words.lengths(),
            mention_words=self._mention_words[None].lengths(),
            mention_characters=self._mention_characters[None].lengths(),
            n_label_ambiguity=len(by_label),
            label_ambiguity=tuple(by_label[:TOP_MENTIONS]),
            n_concept_ambiguity=len(by_concept),
            concept_ambiguity=tuple(by_concept[:TOP_MENTIONS]),
        )

    def _add_mention(self, mention: Mention, view: RecordView) -> Optional[Extent]:
        spelling = spell(mention, view.record.text)
        self.inventory.add(mention.label, spelling, mention.concept_ids)
        extent = view.measure(mention)
        if extent is None:
            self._numbers["unusable"] += 1
            return None
        place = (view.record.id, mention.start_char, _show(spelling))
        for tallies, length in (
            (self._mention_words, extent.words),
            (self._mention_characters, extent.characters),
        ):
            tallies[None].add(length, *place)
            tallies[mention.label].add(length, *place)
        return extent

    def _sum_up_labels(self) -> Tuple[LabelStatistics, ...]:
        rows = []
        for label, part in self.inventory.by_label().items():
            surfaces = part.count_surfaces()
            row = LabelStatistics(
                label,
                mentions=sum(surfaces.values()),
                documents=self._documents_of[label],
                surfaces=len(surfaces),
                singletons=_count_singletons(surfaces),
                concepts=len(part.count_concepts()),
                without_concept=sum(n for (_, _, ids), n in part.entries.items() if not ids),
                words=self._mention_words[label].lengths(),
                characters=self._mention_characters[label].lengths(),
                top=rank(surfaces)[:CLOUD_MENTIONS],
            )
            rows.append(row)
        return tuple(sorted(rows, key=lambda row: (-row.mentions, row.label)))

    def _sum_up_tags(self, labels: Iterable[LabelStatistics]) -> Tuple[Tuple[str, int], ...]:
        outside = self._numbers["words"] - sum(self._tags.values())
        names = [f"{prefix}-{label.label}" for label in labels for prefix in "BI"]
        return ((OUTSIDE, outside), *((name, self._tags[name]) for name in names))


def describe_corpus(records: Iterable[Record], name: str = "") -> CorpusStatistics:
    """Count what a corpus consists of.

    name (str): What to call it, such as "train".
    """
    tally = CorpusTally(name)
    for record in records:
        tally.add(record)
    return tally.statistics()


def _count_singletons(counts: Counter[str]) -> int:
    return sum(number == 1 for number in counts.values())


def _show(text: str) -> str:
    """Return the start of a text, on one line."""
    line = " ".join(text[: 2 * _SHOWN_START].split())
    return line if len(line) <= _SHOWN_START else line[: _SHOWN_START - 1].rstrip() + "…"
