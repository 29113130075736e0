"""Terms of a table on documents: which fire wrongly, and what another table changes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import tokenized_text
from spacy_bioner.knowledge.matcher import TermMatcher, longest
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR, Term
from spacy_bioner.records import Record

SpanKey = Tuple[int, int, str]
NameKey = Tuple[str, str]
EntityKind = Tuple[str, str]
RIGHT, BOUNDARY, LABEL, NOWHERE = "right", "boundary", "label", "nowhere"


@dataclass(frozen=True)
class TermCounts:
    """How often a term fires, and what stands there in the gold.

    right (int): A mention with this start, end and label.
    boundary (int): One of this label that only overlaps.
    other_label (int): One of another label.
    nowhere (int): No mention.
    example (str): The first document in which it fires wrongly, and the text around it.
    """

    name: str
    label: str
    right: int
    boundary: int
    other_label: int
    nowhere: int
    example: str = ""

    @property
    def wrong(self) -> int:
        """How often it fires where it should not."""
        return self.boundary + self.other_label + self.nowhere

    @property
    def precision(self) -> float:
        """The part of its occurrences that are right."""
        return self.right / (self.right + self.wrong)


@dataclass(frozen=True)
class Blame:
    """What the terms of a table do on gold documents.

    right (int): Entities that are gold mentions, of `found` entities.
    gold (int): Gold mentions of labels that the table has.
    unjudged (Mapping[str, int]): Entities of labels that the corpus does not annotate, by label.
    terms (Sequence[TermCounts]): Those that fire wrongly, the worst first.
    suppressed (Sequence[TermCounts]): Of these, those that are proposed to be left out.
    proved (Sequence[TermCounts]): Those that are right where they fire, but for as many wrong as
        are let pass.
    """

    documents: int
    found: int
    right: int
    gold: int
    unjudged: Mapping[str, int]
    terms: Sequence[TermCounts]
    suppressed: Sequence[TermCounts]
    proved: Sequence[TermCounts] = ()


@dataclass
class TableChanges:
    """Entities of two tables on the same texts.

    n_terms (Tuple[int, int]): Terms of the first and the second.
    same (int): Found by both, with the same ids.
    gone (Counter[EntityKind]): Found by the first only, by text and label.
    new (Counter[EntityKind]): Found by the second only.
    other_ids (Counter[Tuple[str, str, str, str]]): Text, label, ids of the first and the second.
    """

    n_terms: Tuple[int, int]
    documents: int = 0
    left_out: int = 0
    same: int = 0
    gone: "Counter[EntityKind]" = field(default_factory=Counter)
    new: "Counter[EntityKind]" = field(default_factory=Counter)
    other_ids: "Counter[Tuple[str, str, str, str]]" = field(default_factory=Counter)

    def compare(
        self, text: str, old: Mapping[SpanKey, List[Term]], new: Mapping[SpanKey, List[Term]]
    ) -> None:
        """Count what is found in a document by both tables; see `find_spans`."""
        self.documents += 1
        for key in old.keys() | new.keys():
            start, end, label = key
            entity = (text[start:end], label)
            if key not in new:
                self.gone[entity] += 1
            elif key not in old:
                self.new[entity] += 1
            elif (ids := _join_ids(old[key])) != (other := _join_ids(new[key])):
                self.other_ids[(*entity, ids, other)] += 1
            else:
                self.same += 1


class TermTally:
    """Counts what terms do on gold documents."""

    def __init__(self) -> None:
        self.documents = 0
        self.gold: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self._outcomes: Dict[NameKey, Counter[str]] = {}
        self._examples: Dict[NameKey, str] = {}

    def add(self, record: Record, spans: Mapping[SpanKey, Sequence[Term]]) -> None:
        """Take a document in."""
        self.documents += 1
        gold = {
            (mention.start_char, mention.end_char, mention.label)
            for mention in record.mentions
            # A gazetteer finds no mention in several parts.
            if not mention.fragments
        }
        self.gold.update(label for _, _, label in gold)
        for span, terms in spans.items():
            outcome = _judge(span, gold)
            self.found[span[2]] += 1
            self.right[span[2]] += outcome == RIGHT
            for name in {_show_name(term) for term in terms}:
                self._outcomes.setdefault((name, span[2]), Counter())[outcome] += 1
                if outcome != RIGHT:
                    self._examples.setdefault((name, span[2]), _quote(record, span))

    def list_terms(self) -> List[TermCounts]:
        """Return the counts of all terms that fired."""
        return [
            TermCounts(
                *key,
                counts[RIGHT],
                counts[BOUNDARY],
                counts[LABEL],
                counts[NOWHERE],
                self._examples.get(key, ""),
            )
            for key, counts in self._outcomes.items()
        ]


def find_spans(matcher: TermMatcher, doc: Doc) -> Dict[SpanKey, List[Term]]:
    """Find the terms in a Doc as a gazetteer does, by characters and label, the longest only."""
    text = tokenized_text(doc)
    _, starts, ends = text
    found: Dict[SpanKey, List[Term]] = {}
    for match in longest(matcher.find(*text)):
        term = matcher.table[match.term_index]
        key = int(starts[match.start]), int(ends[match.end - 1]), term.label
        found.setdefault(key, []).append(term)
    return found


def _judge(span: SpanKey, gold: Set[SpanKey]) -> str:
    start, end, label = span
    if span in gold:
        return RIGHT
    labels = {other for first, last, other in gold if first < end and start < last}
    if label in labels:
        return BOUNDARY
    return LABEL if labels else NOWHERE


def _quote(record: Record, span: SpanKey, *, width: int = 30) -> str:
    start, end, _ = span
    around = record.text[max(0, start - width) : end + width]
    return f"{record.id}: {' '.join(around.split())}"


def _show_name(term: Term) -> str:
    """Return a name as it is read, also one that is kept as tokens."""
    return term.name.replace(TOKEN_SEPARATOR, " ")


def _join_ids(terms: Sequence[Term]) -> str:
    return "|".join(sorted({term.id for term in terms if term.id}))
