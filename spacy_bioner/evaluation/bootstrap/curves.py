"""Bootstrap intervals of areas under curves, where resampled documents are counted by weights."""

from typing import Dict, Optional, Sequence

import numpy as np

from spacy_bioner.evaluation.bootstrap.intervals import (
    LEVEL,
    N_RESAMPLES,
    Interval,
    check_resampling,
    make_interval,
)
from spacy_bioner.evaluation.bootstrap.resampling import draw_documents
from spacy_bioner.evaluation.confidence.predictions import Judged
from spacy_bioner.evaluation.metrics.token_level import OUTSIDE, area_under_roc, list_label_columns

# Documents whose negatives are compared with all positives at a time.
BLOCK = 256
# Weights of predictions at a time: few enough for a core's own cache, where they take half as long.
CELLS = 32_000


def bootstrap_areas(
    marginals: Sequence[np.ndarray],
    tags: Sequence[str],
    gold: Sequence[Sequence[str]],
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> Dict[str, Interval]:
    """Return the area under the ROC curve of each label against all else, over tokens.

    A resample's area is that of the tokens of its documents, each as often as it was drawn.
    marginals (Sequence[np.ndarray]): Probability of each tag at each token; shape (tokens, tags),
        per document.
    tags (Sequence[str]): What the columns stand for, in any scheme of prefixes.
    gold (Sequence[Sequence[str]]): Tags of the tokens, IOB2.
    RETURNS (Dict[str, Interval]): By label; of None alone for one that gold has nowhere, or
        everywhere.
    RAISES (ConfigError): No resample, or a level that is not between 0 and 1.
    """
    check_resampling(n_resamples, level)
    if not marginals:
        return {}
    found = {}
    for label, columns in list_label_columns(tags).items():
        scores = [rows[:, columns].sum(axis=1) for rows in marginals]
        positive = [
            np.array([tag != OUTSIDE and tag[2:] == label for tag in row], dtype=bool)
            for row in gold
        ]
        value = area_under_roc(np.concatenate(scores), np.concatenate(positive))
        if value is None:
            found[label] = Interval(None, None, None)
            continue
        drawn = draw_documents(len(marginals), n_resamples=n_resamples, seed=seed)
        areas = [_resample_areas(scores, positive, weights) for weights in drawn]
        found[label] = make_interval(value, np.concatenate(areas), level)
    return found


def _resample_areas(
    scores: Sequence[np.ndarray], positive: Sequence[np.ndarray], weights: np.ndarray
) -> np.ndarray:
    """Count wins of positives over negatives for each pair of documents, whatever the resample.

    A resample's wins are these times both documents' weights.
    RETURNS (np.ndarray): NaN where a resample has no positive or no negative; shape (resamples,).
    """
    n_positive = np.array([row.sum() for row in positive])
    n_negative = np.array([len(row) for row in positive]) - n_positive
    with_positive = np.flatnonzero(n_positive)
    values = np.concatenate([row[mask] for row, mask in zip(scores, positive)])
    starts = np.cumsum(n_positive[with_positive]) - n_positive[with_positive]
    wins = np.zeros(len(weights))
    for first in range(0, len(scores), BLOCK):
        block = range(first, min(first + BLOCK, len(scores)))
        table = np.empty((len(with_positive), len(block)))
        for column, place in enumerate(block):
            others = np.sort(scores[place][~positive[place]])
            below = np.searchsorted(others, values, side="left")
            # A tie is half a win.
            ties = np.searchsorted(others, values, side="right") - below
            table[:, column] = np.add.reduceat(below + 0.5 * ties, starts)
        wins += ((weights[:, with_positive] @ table) * weights[:, block]).sum(axis=1)
    pairs = (weights @ n_positive) * (weights @ n_negative)
    return np.divide(wins, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def bootstrap_average_precision(
    judged: Judged,
    counts: np.ndarray,
    label: Optional[str] = None,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Return the area under a precision/recall curve, as `thresholds.sweep` defines it.

    counts (np.ndarray): Strict tp, fp and fn of each document, of the label or of all; int64,
        shape (documents, 3). They have the predictions without a confidence as well.
    label (Optional[str]): None for all together.
    RAISES (ConfigError): No resample, or a level that is not between 0 and 1.
    """
    check_resampling(n_resamples, level)
    chosen = judged if label is None else judged.select(label)
    order, ends = chosen.rank()
    documents = chosen.documents[order]
    right = chosen.right[order].astype(np.float64)
    n_gold = counts[:, 0] + counts[:, 2]
    tp = np.bincount(documents, weights=right, minlength=len(counts))
    fp = np.bincount(documents, weights=1.0 - right, minlength=len(counts))
    kept = np.stack([counts[:, 0] - tp, counts[:, 1] - fp], axis=1)

    def areas(weights: np.ndarray) -> np.ndarray:
        of_each = weights[:, documents]
        kept_tp, kept_fp = (weights @ kept).T[:, :, None]
        n_right = np.hstack([kept_tp, kept_tp + np.cumsum(of_each * right, axis=1)[:, ends]])
        n_kept = kept_tp + kept_fp
        n_all = np.hstack([n_kept, n_kept + np.cumsum(of_each, axis=1)[:, ends]])
        gains = np.diff(n_right, axis=1, prepend=0.0)
        precision = np.divide(n_right, n_all, out=np.zeros_like(n_all), where=n_all > 0)
        total: np.ndarray = weights @ n_gold
        sums = (precision * gains).sum(axis=1)
        return np.divide(sums, total, out=np.full(len(weights), np.nan), where=total > 0)

    rows = draw_documents(len(counts), n_resamples=n_resamples, seed=seed)
    size = max(1, CELLS // max(1, len(documents)))
    drawn = [
        areas(weights[start : start + size])
        for weights in rows
        for start in range(0, len(weights), size)
    ]
    value = float(areas(np.ones((1, len(counts))))[0])
    return make_interval(value, np.concatenate(drawn), level)
