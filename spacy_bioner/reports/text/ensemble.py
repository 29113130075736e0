"""An ensemble beside its members: one table, the weights, and what to use."""

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

import numpy as np

from spacy_bioner.evaluation.bootstrap.intervals import ScoreIntervals
from spacy_bioner.evaluation.scores import Scores
from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.tables import render_table

AVERAGE, STACKED = "average", "stacked"
HEADER = ("dev", "precision", "recall", "F1", "95 %", "tp", "fp", "fn", "nats/token")


@dataclass(frozen=True)
class Judged:
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
        """Give everything as plain data."""
        return {
            "name": self.name,
            "scores": self.scores.to_json(),
            "intervals": self.intervals.to_json(),
            "nats_per_token": self.nats,
        }


@dataclass(frozen=True)
class EnsembleOutcome:
    """What was combined, how each did on dev, and what was chosen.

    members (Tuple[Judged, ...]): In the order given, each by its own decoding.
    stacked (Judged): With weights learned on the same documents: flattered.
    cross_fitted (Judged): With weights learned on the other folds: what counts.
    chosen (str): "average" or "stacked".
    weights (Mapping[str, np.ndarray]): Of "average" and "stacked"; shape (members, tags).
    settings (Mapping[str, Any]): What was asked for.
    """

    sources: Tuple[str, ...]
    tags: Tuple[str, ...]
    members: Tuple[Judged, ...]
    average: Judged
    stacked: Judged
    cross_fitted: Judged
    chosen: str
    weights: Mapping[str, np.ndarray]
    settings: Mapping[str, Any]

    @property
    def counted(self) -> Judged:
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
        """Give all numbers as plain data."""
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


def render_ensemble(outcome: EnsembleOutcome) -> str:
    """Render members and ensembles as one table, with the learned weights and the verdict."""
    combined = (outcome.average, outcome.stacked, outcome.cross_fitted)
    rows = [_row(judged) for judged in (*outcome.members, *combined)]
    learned = outcome.weights[STACKED]
    is_per_tag = bool((learned != learned[:, :1]).any())
    heads = outcome.tags if is_per_tag else ("all tags",)
    shares = [
        [judged.name, *(f"{value:.3f}" for value in own[: len(heads)])]
        for judged, own in zip(outcome.members, learned)
    ]
    first = outcome.average.scores
    return "\n".join(
        [
            f"strict match of offsets and label · {first.n_docs:,} documents, "
            f"{first.micro.gold:,} mentions",
            "",
            render_table(HEADER, rows, right=range(1, len(HEADER))),
            "",
            "Stacked weights are learned on dev. Cross-fitted, each of "
            f"{outcome.settings['folds']} folds is tagged by weights",
            "learned on the others: that row counts, the one in sample flatters.",
            "",
            render_table(("weights", *heads), shares, right=range(1, len(heads) + 1)),
            "",
            outcome.verdict,
        ]
    )


def _row(judged: Judged) -> List[str]:
    counts, spread = judged.scores.micro, judged.intervals.f_score
    shares = (counts.precision, counts.recall, counts.f_score)
    interval = f"{format_percent(spread.low)} – {format_percent(spread.high)}"
    integers = (counts.tp, counts.fp, counts.fn)
    return [
        judged.name,
        *map(format_percent, shares),
        interval,
        *(f"{n:,}" for n in integers),
        f"{judged.nats:.4f}",
    ]
