"""Is one system better than another, or were the test documents kind to it?

Both systems are scored on the same documents. The p-value is that of approximate randomization
(Noreen, 1989; Yeh, 2000): if the systems were alike, exchanging their outputs in any document
would make no odds, so how often does a random exchange give a difference at least as great? The
interval of the difference is a paired percentile bootstrap over documents. Neither knows of
training seeds: two seeds of one system may well differ significantly.
"""

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Sequence

import numpy as np

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import (
    LEVEL,
    N_RESAMPLES,
    Interval,
    check_resampling,
    make_interval,
)
from spacy_bioner.evaluation.bootstrap.resampling import resample, score_sums, swap_at_random
from spacy_bioner.evaluation.scores import SCORE_NAMES, Counts

N_SHUFFLES = 10_000


@dataclass(frozen=True)
class Difference:
    """How a score of the second system differs from that of the first.

    difference (Interval): Second minus first, -1 to 1; None where one of them has no such score.
    p (float): Two-sided; 1.0 where the difference is not defined.
    """

    difference: Interval
    p: float

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {"difference": self.difference.to_json(), "p": self.p}


@dataclass(frozen=True)
class PairedComparison:
    """Two systems on the same documents.

    first, second (Counts): Over all documents.
    n_equal (int): Documents in which both have the same counts.
    """

    first: Counts
    second: Counts
    precision: Difference
    recall: Difference
    f_score: Difference
    n_docs: int
    n_equal: int
    n_resamples: int
    n_shuffles: int
    level: float
    seed: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PairedComparison":
        """Read what `to_json` wrote."""
        read: Dict[str, Any] = dict(data)
        for name in ("first", "second"):
            read[name] = Counts(*(data[name][key] for key in ("tp", "fp", "fn")))
        for name in SCORE_NAMES:
            read[name] = Difference(Interval(**data[name]["difference"]), data[name]["p"])
        return cls(**read)

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            **{name: getattr(self, name).to_json() for name in SCORE_NAMES},
            "n_docs": self.n_docs,
            "n_equal": self.n_equal,
            "n_resamples": self.n_resamples,
            "n_shuffles": self.n_shuffles,
            "level": self.level,
            "seed": self.seed,
        }


def compare_systems(
    first: Sequence[Counts],
    second: Sequence[Counts],
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    n_shuffles: int = N_SHUFFLES,
    level: float = LEVEL,
) -> PairedComparison:
    """Compare two systems that were scored on the same documents, in the same order.

    first, second (Sequence[Counts]): One for each document.
    n_resamples (int): Of the bootstrap.
    n_shuffles (int): Of the randomization; no p-value is below one over this number plus one.
    level (float): Share of the resamples between the ends of an interval.
    RAISES (ConfigError): For different documents or none, and for settings that are none.
    """
    if len(first) != len(second) or not first:
        raise ConfigError(
            f"found {len(first):,} and {len(second):,} documents, expected the same ones of both "
            "systems, at least one"
        )
    if any(left.gold != right.gold for left, right in zip(first, second)):
        raise ConfigError(
            "found other gold mentions of one system than of the other; score both on the same file"
        )
    check_resampling(n_resamples, level)
    if n_shuffles < 1:
        raise ConfigError(f"found {n_shuffles} shuffles, expected 1 or more")
    left, right = _make_table(first), _make_table(second)
    drawn = resample(np.hstack([left, right]), n_resamples=n_resamples, seed=seed)
    shuffled = swap_at_random(left, right, n_resamples=n_shuffles, seed=seed)
    actual = _differ(left.sum(axis=0, keepdims=True), right.sum(axis=0, keepdims=True))
    resampled, exchanged = _differ(drawn[:, :3], drawn[:, 3:]), _differ(*shuffled)
    precision, recall, f_score = (
        Difference(make_interval(value[0], column, level), _p_value(value[0], other))
        for value, column, other in zip(actual, resampled, exchanged)
    )
    return PairedComparison(
        sum(first, Counts()),
        sum(second, Counts()),
        precision,
        recall,
        f_score,
        n_docs=len(first),
        n_equal=sum(one == other for one, other in zip(first, second)),
        n_resamples=n_resamples,
        n_shuffles=n_shuffles,
        level=level,
        seed=seed,
    )


def _make_table(counts: Sequence[Counts]) -> np.ndarray:
    return np.array([(item.tp, item.fp, item.fn) for item in counts], dtype="int64")


def _differ(first: np.ndarray, second: np.ndarray) -> Sequence[np.ndarray]:
    return [after - before for before, after in zip(score_sums(first), score_sums(second))]


def _p_value(actual: float, exchanged: np.ndarray) -> float:
    """Share of exchanges with a difference at least as great, the actual one among them."""
    if np.isnan(actual):
        return 1.0
    defined = exchanged[~np.isnan(exchanged)]
    # Sums in another order differ in their last bits.
    as_great = int((np.abs(defined) >= abs(actual) - 1e-12).sum())
    return (as_great + 1) / (len(defined) + 1)
