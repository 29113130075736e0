"""Distributions of lengths, streamed: what is kept grows only with the number of different lengths.

Outliers are lengths beyond Tukey's far fences, 3 interquartile ranges outside the quartiles
(J. W. Tukey, Exploratory Data Analysis, 1977). Lengths are whole numbers, so a range below 1
counts as 1: otherwise every mention of two words would be an outlier where most have one.
"""

import heapq
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import List, Optional, Tuple

NAMED_OUTLIERS = 20
_FAR = 3.0


@dataclass(frozen=True)
class Outlier:
    """Something of unusual length, and where to find it.

    length (int): Its length, in the unit of the distribution.
    document (str): The identifier of the record.
    start_char (int): Where it starts in the document.
    text (str): What it is, or how it starts; empty for a whole document.
    """

    length: int
    document: str
    start_char: int = 0
    text: str = ""


@dataclass(frozen=True)
class Lengths:
    """A distribution of lengths. Without anything measured, every figure but `count` is None.

    unit (str): What is counted: "words" or "characters".
    of (str): What is measured: "documents", "sentences" or "mentions".
    count (int): How many were measured.
    median (Optional[float]): This and the other quantiles are interpolated between neighbours.
    fences (Optional[Tuple[float, float]]): Outliers are below the first or above the second.
    n_outliers (int): How many there are.
    outliers (Tuple[Outlier, ...]): The longest, then the shortest of them; at most 20 of each.
    histogram (Tuple[Tuple[int, int], ...]): Each length that occurs with its number, ascending.
    """

    unit: str
    of: str
    count: int = 0
    total: int = 0
    minimum: Optional[int] = None
    lower_quartile: Optional[float] = None
    median: Optional[float] = None
    mean: Optional[float] = None
    upper_quartile: Optional[float] = None
    percentile_95: Optional[float] = None
    maximum: Optional[int] = None
    fences: Optional[Tuple[float, float]] = None
    n_outliers: int = 0
    outliers: Tuple[Outlier, ...] = ()
    histogram: Tuple[Tuple[int, int], ...] = ()


class LengthTally:
    """Takes lengths one by one."""

    def __init__(self, unit: str, of: str) -> None:
        self.unit = unit
        self.of = of
        self._counts: Counter[int] = Counter()
        self._order = 0
        # Heaps of (rank, -order, item): of equal ones, those that came first stay.
        self._longest: List[Tuple[int, int, Outlier]] = []
        self._shortest: List[Tuple[int, int, Outlier]] = []

    def add(self, length: int, document: str, start_char: int = 0, text: str = "") -> None:
        """Count one length, and keep its place while it is among the longest or shortest."""
        self._counts[length] += 1
        self._order += 1
        for heap, rank in ((self._longest, length), (self._shortest, -length)):
            if len(heap) < NAMED_OUTLIERS:
                item = Outlier(length, document, start_char, text)
                heapq.heappush(heap, (rank, -self._order, item))
            elif rank > heap[0][0]:
                item = Outlier(length, document, start_char, text)
                heapq.heapreplace(heap, (rank, -self._order, item))

    def lengths(self) -> Lengths:
        """Sum up what was added so far."""
        if not self._counts:
            return Lengths(self.unit, self.of)
        values = sorted(self._counts)
        ends = list(accumulate(self._counts[value] for value in values))
        total = sum(value * self._counts[value] for value in values)
        lower, median, upper, high = (_quantile(values, ends, q) for q in (0.25, 0.5, 0.75, 0.95))
        reach = _FAR * max(1.0, upper - lower)
        fences = (lower - reach, upper + reach)
        beyond = [value for value in values if not fences[0] <= value <= fences[1]]
        return Lengths(
            self.unit,
            self.of,
            count=ends[-1],
            total=total,
            minimum=values[0],
            lower_quartile=lower,
            median=median,
            mean=total / ends[-1],
            upper_quartile=upper,
            percentile_95=high,
            maximum=values[-1],
            fences=fences,
            n_outliers=sum(self._counts[value] for value in beyond),
            outliers=self._name_outliers(fences),
            histogram=tuple((value, self._counts[value]) for value in values),
        )

    def _name_outliers(self, fences: Tuple[float, float]) -> Tuple[Outlier, ...]:
        longest = [item for _, _, item in sorted(self._longest, reverse=True)]
        shortest = [item for _, _, item in sorted(self._shortest, reverse=True)]
        above = [item for item in longest if item.length > fences[1]]
        return (*above, *(item for item in shortest if item.length < fences[0]))


def _quantile(values: List[int], ends: List[int], share: float) -> float:
    """Interpolate between neighbours (type 7 of Hyndman and Fan, numpy's default).

    ends (List[int]): How many are as long as each of the values, or shorter.
    """
    position = share * (ends[-1] - 1)
    below = int(position)
    left = values[bisect_right(ends, below)]
    right = values[bisect_right(ends, min(below + 1, ends[-1] - 1))]
    return left + (position - below) * (right - left)
