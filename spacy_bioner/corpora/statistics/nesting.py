"""How the mentions of a document lie to each other: nested, crossing, on the same place."""

from bisect import bisect_right, insort
from collections import Counter, deque
from typing import Deque, Dict, Iterable, List, Sequence, Set

from spacy_bioner.records import Mention
from spacy_bioner.spans import Interval

NESTED, CROSSING, DISCONTINUOUS = "nested", "crossing", "discontinuous"
DUPLICATE, SAME_PLACE = "duplicate", "several labels on one place"
KINDS = (NESTED, CROSSING, SAME_PLACE, DISCONTINUOUS, DUPLICATE)


def count_nesting(mentions: Sequence[Mention]) -> Dict[str, int]:
    """Count the mentions of one document by how they lie.

    A mention can be of several kinds. "nested" lies within another; "crossing" shares a part with
    another that neither contains; "several labels on one place" has the offsets of an earlier one
    and another label (or other fragments); "duplicate" repeats offsets and label of an earlier one,
    and is counted as nothing else. A discontinuous mention stands for all that it covers.

    RETURNS (Dict[str, int]): A number for each of `KINDS`.
    """
    unique = {mention.key for mention in mentions}
    counts: Counter[str] = Counter({DUPLICATE: len(mentions) - len(unique)})
    at: Counter[Interval] = Counter()
    for start, end, _, fragments in unique:
        at[start, end] += 1
        counts[DISCONTINUOUS] += bool(fragments)
    counts[NESTED] = sum(at[interval] for interval in _find_nested(at))
    counts[CROSSING] = sum(at[interval] for interval in _find_crossing(at))
    counts[SAME_PLACE] = len(unique) - len(at)
    return {kind: counts[kind] for kind in KINDS}


def _find_nested(intervals: Iterable[Interval]) -> List[Interval]:
    nested: List[Interval] = []
    reach = -1
    # An interval that contains another one comes before it in this order.
    for start, end in sorted(intervals, key=lambda interval: (interval[0], -interval[1])):
        if end <= reach:
            nested.append((start, end))
        reach = max(reach, end)
    return nested


def _find_crossing(intervals: Iterable[Interval]) -> Set[Interval]:
    """Find what another interval reaches into from the left, or, mirrored, from the right."""
    intervals = list(intervals)
    mirrored = _entered_from_left([(-end, -start) for start, end in intervals])
    return {(-end, -start) for start, end in mirrored} | _entered_from_left(intervals)


def _entered_from_left(intervals: Iterable[Interval]) -> Set[Interval]:
    entered: Set[Interval] = set()
    ends: List[int] = []
    waiting: Deque[Interval] = deque()
    for start, end in sorted(intervals):
        while waiting and waiting[0][0] < start:
            insort(ends, waiting.popleft()[1])
        first = bisect_right(ends, start)
        if first < len(ends) and ends[first] < end:
            entered.add((start, end))
        waiting.append((start, end))
    return entered
