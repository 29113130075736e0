"""Predictions with confidences, and whether they were right: for calibration and thresholds."""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from spacy_bioner.errors import ConfigError
from spacy_bioner.gold import MentionKey


@dataclass(frozen=True)
class ScoredDocument:
    """One document's gold mentions and predictions, with the confidence of each.

    gold (Sequence[MentionKey]): As the corpus lists them.
    predicted (Sequence[MentionKey]): As the system gives them.
    confidences (Sequence[Optional[float]]): One for each prediction, 0 to 1; None where its source
        gives none.
    """

    gold: Sequence[MentionKey]
    predicted: Sequence[MentionKey]
    confidences: Sequence[Optional[float]]


@dataclass(frozen=True)
class Judged:
    """Predictions of a set of documents, strictly matched.

    labels (Tuple[str, ...]): Of each prediction.
    confidences (np.ndarray): Float64, shape (predictions,).
    right (np.ndarray): Whether each has the offsets and the label of a gold mention; bool.
    documents (np.ndarray): The document of each; int64.
    gold (Dict[str, int]): Gold mentions by label.
    n_docs (int): Documents.
    without (Dict[str, Tuple[int, int]]): Predictions without a confidence, which no threshold
        leaves out: right and wrong ones by label. They are in none of the arrays.
    """

    labels: Tuple[str, ...]
    confidences: np.ndarray
    right: np.ndarray
    documents: np.ndarray
    gold: Dict[str, int]
    n_docs: int
    without: Dict[str, Tuple[int, int]]

    @property
    def n_without(self) -> int:
        """Predictions without a confidence."""
        return sum(right + wrong for right, wrong in self.without.values())

    def rank(self) -> Tuple[np.ndarray, np.ndarray]:
        """Order the predictions by falling confidence.

        RETURNS (Tuple[np.ndarray, np.ndarray]): Their places in this order, and where in it the
            last of equal confidences stands: only there have counts all of them. Int64.
        """
        order = np.argsort(-self.confidences, kind="stable")
        values = self.confidences[order]
        last = np.append(values[1:] != values[:-1], [True] * (len(values) > 0))
        return order, np.flatnonzero(last)

    def select(self, label: str) -> "Judged":
        """Return the predictions and gold mentions of one label."""
        chosen = np.array([name == label for name in self.labels], dtype=bool)
        return Judged(
            tuple(name for name in self.labels if name == label),
            self.confidences[chosen],
            self.right[chosen],
            self.documents[chosen],
            {label: self.gold.get(label, 0)},
            self.n_docs,
            {label: self.without[label]} if label in self.without else {},
        )


def judge(documents: Iterable[ScoredDocument]) -> Judged:
    """Match predictions strictly; the second of two equal predictions is wrong.

    RAISES (ConfigError): Where no prediction has a confidence, and for one outside of 0 to 1.
    """
    labels: List[str] = []
    values: List[float] = []
    right: List[bool] = []
    places: List[int] = []
    gold: Dict[str, int] = {}
    without: Dict[str, Tuple[int, int]] = {}
    n_docs = 0
    for place, document in enumerate(documents):
        n_docs += 1
        missed = set(document.gold)
        for _, _, label in missed:
            gold[label] = gold.get(label, 0) + 1
        for mention, confidence in zip(document.predicted, document.confidences, strict=True):
            is_right = mention in missed
            missed.discard(mention)
            if confidence is None:
                n_right, n_wrong = without.get(mention[2], (0, 0))
                without[mention[2]] = (n_right + is_right, n_wrong + (not is_right))
                continue
            labels.append(mention[2])
            values.append(confidence)
            right.append(is_right)
            places.append(place)
    if without and not values:
        number = sum(map(sum, without.values()))
        raise ConfigError(
            f"found {number:,} predictions without a confidence: rules and gazetteers give none. "
            "Evaluate a pipeline with a trained component"
        )
    confidences = np.array(values, dtype=np.float64)
    if len(confidences) and not (confidences.min() >= 0 and confidences.max() <= 1):
        wrong = next(value for value in values if not 0 <= value <= 1)
        raise ConfigError(f"found the confidence {wrong}, expected 0 to 1")
    return Judged(
        tuple(labels),
        confidences,
        np.array(right, dtype=bool),
        np.array(places, dtype=np.int64),
        gold,
        n_docs,
        without,
    )
