"""What experiments and runs leave: rows of tables of systems side by side."""

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from spacy_bioner.evaluation.bootstrap.intervals import ScoreIntervals
from spacy_bioner.evaluation.bootstrap.significance import PairedComparison
from spacy_bioner.evaluation.scores import Counts


@dataclass(frozen=True)
class AblationRow:
    """One system.

    name (str): What it lacks; the whole first.
    counts (Counts): Strict, all types together.
    compared (Optional[PairedComparison]): With the whole; None for that itself.
    """

    name: str
    counts: Counts
    compared: Optional[PairedComparison] = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AblationRow":
        """Read what `to_json` wrote."""
        counts = Counts(*(data["counts"][key] for key in ("tp", "fp", "fn")))
        compared = data["compared"] and PairedComparison.from_json(data["compared"])
        return cls(data["name"], counts, compared)

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "counts": self.counts.to_json(),
            "compared": self.compared and self.compared.to_json(),
        }


@dataclass(frozen=True)
class ComparisonRow:
    """One system.

    source (str): Where its weights come from.
    scores (Optional[ScoreIntervals]): On the test set, the counts of all seeds together; None
        where nothing came of it.
    dev_f_score (Optional[float]): As all that follow, the mean over the seeds.
    peak_memory_mb (Optional[float]): Of the host, the greatest over the seeds.
    gpu_memory_mb (Optional[float]): Of the GPU, the greatest over the seeds; None without one.
    f_scores (Sequence[Optional[float]]): On the test set, by seed.
    reason (str): Why there is nothing.
    """

    name: str
    source: str
    scores: Optional[ScoreIntervals] = None
    dev_f_score: Optional[float] = None
    training_seconds: Optional[float] = None
    words_per_second: Optional[float] = None
    peak_memory_mb: Optional[float] = None
    gpu_memory_mb: Optional[float] = None
    parameters: Optional[int] = None
    f_scores: Sequence[Optional[float]] = ()
    reason: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "source": self.source,
            "scores": self.scores.to_json() if self.scores else None,
            "dev_f_score": self.dev_f_score,
            "training_seconds": self.training_seconds,
            "words_per_second": self.words_per_second,
            "peak_memory_mb": self.peak_memory_mb,
            "gpu_memory_mb": self.gpu_memory_mb,
            "parameters": self.parameters,
            "f_scores": list(self.f_scores),
            "reason": self.reason,
        }


def rank_rows(rows: Sequence[ComparisonRow]) -> List[ComparisonRow]:
    """Put the greatest F1 first, and what has none last."""

    def key(row: ComparisonRow) -> tuple[bool, float, str]:
        value = row.scores.f_score.value if row.scores else None
        return (row.scores is None, -(value or 0.0), row.name)

    return sorted(rows, key=key)


class StoredRun(NamedTuple):
    """A run as `bioner report` or `bioner evaluate --output` has stored it.

    data (Mapping[str, Any]): Everything that was measured.
    training (Sequence[Mapping[str, Any]]): Evaluations by step; empty where there is no log.
    attacked (Optional[Mapping[str, Any]]): Its robustness, where that was measured.
    compared (Optional[PairedComparison]): With the first run, on the same documents.
    """

    name: str
    data: Mapping[str, Any]
    training: Sequence[Mapping[str, Any]] = ()
    attacked: Optional[Mapping[str, Any]] = None
    compared: Optional[PairedComparison] = None

    @property
    def measured(self) -> Mapping[str, Any]:
        """All that was measured."""
        found: Mapping[str, Any] = self.data["measurement"]
        return found
