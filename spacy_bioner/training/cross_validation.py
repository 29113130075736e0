"""Cross-validation: which document is trained on, developed on and tested on in which fold."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy_bioner.corpora.splits.split import GroupBy, k_folds, split_records
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.scores import SCORE_NAMES, Counts
from spacy_bioner.records import Record

DEV_SHARE = 0.1


@dataclass(frozen=True)
class Fold:
    """One fold's documents by their ids, each of which is in one of the three.

    number (int): From 1.
    """

    number: int
    train: Tuple[str, ...]
    dev: Tuple[str, ...]
    test: Tuple[str, ...]

    @property
    def parts(self) -> Dict[str, Tuple[str, ...]]:
        """Give the ids by "train", "dev" and "test"."""
        return {"train": self.train, "dev": self.dev, "test": self.test}


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a score over the folds in which it is defined.

    deviation (Optional[float]): Of a sample (n - 1); None for fewer than two values.
    """

    mean: Optional[float]
    deviation: Optional[float]
    n: int

    def to_json(self) -> Dict[str, Any]:
        """Give everything as plain data."""
        return {"mean": self.mean, "standard_deviation": self.deviation, "n": self.n}


def plan_folds(
    records: Iterable[Record],
    k: int,
    *,
    seed: int,
    group_by: GroupBy = None,
    dev_share: float = DEV_SHARE,
) -> List[Fold]:
    """Divide a corpus into folds by document, stratified by the mentions of each label.

    group_by (GroupBy): What keeps documents together, in the folds and in the development sets;
        see `corpora.splits.split_records`.
    dev_share (float): Share of the other folds' documents that becomes the development set.
    RAISES ConfigError: Fewer than two folds, or a share that is not between 0 and 1.
    RAISES CorpusError: Fewer documents (groups) than folds, or too few to develop on.
    """
    if not 0 < dev_share < 1:
        raise ConfigError(f"found {dev_share:g} as share for development, expected 0 < share < 1")
    every = list(records)
    splits = k_folds(every, k, seed=seed, group_by=group_by, stratify=True)
    folds = []
    for number, part in enumerate(splits.parts, start=1):
        others = [other.name for other in splits.parts if other is not part]
        divided = split_records(
            splits.select(every, *others),
            (1 - dev_share, dev_share),
            seed=seed + number,
            names=("train", "dev"),
            group_by=group_by,
            stratify=True,
        )
        train, dev = (tuple(dict.fromkeys(chosen.ids)) for chosen in divided.parts)
        folds.append(Fold(number, train, dev, tuple(dict.fromkeys(part.ids))))
    return folds


def summarise_counts(folds: Sequence[Counts]) -> Dict[str, Spread]:
    """Give mean and deviation of precision, recall and F1 over the folds' micro counts."""
    return {name: _spread([getattr(counts, name) for counts in folds]) for name in SCORE_NAMES}


def _spread(values: Sequence[Optional[float]]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(None, None, 0)
    mean = sum(known) / len(known)
    if len(known) < 2:
        return Spread(mean, None, 1)
    squares = sum((value - mean) ** 2 for value in known)
    return Spread(mean, sqrt(squares / (len(known) - 1)), len(known))
