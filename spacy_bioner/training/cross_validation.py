"""Cross-validation: which document is trained on, developed on and tested on in which fold."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.splits.split import GroupBy, k_folds, split_records
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import ScoreIntervals, bootstrap_scores
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
        """Return the ids by "train", "dev" and "test"."""
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
        """Return everything as plain data."""
        return {"mean": self.mean, "standard_deviation": self.deviation, "n": self.n}


@dataclass(frozen=True)
class TypeInFolds:
    """One type over all folds.

    gold (int): Mentions in all test parts.
    n_folds (int): Folds whose test part has it.
    spreads (Mapping[str, Spread]): Mean and deviation of precision, recall and F1 over these folds.
    untested (Sequence[int]): Folds without a mention to find: they are in no mean.
    untrained (Sequence[int]): Folds with mentions to find and none to learn from: all are missed,
        which counts.
    """

    label: str
    gold: int
    n_folds: int
    spreads: Mapping[str, Spread]
    untested: Sequence[int]
    untrained: Sequence[int]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "gold": self.gold,
            "summary": {name: spread.to_json() for name, spread in self.spreads.items()},
            "folds_without_test_mentions": list(self.untested),
            "folds_without_training_mentions": list(self.untrained),
        }


@dataclass(frozen=True)
class CrossValidation:
    """The outcome of all folds.

    folds (Sequence[Dict]): What `result.json` of each fold holds.
    learned (Mapping[int, Collection[str]]): The labels of each fold's training mentions.
    """

    folds: Sequence[Dict[str, Any]]
    seed: int
    learned: Mapping[int, Collection[str]]

    @property
    def counts(self) -> List[Counts]:
        """Return the counts of each fold."""
        return [_sum(fold["document_counts"]) for fold in self.folds]

    @property
    def summary(self) -> Dict[str, Spread]:
        """Return mean and standard deviation over the folds."""
        return summarize_counts(self.counts)

    @property
    def types(self) -> List[TypeInFolds]:
        """Return each type's scores over the folds that have it."""
        return list_types(self.folds, self.learned)

    @property
    def pooled(self) -> ScoreIntervals:
        """Return the score of all test documents together, with its interval."""
        documents = [Counts(*row) for fold in self.folds for row in fold["document_counts"]]
        return bootstrap_scores(documents, seed=self.seed)

    def to_json(self) -> Dict[str, Any]:
        """Return folds, mean, standard deviation and the pooled score with its interval."""
        return {
            "folds": [
                {key: value for key, value in fold.items() if key != "document_counts"}
                for fold in self.folds
            ],
            "summary": {name: spread.to_json() for name, spread in self.summary.items()},
            "pooled": sum(self.counts, Counts()).to_json(),
            "pooled_intervals": self.pooled.to_json(),
            "by_type": {item.label: item.to_json() for item in self.types},
        }


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
        see `corpora.splits.split`.
    dev_share (float): Share of the other folds' documents that becomes the development set.
    RAISES (ConfigError): Fewer than two folds, or a share that is not between 0 and 1.
    RAISES (CorpusError): Fewer documents (groups) than folds, or too few to develop on.
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


def summarize_counts(folds: Sequence[Counts]) -> Dict[str, Spread]:
    """Return mean and deviation of precision, recall and F1 over the folds' micro counts."""
    return {name: _spread([getattr(counts, name) for counts in folds]) for name in SCORE_NAMES}


def list_types(
    folds: Sequence[Mapping[str, Any]], learned: Mapping[int, Collection[str]]
) -> List[TypeInFolds]:
    """Return each type that any fold has to find, in alphabetical order.

    folds (Sequence[Mapping[str, Any]]): What `result.json` of each fold holds.
    learned (Mapping[int, Collection[str]]): The labels of each fold's training mentions.
    """
    by_fold: Dict[int, Dict[str, Counts]] = {
        fold["fold"]: {
            label: Counts(row["tp"], row["fp"], row["fn"])
            for label, row in fold["scores"]["by_type"].items()
        }
        for fold in folds
    }
    found = []
    for label in sorted({label for rows in by_fold.values() for label in rows}):
        counts = {number: rows.get(label, Counts()) for number, rows in by_fold.items()}
        tested = {number: item for number, item in counts.items() if item.gold}
        if not tested:
            continue
        found.append(
            TypeInFolds(
                label,
                sum(item.gold for item in tested.values()),
                len(tested),
                summarize_counts(list(tested.values())),
                [number for number in counts if number not in tested],
                [number for number in tested if label not in learned[number]],
            )
        )
    return found


def _spread(values: Sequence[Optional[float]]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(None, None, 0)
    mean = sum(known) / len(known)
    if len(known) < 2:
        return Spread(mean, None, 1)
    squares = sum((value - mean) ** 2 for value in known)
    return Spread(mean, sqrt(squares / (len(known) - 1)), len(known))


def _sum(rows: Sequence[Sequence[int]]) -> Counts:
    return sum((Counts(*row) for row in rows), Counts())
