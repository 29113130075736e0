"""Bootstrap intervals of the scores of every type and of their averages, from one resampling."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import numpy as np

from spacy_bioner.evaluation.bootstrap.intervals import (
    LEVEL,
    N_RESAMPLES,
    Interval,
    check_resampling,
    make_interval,
)
from spacy_bioner.evaluation.bootstrap.resampling import resample, score_sums
from spacy_bioner.evaluation.matching import Comparison, count_matches
from spacy_bioner.evaluation.scores import SCORE_NAMES

MICRO, MACRO, WEIGHTED = "micro", "macro", "weighted"


@dataclass(frozen=True)
class TypeIntervals:
    """Scores with intervals.

    by_type (Mapping[str, Mapping[str, Interval]]): By label, and "precision", "recall", "f_score".
    averages (Mapping[str, Mapping[str, Interval]]): The same by "micro", "macro" and "weighted".
        A resample has the types that its own gold has.
    """

    by_type: Mapping[str, Mapping[str, Interval]]
    averages: Mapping[str, Mapping[str, Interval]]
    n_docs: int
    n_resamples: int
    level: float
    seed: int

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "averages": {key: _to_json(row) for key, row in self.averages.items()},
            "by_type": {key: _to_json(row) for key, row in self.by_type.items()},
            "n_docs": self.n_docs,
            "n_resamples": self.n_resamples,
            "level": self.level,
            "seed": self.seed,
        }


def count_by_type(comparisons: Iterable[Comparison]) -> Tuple[List[str], np.ndarray]:
    """Count the outcome of each document by label; unannotated documents are left out.

    RETURNS (Tuple[List[str], np.ndarray]): The labels of both sides in alphabetical order, and tp,
        fp, fn; int64, shape (documents, labels, 3).
    """
    counts = [
        count_matches(item.gold, item.predicted) for item in comparisons if item.gold is not None
    ]
    labels = sorted({label for row in counts for label in row})
    places = {label: place for place, label in enumerate(labels)}
    table = np.zeros((len(counts), len(labels), 3), dtype=np.int64)
    for row, by_label in enumerate(counts):
        for label, item in by_label.items():
            table[row, places[label]] = item.tp, item.fp, item.fn
    return labels, table


def bootstrap_types(
    labels: Sequence[str],
    table: np.ndarray,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> TypeIntervals:
    """Return the scores of every type and their averages with bootstrap intervals.

    labels, table: As `count_by_type` gives them.
    RAISES (ConfigError): No resample, or a level that is not between 0 and 1.
    """
    check_resampling(n_resamples, level)
    n_docs, n_labels = table.shape[:2]
    flat = table.reshape(n_docs, n_labels * 3)
    drawn = resample(flat, n_resamples=n_resamples, seed=seed).reshape(n_resamples, n_labels, 3)
    actual = table.sum(axis=0)[None]
    by_type = {
        label: _make_intervals(score_sums(actual[:, place]), score_sums(drawn[:, place]), level)
        for place, label in enumerate(labels)
    }
    averages = {
        name: _make_intervals(average(actual), average(drawn), level)
        for name, average in (
            (MICRO, _micro),
            (MACRO, _macro),
            (WEIGHTED, _weighted),
        )
    }
    return TypeIntervals(by_type, averages, n_docs, n_resamples, level, seed)


def _micro(sums: np.ndarray) -> Sequence[np.ndarray]:
    return score_sums(sums.sum(axis=1))


def _macro(sums: np.ndarray) -> Sequence[np.ndarray]:
    return _average(sums, (_gold(sums) > 0).astype(np.float64))


def _weighted(sums: np.ndarray) -> Sequence[np.ndarray]:
    return _average(sums, _gold(sums).astype(np.float64))


def _gold(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] + sums[..., 2]


def _average(sums: np.ndarray, weights: np.ndarray) -> Sequence[np.ndarray]:
    """Average over the types with gold mentions; a score that is not defined there counts as 0."""
    rows, n_labels = weights.shape
    scores = [
        np.nan_to_num(part).reshape(rows, n_labels) for part in score_sums(sums.reshape(-1, 3))
    ]
    with np.errstate(invalid="ignore"):
        return [(part * weights).sum(axis=1) / weights.sum(axis=1) for part in scores]


def _make_intervals(
    actual: Sequence[np.ndarray], drawn: Sequence[np.ndarray], level: float
) -> Dict[str, Interval]:
    return {
        name: make_interval(value[0], column, level)
        for name, value, column in zip(SCORE_NAMES, actual, drawn)
    }


def _to_json(row: Mapping[str, Interval]) -> Dict[str, Any]:
    return {name: interval.to_json() for name, interval in row.items()}
