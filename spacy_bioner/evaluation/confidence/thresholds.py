"""What is won and lost by leaving predictions below a confidence out."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.confidence.predictions import Judged
from spacy_bioner.evaluation.scores import Counts

MEASURES = ("precision", "recall")


@dataclass(frozen=True)
class ScoreTarget:
    """What a threshold is to reach.

    measure (str): "precision" or "recall".
    least (float): Above 0, and at most 1.
    """

    measure: str
    least: float

    def __str__(self) -> str:
        return f"{self.measure}={self.least:g}"

    def get(self, counts: Counts) -> float:
        """Return what some counts reach; 0 where it is not defined."""
        return (counts.precision if self.measure == MEASURES[0] else counts.recall) or 0.0


def parse_target(text: str) -> ScoreTarget:
    """Read a target such as "precision=0.95".

    RAISES (ConfigError): Another measure, and no number above 0 that is at most 1.
    """
    measure, _, number = text.partition("=")
    try:
        least = float(number)
    except ValueError:
        least = 0.0
    if measure not in MEASURES or not 0 < least <= 1:
        raise ConfigError(
            f"found the target {text!r}, expected precision or recall and a number above 0 and at "
            "most 1, such as precision=0.95"
        )
    return ScoreTarget(measure, least)


@dataclass(frozen=True)
class Point:
    """Strict counts of the predictions with at least some confidence."""

    threshold: float
    counts: Counts


@dataclass(frozen=True)
class Sweep:
    """The precision/recall curve of one label, or of all together.

    Predictions without a confidence are kept at every threshold, as `bioner_confidence` does, and
    rank before the others.

    label (Optional[str]): None for all together.
    points (Tuple[Point, ...]): By rising threshold, one for each confidence that occurs; the first
        is 0.0 and takes all.
    average_precision (Optional[float]): The area under the curve as the sum of precision times
        gain in recall; None without gold. It ends where the system's own predictions do, so it is
        at most the recall.
    """

    label: Optional[str]
    points: Tuple[Point, ...]
    average_precision: Optional[float]

    def best(self) -> Point:
        """Return the point with the greatest F1, of equal ones the lowest threshold."""
        return max(self.points, key=lambda point: (point.counts.f_score or 0.0, -point.threshold))

    def reach(self, target: ScoreTarget) -> Point:
        """Return the point that reaches a target and gives up least of the other measure, of equal
        ones the lowest threshold; where none reaches it, the one that comes nearest."""
        other = ScoreTarget(MEASURES[target.measure == MEASURES[0]], 1.0)
        reached = [point for point in self.points if target.get(point.counts) >= target.least]
        if reached:
            return max(reached, key=lambda point: (other.get(point.counts), -point.threshold))
        return max(
            self.points,
            key=lambda point: (target.get(point.counts), other.get(point.counts), -point.threshold),
        )

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "label": self.label,
            "average_precision": self.average_precision,
            "gold": self.points[0].counts.gold,
            # Threshold, right, wrong: there may be thousands.
            "points": [[round(p.threshold, 6), p.counts.tp, p.counts.fp] for p in self.points],
        }


def sweep(judged: Judged, label: Optional[str] = None) -> Sweep:
    """Count what is right at each threshold.

    label (Optional[str]): Of the predictions; None takes all.
    """
    chosen = judged if label is None else judged.select(label)
    kept_tp = sum(right for right, _ in chosen.without.values())
    kept_fp = sum(wrong for _, wrong in chosen.without.values())
    n_gold = sum(chosen.gold.values())
    order, last = chosen.rank()
    values = chosen.confidences[order]
    tp = kept_tp + np.cumsum(chosen.right[order])
    points: List[Point] = []
    all_kept = Counts(kept_tp, kept_fp, n_gold - kept_tp)
    recall = all_kept.recall or 0.0
    area = (all_kept.precision or 0.0) * recall
    for place in last:
        n_kept = kept_tp + kept_fp + int(place) + 1
        counts = Counts(int(tp[place]), n_kept - int(tp[place]), n_gold - int(tp[place]))
        points.append(Point(float(values[place]), counts))
        area += (counts.precision or 0.0) * ((counts.recall or 0.0) - recall)
        recall = counts.recall or 0.0
    all_kept = points[-1].counts if points else all_kept
    first = Point(0.0, all_kept)
    rest = [point for point in reversed(points) if point.threshold > 0.0]
    return Sweep(label, (first, *rest), area if n_gold else None)


def choose_thresholds(
    judged: Judged, *, target: Optional[ScoreTarget] = None, overall: bool = False
) -> Dict[Optional[str], float]:
    """Choose a threshold for each label, as found on these predictions.

    They belong on dev: on the test set they would be chosen by what they are to be judged by.
    target (Optional[ScoreTarget]): What they are to reach; None for the greatest F1.
    overall (bool): One threshold for all labels together.
    RETURNS (Dict[Optional[str], float]): By label; None for all labels together.
    """
    labels: List[Optional[str]] = [None] if overall else [*sorted({*judged.labels, *judged.gold})]
    curves = {label: sweep(judged, label) for label in labels}
    return {
        label: (curve.best() if target is None else curve.reach(target)).threshold
        for label, curve in curves.items()
    }
