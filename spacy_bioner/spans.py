"""Interval algorithms on half-open (start, end) pairs: overlap, nesting, flat selection."""

from typing import Callable, List, Sequence, Tuple, TypeVar

Interval = Tuple[int, int]
T = TypeVar("T")


def overlaps(left: Interval, right: Interval) -> bool:
    """Tell whether two intervals share at least one position."""
    return left[0] < right[1] and right[0] < left[1]


def contains(outer: Interval, inner: Interval) -> bool:
    """Tell whether `inner` lies within `outer` and is not the same interval."""
    return outer[0] <= inner[0] and inner[1] <= outer[1] and outer != inner


def select_flat(
    items: Sequence[T],
    *,
    interval: Callable[[T], Interval],
    priority: Callable[[T], int] = lambda item: 0,
) -> Tuple[List[T], List[T]]:
    """Choose items without overlap: the longest wins, then the lower priority number, then the
    earlier start, then the order given.

    items (Sequence[T]): The candidates.
    interval (Callable): Gives the half-open interval of an item.
    priority (Callable): Gives the rank of an item's source; lower is better.
    RETURNS (Tuple[List[T], List[T]]): The chosen items by start, and the rejected ones.
    """

    def rank(index: int) -> Tuple[int, int, int, int]:
        start, end = interval(items[index])
        return (start - end, priority(items[index]), start, index)

    occupied: set[int] = set()
    chosen: List[int] = []
    rejected: List[int] = []
    for index in sorted(range(len(items)), key=rank):
        start, end = interval(items[index])
        # Candidates come longest first, so a later one can only overlap an earlier one at
        # its own first or last position.
        if start in occupied or end - 1 in occupied:
            rejected.append(index)
            continue
        occupied.update(range(start, end))
        chosen.append(index)
    chosen.sort(key=lambda index: interval(items[index]))
    return [items[i] for i in chosen], [items[i] for i in sorted(rejected)]
