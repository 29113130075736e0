"""The account of gold mentions: each is counted exactly once, under what became of it."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

OUTCOMES = ("exact", "widened", "narrowed", "nested", "discontinuous", "duplicate", "lost")


@dataclass(frozen=True)
class MentionIssue:
    """A gold mention that deserves a look.

    record_id (str): The document.
    line (Optional[int]): The line of the source file.
    kind (str): "lost" or "text mismatch".
    reason (str): What is the matter.
    expected (str): The surface form that the annotation claims.
    found (str): What stands at its offsets.
    """

    record_id: str
    line: Optional[int]
    start_char: int
    end_char: int
    label: str
    kind: str
    reason: str
    expected: str
    found: str


@dataclass(frozen=True)
class ConservationCount:
    """How many gold mentions met which outcome; each is counted under the last that applies.

    exact (int): Token borders are the mention's borders.
    widened (int): Grown to the tokens that it touches.
    narrowed (int): White space at its ends dropped.
    nested (int): Overlaps a mention that `doc.ents` prefers; in `doc.spans["gold"]` only.
    discontinuous (int): Represented by the span that covers its fragments.
    duplicate (int): Same offsets and label as an earlier mention of the document.
    lost (int): Not on the Doc at all; see `lost_reasons`.
    text_mismatch (int): Claims another text than stands at its offsets; no outcome of its own,
        such mentions are also counted above.
    lost_reasons (Mapping[str, int]): Numbers of lost mentions by reason.
    by_label (Mapping[str, ConservationCount]): The same for each label.
    """

    exact: int = 0
    widened: int = 0
    narrowed: int = 0
    nested: int = 0
    discontinuous: int = 0
    duplicate: int = 0
    lost: int = 0
    text_mismatch: int = 0
    lost_reasons: Mapping[str, int] = field(default_factory=dict)
    by_label: Mapping[str, "ConservationCount"] = field(default_factory=dict)

    @classmethod
    def of(
        cls, outcomes: Iterable[Tuple[str, str, str]], mismatches: Iterable[str] = ()
    ) -> "ConservationCount":
        """Count (label, outcome, reason) triples and the labels of mismatching mentions."""
        rows: Dict[str, List[Tuple[str, str]]] = {}
        for label, outcome, reason in outcomes:
            rows.setdefault(label, []).append((outcome, reason))
        wrong = Counter(mismatches)
        by_label: Dict[str, ConservationCount] = {}
        for label, pairs in rows.items():
            numbers: Dict[str, Any] = dict(Counter(outcome for outcome, _ in pairs))
            reasons = Counter(reason for _, reason in pairs if reason)
            by_label[label] = cls(**numbers, text_mismatch=wrong[label], lost_reasons=dict(reasons))
        total = cls()
        for count in by_label.values():
            total = total + count
        return _with_labels(total, by_label)

    @property
    def total(self) -> int:
        """Every mention that was read."""
        return sum(getattr(self, outcome) for outcome in OUTCOMES)

    def __add__(self, other: "ConservationCount") -> "ConservationCount":
        numbers = {
            name: getattr(self, name) + getattr(other, name)
            for name in (*OUTCOMES, "text_mismatch")
        }
        reasons = Counter(self.lost_reasons) + Counter(other.lost_reasons)
        by_label = dict(self.by_label)
        for label, count in other.by_label.items():
            by_label[label] = by_label[label] + count if label in by_label else count
        return ConservationCount(**numbers, lost_reasons=dict(reasons), by_label=by_label)

    def to_json(self) -> Dict[str, Any]:
        """Give the numbers, the total included, as plain data with labels in order."""
        data: Dict[str, Any] = {name: getattr(self, name) for name in OUTCOMES}
        data["total"] = self.total
        data["text_mismatch"] = self.text_mismatch
        data["lost_reasons"] = dict(sorted(self.lost_reasons.items()))
        if self.by_label:
            data["by_label"] = {
                label: count.to_json() for label, count in sorted(self.by_label.items())
            }
        return data

    def to_table(self) -> str:
        """Render one row per label and a total row, columns aligned."""
        columns: Tuple[str, ...] = ("label", *OUTCOMES, "total", "text_mismatch")
        counts = [*sorted(self.by_label.items()), ("all", self)]
        rows: List[Tuple[str, ...]] = [columns]
        rows.extend(
            (label or "(none)", *(str(getattr(count, name)) for name in columns[1:]))
            for label, count in counts
        )
        widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
        return "\n".join(_format_row(row, widths) for row in rows)


def _with_labels(
    count: ConservationCount, by_label: Mapping[str, ConservationCount]
) -> ConservationCount:
    values = {item.name: getattr(count, item.name) for item in fields(count)}
    return ConservationCount(**{**values, "by_label": by_label})


def _format_row(row: Tuple[str, ...], widths: List[int]) -> str:
    cells = [row[0].ljust(widths[0])]
    cells.extend(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join(cells)
