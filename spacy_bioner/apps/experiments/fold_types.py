"""How each entity type fared over folds, and which folds lacked it."""

from dataclasses import dataclass
from typing import Any, Collection, Dict, List, Mapping, Sequence

from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.tables import escape_markdown, render_markdown_table
from spacy_bioner.training.cross_validation import Spread, summarise_counts

HEADER = ("type", "gold", "folds with it", "precision", "recall", "F1", "F1 std. dev.")


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
        """Give everything as plain data."""
        return {
            "gold": self.gold,
            "summary": {name: spread.to_json() for name, spread in self.spreads.items()},
            "folds_without_test_mentions": list(self.untested),
            "folds_without_training_mentions": list(self.untrained),
        }


def list_types(
    folds: Sequence[Mapping[str, Any]], learned: Mapping[int, Collection[str]]
) -> List[TypeInFolds]:
    """Give each type that any fold has to find, in alphabetical order.

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
                summarise_counts(list(tested.values())),
                [number for number in counts if number not in tested],
                [number for number in tested if label not in learned[number]],
            )
        )
    return found


def render_types(types: Sequence[TypeInFolds]) -> str:
    """Render a table with a row for each type, and a note for each that folds lack."""
    rows = []
    for item in types:
        means = [format_percent(spread.mean) for spread in item.spreads.values()]
        deviation = format_percent(item.spreads["f_score"].deviation)
        name = escape_markdown(item.label or "(none)")
        rows.append((name, f"{item.gold:,}", str(item.n_folds), *means, deviation))
    lines = [render_markdown_table(HEADER, rows, right=range(1, len(HEADER))), ""]
    for item in types:
        name = escape_markdown(item.label or "(none)")
        if item.untested:
            lines.append(
                f"- {name}: no mention to find in {_list(item.untested)}, left out of means"
            )
        if item.untrained:
            lines.append(
                f"- {name}: no mention to learn from in {_list(item.untrained)}, where all of them "
                "are missed"
            )
    return "\n".join(lines).rstrip()


def _list(folds: Sequence[int]) -> str:
    return f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"
