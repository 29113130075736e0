"""Bootstrap intervals of all that is a share of something: of sums over documents by other sums."""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from spacy_bioner.evaluation.bootstrap.intervals import LEVEL, N_RESAMPLES, Interval, make_interval
from spacy_bioner.evaluation.bootstrap.resampling import resample
from spacy_bioner.evaluation.confidence.calibration import N_BINS, log_losses
from spacy_bioner.evaluation.confidence.predictions import Judged
from spacy_bioner.evaluation.metrics.partial_matching import SCHEMES
from spacy_bioner.evaluation.metrics.stratified_recall import Stratum
from spacy_bioner.evaluation.metrics.token_level import OUTSIDE, score_tokens
from spacy_bioner.evaluation.scores import (
    ACCURACY,
    BRIER,
    EXACT,
    LOG_LOSS,
    TOKEN_ACCURACY,
    Counts,
    Metric,
    SchemeCounts,
)

Share = Tuple[Sequence[int], Sequence[int]]
"""Of each document, what is counted, and of how many."""
# Sums are of integers: confidences in millionths.
_PARTS = 1_000_000


def bootstrap_shares(
    shares: Mapping[Metric, Share],
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> Dict[Metric, Interval]:
    """Return each share over all documents with its interval; None where there is nothing to share.

    shares (Mapping[Metric, Share]): Of the same documents.
    """
    columns = [column for share in shares.values() for column in share]
    if not columns:
        return {}
    table = np.array(columns, dtype=np.int64).T
    drawn = resample(table, n_resamples=n_resamples, seed=seed).astype(np.float64)
    actual = table.sum(axis=0).astype(np.float64)
    found = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for place, metric in enumerate(shares):
            over, under = 2 * place, 2 * place + 1
            value = actual[over] / actual[under] if actual[under] else np.nan
            rows = np.where(drawn[:, under] > 0, drawn[:, over] / drawn[:, under], np.nan)
            found[metric] = make_interval(value, rows, level)
    return found


class CountedDocuments(NamedTuple):
    """What was counted of each document.

    labels (Sequence[str]): In alphabetical order.
    table (np.ndarray): Strict tp, fp and fn; int64, shape (documents, labels, 3).
    schemes (Sequence[Mapping[str, SchemeCounts]]): As `count_schemes` gives them.
    schemes_by_type (Sequence[Mapping[str, Mapping[str, SchemeCounts]]]): By label and scheme.
    tags (Sequence[Tuple[Sequence[str], Sequence[str]]]): Gold and predicted tags.
    strata (Sequence[Sequence[Stratum]]): As `split_document` gives them.
    concepts (Optional[Sequence[Mapping[str, Counts]]]): By label; None where there are none.
    """

    labels: Sequence[str]
    table: np.ndarray
    schemes: Sequence[Mapping[str, SchemeCounts]]
    schemes_by_type: Sequence[Mapping[str, Mapping[str, SchemeCounts]]]
    tags: Sequence[Tuple[Sequence[str], Sequence[str]]]
    strata: Sequence[Sequence[Stratum]]
    concepts: Optional[Sequence[Mapping[str, Counts]]]

    @property
    def counts(self) -> np.ndarray:
        """Strict tp, fp and fn of all labels; int64, shape (documents, 3)."""
        total: np.ndarray = self.table.sum(axis=1)
        return total


def list_shares(counted: CountedDocuments) -> Dict[Metric, Share]:
    """Name what an evaluation gives besides precision, recall and F1 of types."""
    counts = counted.counts
    shares: Dict[Metric, Share] = {
        ACCURACY: (counts[:, 0].tolist(), counts.sum(axis=1).tolist()),
        EXACT: ((counts[:, 1:].sum(axis=1) == 0).astype(int).tolist(), [1] * len(counts)),
        TOKEN_ACCURACY: (
            [sum(one == other for one, other in zip(*pair)) for pair in counted.tags],
            [len(pair[0]) for pair in counted.tags],
        ),
        **_list_partial(counted.schemes),
    }
    for label in counted.labels:
        shares.update(_list_partial([row.get(label, {}) for row in counted.schemes_by_type], label))
    by_tag = [score_tokens([pair]).by_tag for pair in counted.tags]
    shares.update(_list_counts("tokens", by_tag, apart=OUTSIDE))
    if counted.concepts is not None:
        shares.update(_list_counts("concepts", counted.concepts))
    for place, item in enumerate(counted.strata[0] if counted.strata else ()):
        rows_of = [row[place] for row in counted.strata]
        shares[item.metric] = ([r.found for r in rows_of], [r.gold for r in rows_of])
    return shares


def _list_partial(
    documents: Sequence[Mapping[str, SchemeCounts]], label: Optional[str] = None
) -> Dict[Metric, Share]:
    shares: Dict[Metric, Share] = {}
    for scheme in SCHEMES:
        rows = [item.get(scheme, SchemeCounts()) for item in documents]
        # A partial match is half a match.
        right = [2 * row.correct + row.partial for row in rows]
        predicted, gold = [2 * row.predicted for row in rows], [2 * row.gold for row in rows]
        shares.update(_list_scores(scheme, label, right, predicted, gold))
    return shares


def _list_counts(
    group: str, documents: Sequence[Mapping[str, Counts]], *, apart: Optional[str] = None
) -> Dict[Metric, Share]:
    """Name the scores of each kind, and of all together but the one that stands apart."""
    shares: Dict[Metric, Share] = {}
    for kind in sorted({kind for counts in documents for kind in counts}):
        shares.update(
            list_score_shares(group, kind, [row.get(kind, Counts()) for row in documents])
        )
    totals = [
        sum((item for kind, item in counts.items() if kind != apart), Counts())
        for counts in documents
    ]
    shares.update(list_score_shares(group, None, totals))
    return shares


def list_score_shares(
    group: str, kind: Optional[str], rows: Sequence[Counts]
) -> Dict[Metric, Share]:
    """Name precision, recall and F1 of counts by document."""
    right, predicted = [row.tp for row in rows], [row.predicted for row in rows]
    return _list_scores(group, kind, right, predicted, [row.gold for row in rows])


def _list_scores(
    group: str,
    kind: Optional[str],
    right: Sequence[int],
    predicted: Sequence[int],
    gold: Sequence[int],
) -> Dict[Metric, Share]:
    both = [one + other for one, other in zip(predicted, gold)]
    return {
        Metric(group, "precision", kind): (right, predicted),
        Metric(group, "recall", kind): (right, gold),
        Metric(group, "f_score", kind): ([2 * value for value in right], both),
    }


def list_losses(judged: Judged) -> Dict[Metric, Share]:
    """Name the means over predictions that say how good their confidences are."""
    shares: Dict[Metric, Share] = {}
    number = np.bincount(judged.documents, minlength=judged.n_docs)
    outcomes = judged.right.astype(np.float64)
    for metric, losses in (
        (BRIER, (judged.confidences - outcomes) ** 2),
        (LOG_LOSS, log_losses(judged.confidences, outcomes)),
    ):
        sums = np.bincount(judged.documents, weights=losses, minlength=judged.n_docs)
        shares[metric] = (np.round(_PARTS * sums).astype(int).tolist(), (_PARTS * number).tolist())
    return shares


def bootstrap_calibration_error(
    judged: Judged, *, seed: int = 0, n_resamples: int = N_RESAMPLES, level: float = LEVEL
) -> Interval:
    """Return the expected calibration error of ten bins with its interval.

    It is never below 0, so that of a resample is greater on average: the interval lies high.
    """
    table = np.zeros((judged.n_docs, N_BINS, 2), dtype=np.int64)
    bins = np.minimum((judged.confidences * N_BINS).astype(np.int64), N_BINS - 1)
    millionths = np.round(_PARTS * (judged.confidences - judged.right)).astype(np.int64)
    np.add.at(table[..., 0], (judged.documents, bins), millionths)
    np.add.at(table[..., 1], (judged.documents, bins), 1)
    flat = table.reshape(judged.n_docs, -1)
    drawn = resample(flat, n_resamples=n_resamples, seed=seed).reshape(-1, N_BINS, 2)
    rows: List[np.ndarray] = []
    for sums in (table.sum(axis=0)[None], drawn):
        number = sums[..., 1].sum(axis=-1)
        distance = np.abs(sums[..., 0]).sum(axis=-1) / (_PARTS * np.maximum(number, 1))
        rows.append(np.where(number > 0, distance, np.nan))
    return make_interval(float(rows[0][0]), rows[1], level)
