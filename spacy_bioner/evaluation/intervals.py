"""Bootstrap intervals of strict micro scores: documents are resampled, their counts summed anew.

The percentile bootstrap of Efron and Tibshirani (1993), "An Introduction to the Bootstrap", ch. 13.
Documents are the unit because mentions of one document are not independent. It tells how much the
choice of test documents matters, and nothing of seeds.
"""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.matching import (
    Comparison,
    compare_docs,
    count_matches,
    score_mentions,
)
from spacy_bioner.evaluation.pipelines import Pace, run_timed
from spacy_bioner.evaluation.scores import Counts, Scores

N_RESAMPLES = 1000
LEVEL = 0.95
# Weights of resampled documents that are in memory at a time.
_MAX_CELLS = 4_000_000


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
        """Give everything as plain data."""
        return {"value": self.value, "low": self.low, "high": self.high}


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
        """Give everything as plain data."""
        return {
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
            "f_score": self.f_score.to_json(),
            "n_docs": self.n_docs,
            "n_resamples": self.n_resamples,
            "level": self.level,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class DocumentEvaluation:
    """A pipeline's outcome on gold documents, by document.

    counts (Tuple[Counts, ...]): Of each annotated document, all types together.
    """

    scores: Scores
    counts: Tuple[Counts, ...]
    pace: Pace


def evaluate_documents(nlp: Language, gold_docs: Iterable[Doc]) -> DocumentEvaluation:
    """Run a pipeline over the texts of gold documents and count by document what it finds."""
    gold = list(gold_docs)
    predicted, pace = run_timed(nlp, gold)
    comparisons = [compare_docs(left, right) for left, right in zip(gold, predicted)]
    counts = tuple(count_documents(comparisons))
    return DocumentEvaluation(score_mentions(comparisons), counts, pace)


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
    """Give precision, recall and F1 of a set of documents with bootstrap intervals.

    counts (Sequence[Counts]): One for each document; documents without mentions count too.
    level (float): Share of the resamples between the ends of an interval.
    RAISES ConfigError: No resample, or a level that is not between 0 and 1.
    """
    if n_resamples < 1 or not 0 < level < 1:
        message = f"found {n_resamples} resamples at level {level:g}"
        raise ConfigError(f"{message}, expected 1 or more and a level between 0 and 1")
    table = np.array([(item.tp, item.fp, item.fn) for item in counts], dtype="int64")
    table = table.reshape(len(counts), 3)
    sums = _resample(table, np.random.default_rng(seed), n_resamples)
    total = table.sum(axis=0, keepdims=True)
    tail = 50.0 * (1.0 - level)
    intervals = []
    for actual, resampled in zip(_score(total), _score(sums)):
        defined = resampled[~np.isnan(resampled)]
        if np.isnan(actual[0]) or not len(defined):
            intervals.append(Interval(None, None, None))
            continue
        low, high = np.percentile(defined, [tail, 100.0 - tail])
        intervals.append(Interval(float(actual[0]), float(low), float(high)))
    precision, recall, f_score = intervals
    return ScoreIntervals(precision, recall, f_score, len(counts), n_resamples, level, seed)


def _resample(table: np.ndarray, rng: np.random.Generator, n_resamples: int) -> np.ndarray:
    """Sum the counts of as many documents as there are, drawn with replacement, (resamples, 3)."""
    n_docs = len(table)
    if not n_docs:
        return np.zeros((n_resamples, 3), dtype="int64")
    size = max(1, _MAX_CELLS // n_docs)
    sums = []
    for start in range(0, n_resamples, size):
        rows = min(size, n_resamples - start)
        drawn = rng.integers(n_docs, size=(rows, n_docs))
        drawn += n_docs * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * n_docs).reshape(rows, n_docs)
        sums.append(weights @ table)
    return np.concatenate(sums)


def _score(sums: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give precision, recall and F1 of rows of tp, fp, fn; NaN where `Counts` gives None."""
    tp, fp, fn = sums.T.astype("float64")
    with np.errstate(invalid="ignore"):
        return tp / (tp + fp), tp / (tp + fn), 2 * tp / (2 * tp + fp + fn)
