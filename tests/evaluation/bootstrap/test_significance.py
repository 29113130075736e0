"""Paired comparisons, against all exchanges and against resampling by hand."""

from itertools import product

import numpy as np
import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.resampling import draw_documents
from spacy_bioner.evaluation.bootstrap.significance import compare_systems
from spacy_bioner.evaluation.scores import Counts

FIRST = [Counts(3, 1, 1), Counts(2, 0, 2), Counts(0, 1, 3), Counts(4, 2, 0), Counts(1, 1, 1)]
SECOND = [Counts(4, 0, 0), Counts(3, 0, 1), Counts(1, 1, 2), Counts(4, 1, 0), Counts(0, 1, 2)]


def f_score(counts) -> float:
    return sum(counts, Counts()).f_score


def test_p_is_that_of_all_exchanges() -> None:
    actual = abs(f_score(SECOND) - f_score(FIRST))
    as_great = 0
    for swaps in product((False, True), repeat=len(FIRST)):
        left = [b if swap else a for a, b, swap in zip(FIRST, SECOND, swaps)]
        right = [a if swap else b for a, b, swap in zip(FIRST, SECOND, swaps)]
        as_great += abs(f_score(right) - f_score(left)) >= actual - 1e-12
    exact = as_great / 2 ** len(FIRST)
    found = compare_systems(FIRST, SECOND, n_shuffles=50_000).f_score.p
    assert found == pytest.approx(exact, abs=0.01)


def test_the_difference_and_its_interval() -> None:
    compared = compare_systems(FIRST, SECOND, n_resamples=4000, seed=3)
    difference = compared.f_score.difference
    assert difference.value == pytest.approx(f_score(SECOND) - f_score(FIRST))
    drawn = np.random.default_rng(7).integers(5, size=(4000, 5))
    by_hand = [f_score([SECOND[i] for i in r]) - f_score([FIRST[i] for i in r]) for r in drawn]
    low, high = np.percentile(by_hand, [2.5, 97.5])
    assert difference.low == pytest.approx(low, abs=0.03)
    assert difference.high == pytest.approx(high, abs=0.03)
    assert (compared.first, compared.second) == (Counts(10, 5, 7), Counts(12, 3, 5))
    assert compared.n_equal == 0


def test_a_system_does_not_differ_from_itself() -> None:
    compared = compare_systems(FIRST, FIRST)
    for item in (compared.precision, compared.recall, compared.f_score):
        assert (item.p, item.difference.value) == (1.0, 0.0)
        assert (item.difference.low, item.difference.high) == (0.0, 0.0)
    assert compared.n_equal == 5


def test_a_clear_difference_is_found() -> None:
    bad = [Counts(0, 1, 4)] * 40
    good = [Counts(4, 0, 0)] * 40
    compared = compare_systems(bad, good)
    assert compared.f_score.p == pytest.approx(1 / 10_001)
    assert compared.f_score.difference.low == 1.0


def test_the_seed_decides_alone() -> None:
    one, other = (compare_systems(FIRST, SECOND, seed=5).to_json() for _ in range(2))
    assert one == other != compare_systems(FIRST, SECOND, seed=6).to_json()


def test_a_score_that_is_not_defined_has_no_difference() -> None:
    silent = [Counts(0, 0, 2)] * 3
    compared = compare_systems(silent, [Counts(1, 1, 1)] * 3)
    assert compared.precision.difference.value is None
    assert compared.precision.p == 1.0
    assert compared.recall.difference.value == 0.5


@pytest.mark.parametrize(
    ("first", "second", "settings", "message"),
    [
        ([], [], {}, "found 0 and 0 documents"),
        (FIRST, SECOND[1:], {}, "found 5 and 4 documents, expected the same"),
        (FIRST, [Counts(9, 0, 0), *SECOND[1:]], {}, "other gold mentions of one system"),
        (FIRST, SECOND, {"n_shuffles": 0}, "0 shuffles"),
        (FIRST, SECOND, {"level": 1.0}, "level 1"),
    ],
)
def test_wrong_input_is_refused(first, second, settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        compare_systems(first, second, **settings)


def test_the_interval_is_that_of_the_same_documents_for_both() -> None:
    difference = compare_systems(FIRST, SECOND, n_resamples=400, seed=3).f_score.difference
    weights = np.concatenate(list(draw_documents(5, n_resamples=400, seed=3))).astype(int)
    drawn = [np.repeat(np.arange(5), row) for row in weights]
    by_hand = [f_score([SECOND[i] for i in r]) - f_score([FIRST[i] for i in r]) for r in drawn]
    low, high = np.percentile(by_hand, [2.5, 97.5])
    assert (difference.low, difference.high) == (pytest.approx(low), pytest.approx(high))


def test_p_of_two_documents_by_hand() -> None:
    # Recall 1/2 against 1: of four exchanges the two that keep or swap both differ as much, the
    # two that swap one do not differ.
    first, second = [Counts(1, 0, 1)] * 2, [Counts(2, 0, 0)] * 2
    found = compare_systems(first, second, n_shuffles=40_000).recall.p
    assert found == pytest.approx(0.5, abs=0.01)
