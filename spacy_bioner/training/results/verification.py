"""What a packaged pipeline does with the test documents that it carries, here and when packaged."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from spacy_bioner.evaluation.scores import Counts


@dataclass(frozen=True)
class DocumentOutcome:
    """What a pipeline found in one test document.

    id (str): The document's; its number where it has none.
    counts (Counts): Strict, of the labels that are scored.
    found (str): Digits by which all mentions that were found, scored or not, are told apart.
    """

    id: str
    counts: Counts
    found: str


@dataclass(frozen=True)
class SplitRun:
    """A pipeline over its test documents, in a process of its own.

    outcomes (Tuple[DocumentOutcome, ...]): In the documents' order.
    n_words (int): Stretches of text between white space.
    seconds (float): Wall time of `nlp.pipe`, without loading.
    peak_bytes (int): The most memory that the process held at a time, loading included.
    n_foreign (int): Documents of which a large part are pieces that English text has few of.
    threads (int): How many onnxruntime would use.
    processor (str): Its name; empty where it is not known.
    versions (Mapping[str, str]): Of what decides the result, by distribution; those installed.
    """

    outcomes: Tuple[DocumentOutcome, ...]
    n_words: int
    seconds: float
    peak_bytes: int
    n_foreign: int = 0
    threads: int = 1
    processor: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> Counts:
        """All documents together."""
        return sum((item.counts for item in self.outcomes), Counts())

    @property
    def words_per_second(self) -> float:
        """Throughput; 0 where nothing was run."""
        return self.n_words / self.seconds if self.seconds else 0.0

    def list_changed(self, earlier: "SplitRun") -> List[str]:
        """List the documents in which an earlier run found something else."""
        pairs = zip(self.outcomes, earlier.outcomes, strict=True)
        return [mine.id for mine, before in pairs if mine != before]

    def list_differences(self, earlier: "SplitRun") -> List[Tuple[str, str, str]]:
        """List what was another: name, what it is, what it was; empty is not there."""
        mine = {**self.versions, "processor": self.processor}
        before = {**earlier.versions, "processor": earlier.processor}
        return [
            (name, mine.get(name, ""), before.get(name, ""))
            for name in {**before, **mine}
            if mine.get(name, "") != before.get(name, "")
        ]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data; a document is a row of id, tp, fp, fn and digits."""
        total = self.counts
        return {
            "f_score": total.f_score,
            "counts": {"tp": total.tp, "fp": total.fp, "fn": total.fn},
            "n_words": self.n_words,
            "seconds": round(self.seconds, 3),
            "words_per_second": round(self.words_per_second, 1),
            "peak_bytes": self.peak_bytes,
            "n_foreign": self.n_foreign,
            "threads": self.threads,
            "processor": self.processor,
            "versions": dict(self.versions),
            "documents": [
                [item.id, item.counts.tp, item.counts.fp, item.counts.fn, item.found]
                for item in self.outcomes
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SplitRun":
        """Make it from what `to_json` gave.

        RAISES (LookupError): For other data, as a TypeError or ValueError.
        """
        return cls(
            tuple(
                DocumentOutcome(str(name), Counts(int(tp), int(fp), int(fn)), str(found))
                for name, tp, fp, fn, found in data["documents"]
            ),
            int(data["n_words"]),
            float(data["seconds"]),
            int(data["peak_bytes"]),
            int(data["n_foreign"]),
            int(data["threads"]),
            str(data["processor"]),
            {str(name): str(value) for name, value in data["versions"].items()},
        )


@dataclass(frozen=True)
class CarriedSplit:
    """Test documents that a package carries, and what its pipeline did with them when packaged.

    labels (Tuple[str, ...]): Those that were scored; empty: all.
    rules (str): The corpus by whose rules the pipeline annotated; empty: by none in particular.
    sha256 (str): Of the file of documents.
    run (SplitRun): When it was packaged.
    """

    labels: Tuple[str, ...]
    rules: str
    sha256: str
    run: SplitRun

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "labels": list(self.labels),
            "rules": self.rules,
            "sha256": self.sha256,
            "run": self.run.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CarriedSplit":
        """Make it from what `to_json` gave; errors are those of `SplitRun.from_json`."""
        labels = tuple(map(str, data["labels"]))
        run = SplitRun.from_json(data["run"])
        return cls(labels, str(data["rules"]), str(data["sha256"]), run)


@dataclass(frozen=True)
class FileChanges:
    """What of a package's files is not as it was packaged, by paths in the package."""

    changed: Tuple[str, ...] = ()
    missing: Tuple[str, ...] = ()
    added: Tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)


@dataclass(frozen=True)
class Verification:
    """Whether a package is what it was when it was made, and does what it did.

    package (str): Name and version.
    n_files (int): So many were packaged.
    split (Optional[CarriedSplit]): None where the package carries no test documents, or where files
        are not as they were.
    run (Optional[SplitRun]): The pipeline here; None without a split.
    """

    package: str
    n_files: int
    changes: FileChanges
    split: Optional[CarriedSplit] = None
    run: Optional[SplitRun] = None

    @property
    def changed_documents(self) -> List[str]:
        """Documents in which the pipeline finds something else here."""
        if self.run is None or self.split is None:
            return []
        return self.run.list_changed(self.split.run)

    @property
    def is_same(self) -> bool:
        """Whether all is as it was; False where it could not be tried."""
        return not self.changes and self.run is not None and not self.changed_documents

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        differences = self.run.list_differences(self.split.run) if self.run and self.split else []
        return {
            "package": self.package,
            "is_same": self.is_same,
            "n_files": self.n_files,
            "files": {
                "changed": list(self.changes.changed),
                "missing": list(self.changes.missing),
                "added": list(self.changes.added),
            },
            "changed_documents": self.changed_documents,
            "differences": [
                {"name": name, "here": here, "packaged": packaged}
                for name, here, packaged in differences
            ],
            "packaged": self.split and self.split.to_json(),
            "here": self.run and self.run.to_json(),
        }
