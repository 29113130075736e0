"""Sums of counts over documents that are drawn anew, many at a time."""

from typing import Iterator, Tuple

import numpy as np

# Weights of resampled documents that are in memory at a time.
MAX_CELLS = 4_000_000


def resample(table: np.ndarray, *, n_resamples: int, seed: int) -> np.ndarray:
    """Sum the counts of as many documents as there are, drawn with replacement.

    table (np.ndarray): Counts; int64, shape (documents, columns).
    RETURNS (np.ndarray): Int64, shape (resamples, columns).
    """
    if not len(table):
        return np.zeros((n_resamples, table.shape[1]), dtype="int64")
    drawn = draw_documents(len(table), n_resamples=n_resamples, seed=seed)
    return np.concatenate([weights @ table.astype("float64") for weights in drawn]).astype("int64")


def draw_documents(n_docs: int, *, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Draw as many documents as there are, with replacement, and say how often each came up.

    YIELDS (np.ndarray): Shape (some resamples, documents); float64, which holds such counts exactly
        and multiplies many times faster than integers.
    """
    rng = np.random.default_rng(seed)
    for rows in _portions(n_resamples, n_docs):
        drawn = rng.integers(n_docs, size=(rows, n_docs))
        drawn += n_docs * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * n_docs).reshape(rows, n_docs)
        yield weights.astype("float64")


def swap_at_random(
    left: np.ndarray, right: np.ndarray, *, n_resamples: int, seed: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Sum the counts of two systems, exchanged in each document with a chance of one half.

    left, right (np.ndarray): Counts of the same documents; int64, shape (documents, columns).
    RETURNS (Tuple[np.ndarray, np.ndarray]): Sums of both; int64, shape (resamples, columns).
    """
    rng = np.random.default_rng(seed)
    total = left.sum(axis=0) + right.sum(axis=0)
    sums = []
    for rows in _portions(n_resamples, len(left)):
        swapped = rng.random((rows, len(left))) < 0.5
        sums.append(left.sum(axis=0) + swapped.astype("int64") @ (right - left))
    first = np.concatenate(sums)
    return first, total - first


def score_sums(sums: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall and F1 of rows of tp, fp, fn; NaN where `Counts` gives None."""
    tp, fp, fn = sums.T.astype("float64")
    with np.errstate(invalid="ignore"):
        return tp / (tp + fp), tp / (tp + fn), 2 * tp / (2 * tp + fp + fn)


def _portions(n_rows: int, width: int) -> Iterator[int]:
    size = max(1, MAX_CELLS // max(1, width))
    for start in range(0, n_rows, size):
        yield min(size, n_rows - start)
