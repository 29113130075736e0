"""Bootstrap intervals of all that is a share of something: of sums over documents by other sums."""

from typing import Dict, List, Mapping, Sequence, Tuple

import numpy as np

from spacy_bioner.evaluation.calibration import N_BINS, log_losses
from spacy_bioner.evaluation.confidences import Judged
from spacy_bioner.evaluation.intervals import LEVEL, N_RESAMPLES, Interval, make_interval
from spacy_bioner.evaluation.resampling import resample
from spacy_bioner.evaluation.schemes import SCHEMES
from spacy_bioner.evaluation.scores import Counts, SchemeCounts
from spacy_bioner.evaluation.strata import Stratum

Share = Tuple[Sequence[int], Sequence[int]]
"""Of each document, what is counted, and of how many."""
# Sums are of integers: confidences in millionths.
_PARTS = 1_000_000


def bootstrap_shares(
    shares: Mapping[str, Share],
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> Dict[str, Interval]:
    """Give each share over all documents with its interval; None where there is nothing to share.

    shares (Mapping[str, Share]): Of the same documents, by any name.
    """
    columns = [column for share in shares.values() for column in share]
    if not columns:
        return {}
    table = np.array(columns, dtype=np.int64).T
    drawn = resample(table, n_resamples=n_resamples, seed=seed).astype(np.float64)
    actual = table.sum(axis=0).astype(np.float64)
    found = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for place, name in enumerate(shares):
            over, under = 2 * place, 2 * place + 1
            value = actual[over] / actual[under] if actual[under] else np.nan
            rows = np.where(drawn[:, under] > 0, drawn[:, over] / drawn[:, under], np.nan)
            found[name] = make_interval(value, rows, level)
    return found


def list_shares(
    counts: np.ndarray,
    schemes: Sequence[Mapping[str, SchemeCounts]],
    tags: Sequence[Tuple[Sequence[str], Sequence[str]]],
    strata: Sequence[Sequence[Stratum]],
) -> Dict[str, Share]:
    """Name what an evaluation gives besides precision, recall and F1 of types.

    counts (np.ndarray): tp, fp and fn; int64, shape (documents, 3).
    schemes (Sequence[Mapping[str, SchemeCounts]]): Of each document, as `count_schemes` gives them.
    tags (Sequence[Tuple[Sequence[str], Sequence[str]]]): Gold and predicted tags of each document.
    strata (Sequence[Sequence[Stratum]]): Of each document.
    """
    shares: Dict[str, Share] = {
        "accuracy": (counts[:, 0].tolist(), counts.sum(axis=1).tolist()),
        "exact": ((counts[:, 1:].sum(axis=1) == 0).astype(int).tolist(), [1] * len(counts)),
        "tokens": (
            [sum(one == other for one, other in zip(*pair)) for pair in tags],
            [len(pair[0]) for pair in tags],
        ),
    }
    shares.update(list_partial("", schemes))
    for place, item in enumerate(strata[0] if strata else ()):
        rows_of = [row[place] for row in strata]
        shares[name_stratum(item)] = ([r.found for r in rows_of], [r.gold for r in rows_of])
    return shares


def list_partial(group: str, documents: Sequence[Mapping[str, SchemeCounts]]) -> Dict[str, Share]:
    """Name the scores of documents in each of the four schemes, as `count_schemes` gives them.

    group (str): Stands before "SCHEME precision" and so on; "" where all labels count.
    """
    shares: Dict[str, Share] = {}
    for scheme in SCHEMES:
        rows = [item.get(scheme, SchemeCounts()) for item in documents]
        # A partial match is half a match.
        right = [2 * row.correct + row.partial for row in rows]
        predicted, gold = [2 * row.predicted for row in rows], [2 * row.gold for row in rows]
        shares.update(_list_scores(f"{group} {scheme}".lstrip(), right, predicted, gold))
    return shares


def list_counts(
    group: str, documents: Sequence[Mapping[str, Counts]], *, apart: str = ""
) -> Dict[str, Share]:
    """Name the scores of each kind of thing that documents were counted for, and of all together.

    group (str): What was counted; "GROUP KIND precision", "GROUP recall" and so on are the names.
    apart (str): A kind that is not one of all together.
    """
    shares: Dict[str, Share] = {}
    kinds = sorted({kind for counts in documents for kind in counts})
    totals = [
        sum((item for kind, item in counts.items() if kind != apart), Counts())
        for counts in documents
    ]
    named = {f"{group} {kind}": [row.get(kind, Counts()) for row in documents] for kind in kinds}
    for name, rows in {**named, group: totals}.items():
        right, predicted = [row.tp for row in rows], [row.predicted for row in rows]
        shares.update(_list_scores(name, right, predicted, [row.gold for row in rows]))
    return shares


def _list_scores(
    name: str, right: Sequence[int], predicted: Sequence[int], gold: Sequence[int]
) -> Dict[str, Share]:
    both = [one + other for one, other in zip(predicted, gold)]
    return {
        f"{name} precision": (right, predicted),
        f"{name} recall": (right, gold),
        f"{name} f_score": ([2 * value for value in right], both),
    }


def name_stratum(stratum: Stratum) -> str:
    """Name the share that a stratum's recall is."""
    return f"{stratum.division}: {stratum.name}"


def list_losses(judged: Judged) -> Dict[str, Share]:
    """Name the means over predictions that say how good their confidences are."""
    shares: Dict[str, Share] = {}
    number = np.bincount(judged.documents, minlength=judged.n_docs)
    outcomes = judged.right.astype(np.float64)
    for name, losses in (
        ("Brier score", (judged.confidences - outcomes) ** 2),
        ("log loss", log_losses(judged.confidences, outcomes)),
    ):
        sums = np.bincount(judged.documents, weights=losses, minlength=judged.n_docs)
        shares[name] = (np.round(_PARTS * sums).astype(int).tolist(), (_PARTS * number).tolist())
    return shares


def bootstrap_calibration_error(
    judged: Judged, *, seed: int = 0, n_resamples: int = N_RESAMPLES, level: float = LEVEL
) -> Interval:
    """Give the expected calibration error of ten bins with its interval.

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
