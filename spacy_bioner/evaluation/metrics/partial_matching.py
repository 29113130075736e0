"""The four ways of SemEval-2013 task 9 (Segura-Bedmar and others) to count a partial match.

"strict" wants offsets and label, "exact" the offsets alone, "type" some overlap and the label,
"partial" some overlap, which counts half. Figures are those of nervaluate, mention by mention:
predictions are taken in the order of the text, each meets at most one gold mention, and some
overlap is at least a hundredth of the gold mention.

Read them beside the strict scores of `matching`, not in their place: half a drug name is no drug.
"""

from bisect import bisect_left
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.scores import SchemeCounts
from spacy_bioner.gold import MentionKey

SCHEMES = ("strict", "exact", "partial", "type")
LEAST_OVERLAP = 0.01
CORRECT, INCORRECT, PARTIAL, SPURIOUS = "correct", "incorrect", "partial", "spurious"


def count_schemes(
    gold: Iterable[MentionKey], predicted: Iterable[MentionKey]
) -> Dict[str, SchemeCounts]:
    """Count one text's mentions in each of the four ways.

    RETURNS (Dict[str, SchemeCounts]): By the names in `SCHEMES`.
    """
    # A gold mention that is listed twice is one; a prediction made twice is wrong once.
    ordered = _GoldMentions(sorted(set(gold)))
    found = sorted(predicted)
    return {scheme: _count(ordered, found, scheme) for scheme in SCHEMES}


def score_schemes(
    comparisons: Iterable[Comparison],
) -> Tuple[Dict[str, SchemeCounts], Dict[str, Dict[str, SchemeCounts]]]:
    """Count a set of documents; those without annotation are left out.

    RETURNS (Tuple[Dict[str, SchemeCounts], Dict[str, Dict[str, SchemeCounts]]]): By scheme over
        all labels, and by label and scheme. A label is counted as if there were no other, so a
        prediction with the wrong label is incorrect in the first and spurious in the second.
    """
    compared = [item for item in comparisons if item.gold is not None]
    documents = (count_schemes(item.gold or (), item.predicted) for item in compared)
    by_type = (count_schemes_by_type(item) for item in compared)
    return sum_schemes(documents), sum_schemes_by_type(by_type)


def sum_schemes(documents: Iterable[Mapping[str, SchemeCounts]]) -> Dict[str, SchemeCounts]:
    """Add up what `count_schemes` gave for documents."""
    total = {scheme: SchemeCounts() for scheme in SCHEMES}
    for counts in documents:
        total = _add(total, counts)
    return total


def count_schemes_by_type(compared: Comparison) -> Dict[str, Dict[str, SchemeCounts]]:
    """Count each label of a document as if there were no other."""
    gold = compared.gold or ()
    return {
        label: count_schemes(
            [mention for mention in gold if mention[2] == label],
            [mention for mention in compared.predicted if mention[2] == label],
        )
        for label in {mention[2] for mention in (*gold, *compared.predicted)}
    }


def sum_schemes_by_type(
    documents: Iterable[Mapping[str, Mapping[str, SchemeCounts]]],
) -> Dict[str, Dict[str, SchemeCounts]]:
    """Add up what `count_schemes_by_type` gave for documents; labels in alphabetical order."""
    by_type: Dict[str, Dict[str, SchemeCounts]] = {}
    for document in documents:
        for label, alone in document.items():
            by_type[label] = _add(by_type.get(label, {}), alone)
    return dict(sorted(by_type.items()))


def _add(
    left: Mapping[str, SchemeCounts], right: Mapping[str, SchemeCounts]
) -> Dict[str, SchemeCounts]:
    return {scheme: left.get(scheme, SchemeCounts()) + right[scheme] for scheme in SCHEMES}


class _GoldMentions:
    """Finds the gold mentions that a prediction overlaps, in the order of the text."""

    def __init__(self, mentions: Sequence[MentionKey]) -> None:
        self.mentions = mentions
        self.starts = [start for start, _, _ in mentions]
        self.longest = max((end - start for start, end, _ in mentions), default=0)

    def overlapping(self, start: int, end: int) -> Iterable[int]:
        first = bisect_left(self.starts, start - self.longest)
        for place in range(first, bisect_left(self.starts, end)):
            gold_start, gold_end, _ = self.mentions[place]
            shared = min(end, gold_end) - max(start, gold_start)
            if shared > 0 and shared >= LEAST_OVERLAP * (gold_end - gold_start):
                yield place


def _count(gold: _GoldMentions, predicted: Sequence[MentionKey], scheme: str) -> SchemeCounts:
    outcomes: Dict[str, int] = dict.fromkeys((CORRECT, INCORRECT, PARTIAL, SPURIOUS), 0)
    met: Set[int] = set()
    for mention in predicted:
        outcome, place = _meet(gold, mention, met, scheme)
        outcomes[outcome] += 1
        if place is not None:
            met.add(place)
    return SchemeCounts(missed=len(gold.mentions) - len(met), **outcomes)


def _meet(
    gold: _GoldMentions, mention: MentionKey, met: Set[int], scheme: str
) -> Tuple[str, Optional[int]]:
    """Return what a prediction counts as, and the gold mention that it uses up."""
    start, end, label = mention
    best: Optional[Tuple[Any, int]] = None
    other: Optional[int] = None
    for place in gold.overlapping(start, end):
        if place in met:
            continue
        gold_start, gold_end, gold_label = gold.mentions[place]
        distance = abs(start - gold_start) + abs(end - gold_end)
        if _is_right(scheme, distance, label == gold_label):
            if best is None or distance < best[0]:
                best = (distance, place)
        elif other is None:
            other = place
    if best is not None:
        return CORRECT, best[1]
    if other is None:
        return SPURIOUS, None
    return (PARTIAL if scheme == "partial" else INCORRECT), other


def _is_right(scheme: str, distance: int, same_label: bool) -> bool:
    if scheme == "type":
        return same_label
    return distance == 0 and (same_label or scheme != "strict")


def list_schemes(counts: Mapping[str, SchemeCounts]) -> List[Dict[str, Any]]:
    """Return the counts as rows of plain data, in the order of `SCHEMES`."""
    return [{"scheme": scheme, **counts[scheme].to_json()} for scheme in SCHEMES]
