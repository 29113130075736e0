"""Integer counts and the scores that follow from them; every P, R and F is made here.

Empty denominators: precision is None when nothing was predicted, recall is None when there is no
gold mention, and F is None only when there is neither. None is `null` in JSON and a dash in
tables. Micro figures come from the summed counts of all types, so they need no such rule of
their own.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

SCORE_NAMES = ("precision", "recall", "f_score")


class Metric(NamedTuple):
    """What a share of an evaluation is a share of.

    group (str): What is scored: a scheme of partial matches, "tokens", "concepts", "average" for
        average precision, or a division of gold mentions; "" for one figure of everything.
    name (str): One of `SCORE_NAMES`, a kind of the division, or the figure's own name.
    label (Optional[str]): A label or tag, any text; None for all of them together.
    """

    group: str
    name: str
    label: Optional[str] = None

    @property
    def words(self) -> str:
        """The metric as files name it; no two of a `Measurement` have the same words."""
        if not self.group:
            return self.name
        if self.name not in SCORE_NAMES:
            return f"{self.group}: {self.name}"
        words = f"{self.group} {self.name}"
        # In quotes, as a label may be any text.
        return words if self.label is None else f"{words} of {self.label!r}"


ACCURACY = Metric("", "accuracy")
"""Of mentions, at entity level."""
EXACT = Metric("", "exact")
"""Documents with exactly the gold mentions predicted."""
TOKEN_ACCURACY = Metric("", "tokens")
CALIBRATION_ERROR = Metric("", "calibration error")
BRIER = Metric("", "Brier score")
LOG_LOSS = Metric("", "log loss")


@dataclass(frozen=True)
class Counts:
    """Outcome of comparing predicted mentions with gold mentions.

    tp (int): Predicted mentions that are gold.
    fp (int): Predicted mentions that are not.
    fn (int): Gold mentions that were not predicted.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def gold(self) -> int:
        """How many gold mentions there are."""
        return self.tp + self.fn

    @property
    def predicted(self) -> int:
        """How many mentions were predicted."""
        return self.tp + self.fp

    @property
    def precision(self) -> Optional[float]:
        """Share of predicted mentions that are gold, 0 to 1; None when nothing was predicted."""
        return _ratio(self.tp, self.predicted)

    @property
    def recall(self) -> Optional[float]:
        """Share of gold mentions that were predicted, 0 to 1; None when there is no gold."""
        return _ratio(self.tp, self.gold)

    @property
    def f_score(self) -> Optional[float]:
        """F1, 0 to 1; None only when there is neither a gold nor a predicted mention."""
        return _ratio(2 * self.tp, self.gold + self.predicted)

    @property
    def accuracy(self) -> Optional[float]:
        """Entity-level accuracy: right mentions for each mention in gold or predicted, 0 to 1.

        There are no true negatives among mentions, so this is tp / (tp + fp + fn).
        """
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    def to_json(self) -> Dict[str, Any]:
        """Return the scores and the integers behind them as plain data."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f_score": self.f_score,
            "accuracy": self.accuracy,
            "gold": self.gold,
            "predicted": self.predicted,
            **asdict(self),
        }


@dataclass(frozen=True)
class Average:
    """Scores averaged over the types that gold has, 0 to 1; None where gold has none.

    n_types (int): How many those are. A type without predictions has a precision of 0 here.
    """

    precision: Optional[float]
    recall: Optional[float]
    f_score: Optional[float]
    n_types: int


@dataclass(frozen=True)
class SchemeCounts:
    """Outcome of comparing mentions where a match may be partial: SemEval-2013 task 9.

    correct (int): Predictions that match a gold mention.
    incorrect (int): Predictions that overlap one, but do not match it as they should.
    partial (int): Predictions of which half counts.
    missed (int): Gold mentions that no prediction used up.
    spurious (int): Predictions that overlap no gold mention that is left.
    """

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    missed: int = 0
    spurious: int = 0

    def __add__(self, other: "SchemeCounts") -> "SchemeCounts":
        return SchemeCounts(
            self.correct + other.correct,
            self.incorrect + other.incorrect,
            self.partial + other.partial,
            self.missed + other.missed,
            self.spurious + other.spurious,
        )

    @property
    def predicted(self) -> int:
        """How many mentions were predicted."""
        return self.correct + self.incorrect + self.partial + self.spurious

    @property
    def gold(self) -> int:
        """How many gold mentions there are."""
        return self.correct + self.incorrect + self.partial + self.missed

    @property
    def precision(self) -> Optional[float]:
        """Share of predictions that match, 0 to 1; None when nothing was predicted."""
        return _ratio(self.correct + 0.5 * self.partial, self.predicted)

    @property
    def recall(self) -> Optional[float]:
        """Share of gold mentions that are matched, 0 to 1; None when there is no gold."""
        return _ratio(self.correct + 0.5 * self.partial, self.gold)

    @property
    def f_score(self) -> Optional[float]:
        """F1, 0 to 1; None only when there is neither a gold nor a predicted mention."""
        return _ratio(2 * self.correct + self.partial, self.gold + self.predicted)

    def to_json(self) -> Dict[str, Any]:
        """Return the scores and the integers behind them as plain data."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f_score": self.f_score,
            **asdict(self),
        }


@dataclass(frozen=True)
class Scores:
    """Counts by entity type over a set of documents, and what a reader of the figures must know.

    by_type (Mapping[str, Counts]): One entry per label that is in gold or was predicted.
    n_docs (int): Documents that were compared.
    n_exact (int): Documents in which exactly the gold mentions were predicted.
    n_unannotated (int): Documents left out because their gold says nothing of entities.
    n_duplicates (int): Gold mentions with the offsets and label of another one; counted once.
    n_unreachable (int): Gold mentions that a system without overlapping entities must miss: the
        surplus of overlapping ones, and those whose offsets lie outside of the text.
    labels_unknown_to_model (Tuple[str, ...]): Labels in gold that the system cannot predict.
    labels_unknown_to_gold (Tuple[str, ...]): Predicted labels that gold never uses.
    """

    by_type: Mapping[str, Counts] = field(default_factory=dict)
    n_docs: int = 0
    n_exact: int = 0
    n_unannotated: int = 0
    n_duplicates: int = 0
    n_unreachable: int = 0
    labels_unknown_to_model: Tuple[str, ...] = ()
    labels_unknown_to_gold: Tuple[str, ...] = ()

    @property
    def micro(self) -> Counts:
        """The counts of all types together."""
        return sum(self.by_type.values(), Counts())

    @property
    def macro(self) -> Average:
        """The mean over types, each with the same weight."""
        return self._average(dict.fromkeys(self.by_type, 1))

    @property
    def weighted(self) -> Average:
        """The mean over types, weighed by their gold mentions."""
        return self._average({label: counts.gold for label, counts in self.by_type.items()})

    @property
    def exact_rate(self) -> Optional[float]:
        """Exact-match rate: the share of documents without any mistake, 0 to 1."""
        return _ratio(self.n_exact, self.n_docs)

    def _average(self, weights: Mapping[str, int]) -> Average:
        known = {label: counts for label, counts in self.by_type.items() if counts.gold}
        total = sum(weights[label] for label in known)
        if not total:
            return Average(None, None, None, 0)
        precision, recall, f_score = (
            sum(weights[label] * (getattr(counts, name) or 0.0) for label, counts in known.items())
            / total
            for name in SCORE_NAMES
        )
        return Average(precision, recall, f_score, len(known))

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data, types in alphabetical order."""
        return {
            "micro": self.micro.to_json(),
            "macro": asdict(self.macro),
            "weighted": asdict(self.weighted),
            "by_type": {label: self.by_type[label].to_json() for label in sorted(self.by_type)},
            "n_docs": self.n_docs,
            "n_exact": self.n_exact,
            "exact_rate": self.exact_rate,
            "n_unannotated": self.n_unannotated,
            "n_duplicates": self.n_duplicates,
            "n_unreachable": self.n_unreachable,
            "labels_unknown_to_model": list(self.labels_unknown_to_model),
            "labels_unknown_to_gold": list(self.labels_unknown_to_gold),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Scores":
        """Read what `to_json` wrote; the ratios are made anew from the integers."""
        by_type = {
            label: Counts(tp=row["tp"], fp=row["fp"], fn=row["fn"])
            for label, row in data["by_type"].items()
        }
        return cls(
            by_type=by_type,
            n_docs=data["n_docs"],
            n_exact=data["n_exact"],
            n_unannotated=data["n_unannotated"],
            n_duplicates=data["n_duplicates"],
            n_unreachable=data["n_unreachable"],
            labels_unknown_to_model=tuple(data["labels_unknown_to_model"]),
            labels_unknown_to_gold=tuple(data["labels_unknown_to_gold"]),
        )


def _ratio(numerator: float, denominator: int) -> Optional[float]:
    return numerator / denominator if denominator else None
