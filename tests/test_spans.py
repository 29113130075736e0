"""Half-open intervals: what overlaps, what lies within, and a flat selection."""

from itertools import combinations, product
from typing import List, Tuple

import pytest

from spacy_bioner.spans import contains, overlaps, select_flat


@pytest.mark.parametrize(
    ("left", "right", "share"),
    [
        ((0, 4), (0, 4), True),
        ((0, 4), (3, 9), True),
        ((0, 4), (4, 9), False),
        ((0, 9), (3, 4), True),
        ((0, 4), (5, 9), False),
    ],
)
def test_intervals_overlap_where_they_share_a_position(left, right, share) -> None:
    assert overlaps(left, right) is overlaps(right, left) is share


@pytest.mark.parametrize(
    ("outer", "inner", "within"),
    [
        ((0, 4), (0, 4), False),
        ((0, 4), (0, 3), True),
        ((0, 4), (1, 4), True),
        ((0, 4), (1, 5), False),
        ((1, 4), (0, 4), False),
    ],
)
def test_an_interval_contains_others_but_not_itself(outer, inner, within) -> None:
    assert contains(outer, inner) is within


def choose(*items: Tuple[int, int, int]) -> Tuple[List, List]:
    """Items are start, end and rank of the source."""
    return select_flat(
        items, interval=lambda item: (item[0], item[1]), priority=lambda item: item[2]
    )


def test_the_longest_wins_then_the_source_then_the_first() -> None:
    assert choose((0, 2, 0), (1, 4, 9)) == ([(1, 4, 9)], [(0, 2, 0)])
    assert choose((0, 3, 1), (2, 5, 0)) == ([(2, 5, 0)], [(0, 3, 1)])
    assert choose((2, 5, 0), (0, 3, 0)) == ([(0, 3, 0)], [(2, 5, 0)])
    same = select_flat(["one", "other"], interval=lambda item: (0, 2))
    assert same == (["one"], ["other"])


def test_what_touches_is_chosen_in_the_order_of_the_text() -> None:
    assert choose((4, 6, 0), (0, 4, 0), (6, 9, 0)) == (
        [(0, 4, 0), (4, 6, 0), (6, 9, 0)],
        [],
    )


def test_what_is_rejected_overlaps_something_better() -> None:
    every = [(start, end, rank) for start, end in combinations(range(5), 2) for rank in (0, 1)]
    for items in product(every[::3], every[1::4], every[2::5]):
        chosen, rejected = choose(*items)
        assert sorted(chosen + rejected) == sorted(items)
        assert not any(overlaps(a[:2], b[:2]) for a, b in combinations(chosen, 2))
        for item in rejected:
            better = [other for other in chosen if overlaps(other[:2], item[:2])]
            assert max(other[1] - other[0] for other in better) >= item[1] - item[0]
