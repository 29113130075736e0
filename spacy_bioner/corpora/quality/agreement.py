"""Two annotations of the same documents: what agrees, what differs, and Cohen's kappa.

How mentions are paired, one to one, is said in `corpora.quality.mention_pairing`.

Kappa (Cohen 1960) is the agreement beyond chance, (observed - expected) / (1 - expected): 1 is
perfect, 0 is chance. It is given for words (`statistics.words.WORD_RULE`), each with the label of
the mention on it or none, the longest where there are several; and for the choice of labels, over
the mentions that have the same offsets in both annotations.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.formats.read_errors import DOCUMENT, ReadErrors, skip_or_raise
from spacy_bioner.corpora.quality.consistency import Place, place_of
from spacy_bioner.corpora.quality.mention_pairing import (
    BORDER,
    BOTH,
    EQUAL,
    LABEL,
    ONLY_A,
    ONLY_B,
    pair_mentions,
)
from spacy_bioner.corpora.statistics.words import RecordView
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

DISAGREEMENTS = (ONLY_A, ONLY_B, LABEL, BORDER, BOTH)
NO_LABEL = ""
Table = Mapping[Tuple[str, str], int]


@dataclass(frozen=True)
class Disagreement:
    """A difference between two annotations.

    kind (str): One of `DISAGREEMENTS`.
    a, b (Optional[Place]): The mentions; None on the side that has none.
    """

    kind: str
    a: Optional[Place]
    b: Optional[Place]


@dataclass
class LabelAgreement:
    """The mentions of one label.

    in_a, in_b (int): Different mentions on either side.
    strict (int): Of these, equal ones.
    relaxed (int): Equal ones, and those that overlap one of the same label, one to one.
    """

    in_a: int = 0
    in_b: int = 0
    strict: int = 0
    relaxed: int = 0


@dataclass
class Agreement:
    """What two annotations have in common.

    documents (int): Compared ones.
    only_a, only_b (List[str]): Ids of documents that stand on one side only, each as often.
    labels (Dict[str, LabelAgreement]): By label.
    words (Counter[Tuple[str, str]]): Words by their labels in A and B; "" is none.
    choices (Counter[Tuple[str, str]]): Mentions at the same offsets, by their labels in A and B.
    disagreements (List[Disagreement]): In the order of A's documents.
    """

    documents: int = 0
    only_a: List[str] = field(default_factory=list)
    only_b: List[str] = field(default_factory=list)
    labels: Dict[str, LabelAgreement] = field(default_factory=dict)
    words: Counter[Tuple[str, str]] = field(default_factory=Counter)
    choices: Counter[Tuple[str, str]] = field(default_factory=Counter)
    disagreements: List[Disagreement] = field(default_factory=list)

    def total(self) -> LabelAgreement:
        """Return the numbers of all labels together."""
        rows = self.labels.values()
        return LabelAgreement(
            sum(row.in_a for row in rows),
            sum(row.in_b for row in rows),
            sum(row.strict for row in rows),
            sum(row.relaxed for row in rows),
        )

    def count_kinds(self) -> Dict[str, int]:
        """Count the disagreements by kind."""
        counts = Counter(item.kind for item in self.disagreements)
        return {kind: counts[kind] for kind in DISAGREEMENTS}

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data; kappa of words also by label, against all others."""
        words = {label: cohen_kappa(one_against_rest(self.words, label)) for label in self.labels}
        return {
            "documents": self.documents,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "total": asdict(self.total()),
            "labels": {label: asdict(row) for label, row in sorted(self.labels.items())},
            "kappa_words": cohen_kappa(self.words),
            "kappa_words_by_label": dict(sorted(words.items())),
            "kappa_labels": cohen_kappa(self.choices),
            "words": [[a, b, number] for (a, b), number in sorted(self.words.items())],
            "choices": [[a, b, number] for (a, b), number in sorted(self.choices.items())],
            "kinds": self.count_kinds(),
            "disagreements": [asdict(item) for item in self.disagreements],
        }


def compare_annotations(
    a: Iterable[Record],
    b: Iterable[Record],
    *,
    problems: Optional[ReadErrors] = None,
    path: Optional[PathLike] = None,
) -> Agreement:
    """Compare two annotations of the same documents, which are matched by id.

    Of documents with one id, the first on one side is matched with the first on the other, and so
    on. B is held in memory.

    problems (Optional[ReadErrors]): Takes note of documents whose texts differ, which are left out.
    path (Optional[PathLike]): B's file, for messages.
    RAISES (CorpusError): Texts that differ; no document in common.
    """
    waiting: Dict[str, List[Record]] = defaultdict(list)
    for record in b:
        waiting[record.id].append(record)
    agreement = Agreement()
    for record in a:
        if not waiting.get(record.id):
            agreement.only_a.append(record.id)
            continue
        other = waiting[record.id].pop(0)
        if record.text == other.text:
            _add(agreement, record, other)
        else:
            skip_or_raise(_describe_difference(record, other, path), DOCUMENT, problems)
    agreement.only_b += [record.id for records in waiting.values() for record in records]
    if not agreement.documents:
        message = "found no document that is in both annotations with the same text"
        raise CorpusError(f"{message}; documents are matched by id", path=path)
    return agreement


def cohen_kappa(table: Table) -> Optional[float]:
    """Return Cohen's kappa of a table of (A's choice, B's choice) → number.

    RETURNS (Optional[float]): None for an empty table, and where chance alone would agree always
        because both chose the same one each time.
    """
    total = sum(table.values())
    in_a: Counter[str] = Counter()
    in_b: Counter[str] = Counter()
    for (left, right), number in table.items():
        in_a[left] += number
        in_b[right] += number
    by_chance = sum(in_a[choice] * in_b[choice] for choice in in_a)
    if total * total == by_chance:
        return None
    same = sum(number for (left, right), number in table.items() if left == right)
    return (same * total - by_chance) / (total * total - by_chance)


def one_against_rest(table: Table, choice: str) -> Counter[Tuple[str, str]]:
    """Return the table of one choice against all others together."""
    reduced: Counter[Tuple[str, str]] = Counter()
    for (left, right), number in table.items():
        reduced[str(left == choice), str(right == choice)] += number
    return reduced


def _describe_difference(record: Record, other: Record, path: Optional[PathLike]) -> CorpusError:
    differing = (i for i, pair in enumerate(zip(record.text, other.text)) if pair[0] != pair[1])
    place = next(differing, min(len(record.text), len(other.text)))
    found, expected = other.text[place : place + 30], record.text[place : place + 30]
    message = (
        f"found {found!r} at character {place} of document {record.id}, expected {expected!r} as "
        "in the other annotation; make the texts equal, or leave such documents out with --lenient"
    )
    return CorpusError(message, path=path)


def _add(agreement: Agreement, record: Record, other: Record) -> None:
    agreement.documents += 1
    words = RecordView(replace(record, words=())).words
    agreement.words.update(
        zip(_label_words(words, record.mentions), _label_words(words, other.mentions))
    )
    for kind, one, two in pair_mentions(record.mentions, other.mentions):
        if one:
            agreement.labels.setdefault(one.label, LabelAgreement()).in_a += 1
        if two:
            agreement.labels.setdefault(two.label, LabelAgreement()).in_b += 1
        if one and two and kind in (EQUAL, LABEL):
            agreement.choices[one.label, two.label] += 1
        if one and kind in (EQUAL, BORDER):
            agreement.labels[one.label].strict += kind == EQUAL
            agreement.labels[one.label].relaxed += 1
        if kind != EQUAL:
            left, right = (place_of(record, item) if item else None for item in (one, two))
            agreement.disagreements.append(Disagreement(kind, left, right))


def _label_words(words: Sequence[Tuple[int, int]], mentions: Iterable[Mention]) -> List[str]:
    labels = [NO_LABEL] * len(words)
    starts, ends = [start for start, _ in words], [end for _, end in words]
    # The longest come last, and so win.
    for mention in sorted(mentions, key=lambda m: (m.end_char - m.start_char, m.label)):
        for start, end in mention.pieces:
            for index in range(bisect_right(ends, start), bisect_left(starts, end)):
                labels[index] = mention.label
    return labels
