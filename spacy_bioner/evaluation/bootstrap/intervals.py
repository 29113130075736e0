"""Bootstrap intervals of strict micro scores: documents are resampled, their counts summed anew.

The percentile bootstrap of Efron and Tibshirani (1993), "An Introduction to the Bootstrap", ch. 13.
Documents are the unit because mentions of one document are not independent. It tells how much the
choice of test documents matters, and nothing of seeds.
"""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence

import numpy as np

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.resampling import resample, score_sums
from spacy_bioner.evaluation.matching import Comparison, count_matches
from spacy_bioner.evaluation.scores import Counts

N_RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A score with its bootstrap interval; all None where the score is not defined.

    value (Optional[float]): Of the documents as they are, 0 to 1.
    low (Optional[float]): From the resamples in which the score is defined.
    """

    value: Optional[float]
    low: Optional[float]
    high: Optional[float]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {"value": self.value, "low": self.low, "high": self.high}


def make_interval(value: float, resampled: np.ndarray, level: float = LEVEL) -> Interval:
    """Put a value between the percentiles of its resamples; NaN stands for what is not defined."""
    defined = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(defined):
        return Interval(None, None, None)
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(defined, [tail, 100.0 - tail])
    return Interval(float(value), float(low), float(high))


@dataclass(frozen=True)
class ScoreIntervals:
    """Strict micro scores with intervals, and how these were made."""

    precision: Interval
    recall: Interval
    f_score: Interval
    n_docs: int
    n_resamples: int
    level: float
    seed: int

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
            "f_score": self.f_score.to_json(),
            "n_docs": self.n_docs,
            "n_resamples": self.n_resamples,
            "level": self.level,
            "seed": self.seed,
        }


def check_resampling(n_resamples: int, level: float) -> None:
    """Check the settings of a bootstrap.

    RAISES (ConfigError): No resample, or a level that is not between 0 and 1.
    """
    if n_resamples < 1 or not 0 < level < 1:
        message = f"found {n_resamples} resamples at level {level:g}"
        raise ConfigError(f"{message}, expected 1 or more and a level between 0 and 1")


def count_documents(comparisons: Iterable[Comparison]) -> List[Counts]:
    """Count the outcome of each document, all types together; unannotated ones are left out."""
    return [
        sum(count_matches(item.gold, item.predicted).values(), Counts())
        for item in comparisons
        if item.gold is not None
    ]


def bootstrap_scores(
    counts: Sequence[Counts],
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> ScoreIntervals:
    """Return precision, recall and F1 of a set of documents with bootstrap intervals.

    counts (Sequence[Counts]): One for each document; documents without mentions count too.
    level (float): Share of the resamples between the ends of an interval.
    RAISES (ConfigError): No resample, or a level that is not between 0 and 1.
    """
    check_resampling(n_resamples, level)
    table = np.array([(item.tp, item.fp, item.fn) for item in counts], dtype="int64")
    table = table.reshape(len(counts), 3)
    sums = resample(table, n_resamples=n_resamples, seed=seed)
    total = table.sum(axis=0, keepdims=True)
    pairs = zip(score_sums(total), score_sums(sums))
    precision, recall, f_score = (make_interval(value[0], drawn, level) for value, drawn in pairs)
    return ScoreIntervals(precision, recall, f_score, len(counts), n_resamples, level, seed)
