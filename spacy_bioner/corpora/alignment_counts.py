"""The account of gold mentions: each is counted exactly once, under what became of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from spacy_bioner.printable import make_line
from spacy_bioner.records import Mention

OUTCOMES = ("exact", "widened", "narrowed", "nested", "discontinuous", "duplicate", "lost")
_NUMBERS = (*OUTCOMES, "off_borders", "respelled")


@dataclass(frozen=True)
class AlignedMention:
    """What became of one gold mention.

    mention (Mention): As the corpus gives it.
    outcome (str): One of `OUTCOMES`.
    start (int): First token; 0 when the mention is lost or there are no tokens.
    end (int): Behind the last token; 0 when the mention is lost or there are no tokens.
    reason (str): Why a mention is lost, how a discontinuous one was flattened, what a nested one
        overlaps; else empty.
    on_borders (bool): The mention begins and ends, with each fragment, at a token's border.
    respelled (bool): The text that it claims differs from the text in case, spaces or
        punctuation.
    """

    mention: Mention
    outcome: str
    start: int = 0
    end: int = 0
    reason: str = ""
    on_borders: bool = True
    respelled: bool = False


@dataclass(frozen=True)
class AlignmentCounts:
    """How many gold mentions met which outcome; each is counted under the last that applies.

    exact (int): Token borders are the mention's borders.
    widened (int): Grown to the tokens that it touches.
    narrowed (int): White space at its ends dropped.
    nested (int): Overlaps a mention that `doc.ents` prefers; in `doc.spans["gold"]` only.
    discontinuous (int): Represented by the span that covers its fragments; see `flattened`.
    duplicate (int): Same offsets and label as an earlier mention of the document.
    lost (int): Not on the Doc at all; see `lost_reasons`.
    off_borders (int): Of those that are neither lost nor duplicates, the mentions that begin or
        end within a token or with white space; no outcome of its own.
    respelled (int): Claims the text at its offsets in another case, spacing or punctuation; no
        outcome of its own.
    lost_reasons (Mapping[str, int]): Numbers of lost mentions by reason.
    flattened (Mapping[str, int]): Numbers of discontinuous mentions by what represents them.
    by_label (Mapping[str, AlignmentCounts]): The same for each label.
    """

    exact: int = 0
    widened: int = 0
    narrowed: int = 0
    nested: int = 0
    discontinuous: int = 0
    duplicate: int = 0
    lost: int = 0
    off_borders: int = 0
    respelled: int = 0
    lost_reasons: Mapping[str, int] = field(default_factory=dict)
    flattened: Mapping[str, int] = field(default_factory=dict)
    by_label: Mapping[str, "AlignmentCounts"] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Every mention that was read."""
        return sum(getattr(self, outcome) for outcome in OUTCOMES)

    @property
    def sought(self) -> int:
        """The mentions that a system can be asked for: neither lost nor duplicates."""
        return self.total - self.lost - self.duplicate

    @property
    def token_ceiling(self) -> float:
        """The recall of a perfect system on these tokens that may nest and skip words.

        The share of sought mentions on token borders; 1.0 where nothing is sought.
        """
        return _share(self.sought - self.off_borders, self.sought)

    @property
    def flat_ceiling(self) -> float:
        """The recall of a perfect system that gives flat, continuous spans on perfect tokens.

        The share of sought mentions that are neither nested nor discontinuous; 1.0 where nothing
        is sought.
        """
        return _share(self.sought - self.nested - self.discontinuous, self.sought)

    @property
    def recall_ceiling(self) -> float:
        """The recall that both allow together, matched strictly; 1.0 where nothing is sought."""
        return _share(self.exact, self.sought)

    @property
    def f1_ceiling(self) -> float:
        """Strict F1 of a system that finds all exact mentions and nothing else."""
        recall = self.recall_ceiling
        return 2 * recall / (1 + recall)

    def __add__(self, other: "AlignmentCounts") -> "AlignmentCounts":
        by_label = dict(self.by_label)
        for label, count in other.by_label.items():
            by_label[label] = by_label[label] + count if label in by_label else count
        return AlignmentCounts(
            **{name: getattr(self, name) + getattr(other, name) for name in _NUMBERS},
            lost_reasons=dict(Counter(self.lost_reasons) + Counter(other.lost_reasons)),
            flattened=dict(Counter(self.flattened) + Counter(other.flattened)),
            by_label=by_label,
        )

    def to_json(self) -> Dict[str, Any]:
        """Return the numbers, total and ceilings included, as plain data with labels in order."""
        data: Dict[str, Any] = {name: getattr(self, name) for name in OUTCOMES}
        data["total"] = self.total
        data["off_borders"] = self.off_borders
        data["respelled"] = self.respelled
        data["lost_reasons"] = dict(sorted(self.lost_reasons.items()))
        data["flattened"] = dict(sorted(self.flattened.items()))
        for name in ("token_ceiling", "flat_ceiling", "recall_ceiling", "f1_ceiling"):
            data[name] = round(getattr(self, name), 6)
        if self.by_label:
            data["by_label"] = {
                label: count.to_json() for label, count in sorted(self.by_label.items())
            }
        return data

    def to_table(self) -> str:
        """Render one row per label and a total row, columns aligned."""
        columns: Tuple[str, ...] = ("label", *OUTCOMES, "total")
        counts = [*sorted(self.by_label.items()), ("all", self)]
        rows: List[Tuple[str, ...]] = [columns]
        rows.extend(
            (make_line(label or "(none)"), *(str(getattr(count, name)) for name in columns[1:]))
            for label, count in counts
        )
        widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
        return "\n".join(_format_row(row, widths) for row in rows)


class Tally:
    """Counts aligned mentions as they come; `count` gives the sum so far."""

    def __init__(self) -> None:
        self._outcomes: Counter[Tuple[str, str, str]] = Counter()
        self._off_borders: Counter[str] = Counter()
        self._respelled: Counter[str] = Counter()

    def add(self, mentions: Iterable[AlignedMention]) -> None:
        """Count the mentions of one more document."""
        for item in mentions:
            label = item.mention.label
            # What a nested mention overlaps differs from one to the next: nothing to sum up.
            reason = "" if item.outcome == "nested" else item.reason
            self._outcomes[label, item.outcome, reason] += 1
            self._off_borders[label] += not item.on_borders
            self._respelled[label] += item.respelled

    def count(self) -> AlignmentCounts:
        """Sum up, in total and for each label."""
        rows: Dict[str, Counter[str]] = {}
        reasons: Dict[Tuple[str, str], Counter[str]] = {}
        for (label, outcome, reason), number in self._outcomes.items():
            rows.setdefault(label, Counter())[outcome] += number
            if reason:
                reasons.setdefault((label, outcome), Counter())[reason] += number
        by_label = {
            label: AlignmentCounts(
                **numbers,  # type: ignore[arg-type]
                off_borders=self._off_borders[label],
                respelled=self._respelled[label],
                lost_reasons=dict(reasons.get((label, "lost"), {})),
                flattened=dict(reasons.get((label, "discontinuous"), {})),
            )
            for label, numbers in rows.items()
        }
        total = AlignmentCounts()
        for label, count in by_label.items():
            total = total + AlignmentCounts(by_label={label: count}) + count
        return total


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _format_row(row: Tuple[str, ...], widths: List[int]) -> str:
    cells = [row[0].ljust(widths[0])]
    cells.extend(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join(cells)
