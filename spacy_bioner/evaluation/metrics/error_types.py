"""What kind of mistake a wrong or missing mention is.

Mentions that are right are set aside first. What is left is linked where a prediction overlaps a
gold mention, and each group of linked mentions is one mistake, so that a mention is never in two:

- "wrong type": one of each, with the same offsets;
- "too long", "too short", "shifted": one of each, where the prediction holds the gold mention, is
  held by it, or neither;
- "merged": one prediction over several gold mentions; "split": several over one;
- "tangled": several of both;
- "missed" and "spurious": no other is linked to it.

The labels may differ as well in all but the first and the last two.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.gold import MentionKey

WRONG_TYPE, TOO_LONG, TOO_SHORT, SHIFTED = "wrong type", "too long", "too short", "shifted"
MERGED, SPLIT, TANGLED = "merged", "split", "tangled"
MISSED, SPURIOUS = "missed", "spurious"
CLASSES = (
    WRONG_TYPE, TOO_LONG, TOO_SHORT, SHIFTED, MERGED, SPLIT, TANGLED, MISSED, SPURIOUS
)  # fmt: skip


@dataclass(frozen=True)
class Mistake:
    """Gold mentions and predictions that do not fit.

    kind (str): One of `CLASSES`.
    gold, predicted (Tuple[MentionKey, ...]): In the order of the text.
    """

    kind: str
    gold: Tuple[MentionKey, ...]
    predicted: Tuple[MentionKey, ...]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "kind": self.kind,
            "gold": [list(mention) for mention in self.gold],
            "predicted": [list(mention) for mention in self.predicted],
        }


def find_mistakes(comparison: Comparison) -> List[Mistake]:
    """List the mistakes in one document, in the order of the text; none without annotation."""
    if comparison.gold is None:
        return []
    missed, wrong = _set_right_aside(comparison.gold, comparison.predicted)
    mistakes = [_name(gold, predicted) for gold, predicted in _link(missed, wrong)]
    return sorted(mistakes, key=lambda item: min((*item.gold, *item.predicted)))


def count_mistakes(mistakes: Iterable[Mistake]) -> Dict[str, int]:
    """Count mistakes by kind, every kind of `CLASSES` in its order."""
    counts = Counter(mistake.kind for mistake in mistakes)
    return {kind: counts[kind] for kind in CLASSES}


def _set_right_aside(
    gold: Iterable[MentionKey], predicted: Iterable[MentionKey]
) -> Tuple[List[MentionKey], List[MentionKey]]:
    missed, wrong = set(gold), []
    for mention in sorted(predicted):
        if mention in missed:
            missed.remove(mention)
        else:
            wrong.append(mention)
    return sorted(missed), wrong


def _link(
    missed: Sequence[MentionKey], wrong: Sequence[MentionKey]
) -> List[Tuple[List[MentionKey], List[MentionKey]]]:
    """Group mentions that overlap one of the other side, directly or by way of others."""
    nodes = [*missed, *wrong]
    parents = list(range(len(nodes)))

    def find(node: int) -> int:
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    # Mentions by first character: those that may still overlap a later one are kept at hand.
    order = sorted(range(len(nodes)), key=lambda node: nodes[node])
    alive: List[int] = []
    for node in order:
        start, end, _ = nodes[node]
        alive = [other for other in alive if nodes[other][1] > start]
        for other in alive:
            if (other < len(missed)) != (node < len(missed)) and end > start:
                parents[find(other)] = find(node)
        alive.append(node)
    groups: Dict[int, Tuple[List[MentionKey], List[MentionKey]]] = {}
    for node, mention in enumerate(nodes):
        groups.setdefault(find(node), ([], []))[node >= len(missed)].append(mention)
    return list(groups.values())


def _name(gold: List[MentionKey], predicted: List[MentionKey]) -> Mistake:
    return Mistake(_choose(gold, predicted), tuple(gold), tuple(predicted))


def _choose(gold: List[MentionKey], predicted: List[MentionKey]) -> str:
    if not gold or not predicted:
        return MISSED if gold else SPURIOUS
    if len(gold) > 1 or len(predicted) > 1:
        return TANGLED if min(len(gold), len(predicted)) > 1 else MERGED if len(gold) > 1 else SPLIT
    (start, end, _), (found_start, found_end, _) = gold[0], predicted[0]
    if (start, end) == (found_start, found_end):
        return WRONG_TYPE
    if found_start <= start and end <= found_end:
        return TOO_LONG
    return TOO_SHORT if start <= found_start and found_end <= end else SHIFTED
