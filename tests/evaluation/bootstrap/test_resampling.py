"""Documents drawn anew: what is drawn, how often, and what does not depend on blocks."""

import numpy as np
import pytest

from spacy_bioner.evaluation.bootstrap import resampling
from spacy_bioner.evaluation.bootstrap.resampling import (
    draw_documents,
    resample,
    score_sums,
    swap_at_random,
)

N_DOCS, N_SHUFFLES = 20, 20_000
# Each document has a binary digit of its own: a sum names the documents that are in it.
DIGITS = 2 ** np.arange(N_DOCS)[:, None]


def swapped_documents(seed: int = 0) -> np.ndarray:
    """Bool, shape (shuffles, documents); the second system has nothing but what it takes over."""
    first, _ = swap_at_random(DIGITS, 0 * DIGITS, n_resamples=N_SHUFFLES, seed=seed)
    return (first >> np.arange(N_DOCS)) & 1 == 0


def test_every_document_is_exchanged_with_a_chance_of_one_half() -> None:
    swapped = swapped_documents()
    # Four standard deviations: 0.5 / sqrt(400,000) over all, 0.5 / sqrt(20,000) of one document.
    assert swapped.mean() == pytest.approx(0.5, abs=0.0032)
    assert swapped.mean(axis=0) == pytest.approx(np.full(N_DOCS, 0.5), abs=0.0142)


def test_documents_are_exchanged_each_by_itself() -> None:
    swapped = swapped_documents()
    # The number of heads of 20 coins has a variance of 5.
    assert swapped.sum(axis=1).var() == pytest.approx(5, abs=0.2)


def test_what_one_system_gives_the_other_takes() -> None:
    random = np.random.default_rng(0)
    left, right = random.integers(9, size=(2, 6, 3))
    first, second = swap_at_random(left, right, n_resamples=50, seed=1)
    assert (first + second == left.sum(axis=0) + right.sum(axis=0)).all()
    assert len(np.unique(first, axis=0)) > 1


def test_as_many_documents_are_drawn_as_there_are_each_alike() -> None:
    weights = np.concatenate(list(draw_documents(N_DOCS, n_resamples=N_SHUFFLES, seed=0)))
    assert weights.shape == (N_SHUFFLES, N_DOCS)
    assert (weights.sum(axis=1) == N_DOCS).all()
    # A document is drawn once on average, with a variance of 0.95.
    assert weights.mean(axis=0) == pytest.approx(np.ones(N_DOCS), abs=0.028)
    assert weights.var(axis=0) == pytest.approx(np.full(N_DOCS, 0.95), abs=0.06)


def test_sums_are_those_of_the_documents_drawn() -> None:
    table = np.arange(12).reshape(4, 3)
    weights = np.concatenate(list(draw_documents(4, n_resamples=30, seed=5)))
    found = resample(table, n_resamples=30, seed=5)
    expected = [sum(int(n) * row for n, row in zip(own, table)) for own in weights]
    assert found.tolist() == [row.tolist() for row in expected]
    assert resample(table[:0], n_resamples=2, seed=5).tolist() == [[0, 0, 0]] * 2


def test_blocks_do_not_repeat_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = swapped_documents(3)
    drawn = resample(DIGITS, n_resamples=40, seed=3)
    monkeypatch.setattr(resampling, "MAX_CELLS", 4 * N_DOCS)
    assert (swapped_documents(3) == whole).all()
    assert (resample(DIGITS, n_resamples=40, seed=3) == drawn).all()
    assert len(np.unique(drawn)) == 40


def test_scores_of_sums_are_nan_where_there_is_nothing() -> None:
    scores = score_sums(np.array([[2, 1, 0], [0, 0, 3], [0, 0, 0]]))
    found = np.array(scores).T.tolist()
    assert found[0] == [2 / 3, 1.0, 0.8]
    assert np.isnan(found[1]).tolist() == [True, False, False]
    assert np.isnan(found[2]).all()


def test_the_seed_decides_what_is_drawn_and_exchanged() -> None:
    drawn = [resample(DIGITS, n_resamples=40, seed=seed).tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    swapped = [swapped_documents(seed).tolist() for seed in (1, 1, 2)]
    assert swapped[0] == swapped[1] != swapped[2]
