"""Which label is taken for which: a matrix of gold against predicted labels, with none of both.

Mentions are paired one to one: those with the same offsets and label first, then the same
offsets, then the largest overlap. So a boundary error with the right label stands on the diagonal,
whose sum is not the number of true positives; `n_exact` has that.
"""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import numpy as np

from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.gold import MentionKey

OUTSIDE = "O"


@dataclass(frozen=True)
class Confusion:
    """Counts of pairs of labels.

    labels (Tuple[str, ...]): In alphabetical order, and `OUTSIDE` last.
    matrix (np.ndarray): Gold labels by predicted labels; int64. What nothing was paired with is
        in the last column or row; the last cell is 0, since nobody counts what neither names.
    n_exact (int): Pairs with the same offsets and label.
    """

    labels: Tuple[str, ...]
    matrix: np.ndarray
    n_exact: int

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "labels": list(self.labels),
            "matrix": self.matrix.tolist(),
            "n_exact": self.n_exact,
        }


def confuse(comparisons: Iterable[Comparison]) -> Confusion:
    """Count pairs of labels over documents; those without annotation are left out."""
    pairs: List[Tuple[str, str]] = []
    n_exact = 0
    for item in comparisons:
        if item.gold is not None:
            found, exact = _pair(sorted(set(item.gold)), sorted(item.predicted))
            pairs += found
            n_exact += exact
    labels = (*sorted({label for pair in pairs for label in pair} - {OUTSIDE}), OUTSIDE)
    rows = {label: row for row, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for gold, predicted in pairs:
        matrix[rows[gold], rows[predicted]] += 1
    return Confusion(labels, matrix, n_exact)


def _pair(
    gold: Sequence[MentionKey], predicted: Sequence[MentionKey]
) -> Tuple[List[Tuple[str, str]], int]:
    candidates = sorted(
        (*_closeness(left, right), place, other)
        for place, left in enumerate(gold)
        for other, right in enumerate(predicted)
        if left[0] < right[1] and right[0] < left[1]
    )
    left_over, unused = set(range(len(gold))), set(range(len(predicted)))
    pairs, n_exact = [], 0
    for moved, renamed, _, place, other in candidates:
        if place in left_over and other in unused:
            left_over.remove(place)
            unused.remove(other)
            pairs.append((gold[place][2], predicted[other][2]))
            n_exact += not moved and not renamed
    pairs += [(gold[place][2], OUTSIDE) for place in sorted(left_over)]
    pairs += [(OUTSIDE, predicted[other][2]) for other in sorted(unused)]
    return pairs, n_exact


def _closeness(gold: MentionKey, predicted: MentionKey) -> Tuple[bool, bool, int]:
    """Sort key: other offsets, another label, and the overlap, the largest first."""
    moved = gold[:2] != predicted[:2]
    shared = min(gold[1], predicted[1]) - max(gold[0], predicted[0])
    return moved, gold[2] != predicted[2] and not moved, -shared
