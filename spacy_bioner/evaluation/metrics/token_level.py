"""Scores of single tokens: easy to make, easy to misread, and what many papers report.

A token is right when its tag is. Long mentions weigh more than short ones, a mention with one
wrong token is mostly right, and accuracy counts the many tokens outside of everything. So these
are here for comparison with papers that give nothing else.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import MentionKey

OUTSIDE = "O"


@dataclass(frozen=True)
class TokenScores:
    """Counts of tokens by tag.

    by_tag (Mapping[str, Counts]): "O", "B-…" and "I-…" in alphabetical order, "O" last.
    n_right (int): Tokens with the right tag, of `n_tokens`.
    """

    by_tag: Mapping[str, Counts]
    n_right: int
    n_tokens: int

    @property
    def accuracy(self) -> Optional[float]:
        """Share of tokens with the right tag, those outside of all mentions too, 0 to 1."""
        return self.n_right / self.n_tokens if self.n_tokens else None

    @property
    def micro(self) -> Counts:
        """The counts of all tags but "O"."""
        inside = (counts for tag, counts in self.by_tag.items() if tag != OUTSIDE)
        return sum(inside, Counts())

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "accuracy": self.accuracy,
            "micro": self.micro.to_json(),
            "by_tag": {tag: counts.to_json() for tag, counts in self.by_tag.items()},
            "n_tokens": self.n_tokens,
        }


def tag_tokens(mentions: Iterable[MentionKey], tokens: Sequence[Tuple[int, int]]) -> List[str]:
    """Return the IOB2 tags of tokens.

    A token that a mention touches is in it; of mentions that share tokens, the first and longest
    is taken.
    tokens (Sequence[Tuple[int, int]]): First character and end, in order.
    """
    tags = [OUTSIDE] * len(tokens)
    starts = np.array([start for start, _ in tokens], dtype=np.int64)
    ends = np.array([end for _, end in tokens], dtype=np.int64)
    for start, end, label in sorted(set(mentions), key=lambda key: (key[0], -key[1], key[2])):
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(starts, end, side="left"))
        if first < last and all(tag == OUTSIDE for tag in tags[first:last]):
            tags[first:last] = [f"B-{label}", *[f"I-{label}"] * (last - first - 1)]
    return tags


def score_tokens(pairs: Iterable[Tuple[Sequence[str], Sequence[str]]]) -> TokenScores:
    """Compare gold and predicted tags.

    pairs (Iterable[Tuple[Sequence[str], Sequence[str]]]): Gold and predicted tags of a document.
    """
    cells: Counter[Tuple[str, str]] = Counter()
    for gold, predicted in pairs:
        cells.update(zip(gold, predicted, strict=True))
    tags = {tag for cell in cells for tag in cell}
    by_tag = {}
    for tag in sorted(tags, key=lambda name: (name == OUTSIDE, name)):
        tp = cells[tag, tag]
        fp = sum(n for (gold, found), n in cells.items() if found == tag != gold)
        fn = sum(n for (gold, found), n in cells.items() if gold == tag != found)
        by_tag[tag] = Counts(tp, fp, fn)
    right = sum(n for (gold, found), n in cells.items() if gold == found)
    return TokenScores(by_tag, right, sum(cells.values()))


def area_under_roc(scores: np.ndarray, positive: np.ndarray) -> Optional[float]:
    """Return the chance that a positive has a higher score than a negative, ties counting half.

    The area under the ROC curve by ranks (Hanley and McNeil, 1982).
    scores (np.ndarray): Shape (items,).
    positive (np.ndarray): Bool, shape (items,).
    RETURNS (Optional[float]): 0 to 1; None where all are positive or none is.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    _, places, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    # Equal scores share the mean of their ranks.
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2.0)[places]
    above = ranks[positive].sum() - n_positive * (n_positive + 1) / 2.0
    return float(above / (n_positive * n_negative))


def list_label_columns(tags: Sequence[str]) -> Dict[str, List[int]]:
    """Say which columns of marginals are of each label, in alphabetical order.

    tags (Sequence[str]): What the columns stand for, in any scheme of prefixes.
    """
    columns: Dict[str, List[int]] = {}
    for place, tag in enumerate(tags):
        if tag != OUTSIDE:
            columns.setdefault(tag[2:], []).append(place)
    return dict(sorted(columns.items()))
