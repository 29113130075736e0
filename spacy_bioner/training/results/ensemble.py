"""An ensemble beside its members: how each did on dev, the weights, and what to use."""

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

import numpy as np

from spacy_bioner.evaluation.bootstrap.intervals import ScoreIntervals
from spacy_bioner.evaluation.scores import Scores

AVERAGE, STACKED = "average", "stacked"


@dataclass(frozen=True)
class JudgedSystem:
    """A member or a way to combine them, on dev.

    intervals (ScoreIntervals): From resampled documents.
    nats (float): Mean negative log-likelihood of the gold tags, per token of which one is known.
    """

    name: str
    scores: Scores
    intervals: ScoreIntervals
    nats: float

    @property
    def f_score(self) -> float:
        """Strict micro F1; 0 where it is not defined."""
        return self.scores.micro.f_score or 0.0

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "scores": self.scores.to_json(),
            "intervals": self.intervals.to_json(),
            "nats_per_token": self.nats,
        }


@dataclass(frozen=True)
class EnsembleOutcome:
    """What was combined, how each did on dev, and what was chosen.

    members (Tuple[JudgedSystem, ...]): In the order given, each by its own decoding.
    stacked (JudgedSystem): With weights learned on the same documents: flattered.
    cross_fitted (JudgedSystem): With weights learned on the other folds: what counts.
    chosen (str): "average" or "stacked".
    weights (Mapping[str, np.ndarray]): Of "average" and "stacked"; shape (members, tags).
    settings (Mapping[str, Any]): What was asked for.
    """

    sources: Tuple[str, ...]
    tags: Tuple[str, ...]
    members: Tuple[JudgedSystem, ...]
    average: JudgedSystem
    stacked: JudgedSystem
    cross_fitted: JudgedSystem
    chosen: str
    weights: Mapping[str, np.ndarray]
    settings: Mapping[str, Any]

    @property
    def counted(self) -> JudgedSystem:
        """The chosen one, as it counts."""
        return self.average if self.chosen == AVERAGE else self.cross_fitted

    @property
    def best(self) -> int:
        """The index of the best member by F1, the first of equal ones."""
        return max(range(len(self.members)), key=lambda index: self.members[index].f_score)

    @property
    def is_below(self) -> bool:
        """Whether the chosen ensemble has a lower F1 on dev than its best member."""
        return self.counted.f_score < self.members[self.best].f_score

    @property
    def verdict(self) -> str:
        """Say in a sentence what to use."""
        best = self.members[self.best]
        gain = 100 * (self.counted.f_score - best.f_score)
        about = f"{self.counted.name}: F1 {100 * self.counted.f_score:.2f} on dev"
        if self.is_below:
            return (
                f"BELOW ITS BEST MEMBER: {about}, {-gain:.2f} points less than member {best.name} "
                f"({100 * best.f_score:.2f}); use that member instead: {self.sources[self.best]}"
            )
        return f"{about}, {gain:+.2f} points beside the best member, {best.name}"

    def to_json(self) -> Dict[str, Any]:
        """Return all numbers as plain data."""
        weights = {
            name: [[round(float(value), 6) for value in row] for row in rows]
            for name, rows in self.weights.items()
        }
        return {
            "chosen": self.chosen,
            "below_best_member": self.is_below,
            "verdict": self.verdict,
            "best_member": self.sources[self.best],
            "settings": dict(self.settings),
            "tags": list(self.tags),
            "weights": weights,
            "members": [
                {"source": source, **judged.to_json()}
                for source, judged in zip(self.sources, self.members)
            ],
            "average": self.average.to_json(),
            "stacked": {
                "in_sample": self.stacked.to_json(),
                "cross_fitted": self.cross_fitted.to_json(),
            },
        }
