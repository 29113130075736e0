"""What is won and lost by leaving predictions below a confidence out."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from spacy_bioner.evaluation.confidence.predictions import Judged
from spacy_bioner.evaluation.scores import Counts


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


def choose_thresholds(judged: Judged) -> Dict[str, float]:
    """Return the threshold with the greatest F1 for each label, as found on these predictions.

    They belong on dev: on the test set they would be chosen by what they are to be judged by.
    """
    labels = sorted({*judged.labels, *judged.gold})
    return {label: sweep(judged, label).best().threshold for label in labels}
