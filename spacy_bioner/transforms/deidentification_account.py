"""The account of a de-identification: what was replaced, and what became of gold mentions."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

from spacy_bioner.transforms.deidentification import DeidentifiedRecord
from spacy_bioner.transforms.identifiers.rules import Identifier

WITHIN_IDENTIFIER = "part of an identifier that was replaced"
RULES_ARE_NOT_ENOUGH = (
    "rules find names only behind titles and cue words (Dr., Patient:), and no towns or hospitals; "
    "rules alone are NOT enough to release data: have a person look, or add a trained pipeline "
    "with --model"
)
MODELS_MISS_SOME = (
    "rules and pipelines miss identifiers; measure on documents of your own, and have a person "
    "look before you release data"
)
KEPT = 1000
MENTION_STATES = ("same", "moved", "changed", "dropped")


@dataclass
class Deidentification:
    """The account of a de-identification. It holds no text of what was replaced.

    replace_by (str): The surrogate.
    identifiers (Counter[str]): What was replaced, by label.
    sources (Counter[str]): The same by rule or pipeline.
    mentions (Counter[str]): Gold mentions by what became of them: same, moved, changed, dropped.
    documents_changed (int): Those with something replaced.
    placeholders (int): What had been de-identified before.
    n_left (int): Parts of identifiers that gold mentions keep in the text.
    left (List[Tuple[str, Identifier]]): The first of them, with their document.
    metadata (Counter[str]): Metadata that was left out, by name.
    ids_replaced (bool): Whether the documents were numbered anew.
    warning (str): What to bear in mind.
    """

    replace_by: str = "label"
    identifiers: "Counter[str]" = field(default_factory=Counter)
    sources: "Counter[str]" = field(default_factory=Counter)
    mentions: "Counter[str]" = field(default_factory=Counter)
    documents_changed: int = 0
    placeholders: int = 0
    n_left: int = 0
    left: List[Tuple[str, Identifier]] = field(default_factory=list)
    metadata: "Counter[str]" = field(default_factory=Counter)
    ids_replaced: bool = False
    warning: str = RULES_ARE_NOT_ENOUGH

    def add(self, record_id: str, result: DeidentifiedRecord) -> None:
        """Count one document."""
        self.identifiers.update(item.label for item in result.replaced)
        self.sources.update(f"{item.label}: {item.source}" for item in result.replaced)
        self.mentions.update(
            same=result.same,
            moved=result.moved,
            changed=result.changed,
            dropped=len(result.dropped),
        )
        self.documents_changed += bool(result.replaced)
        self.placeholders += result.placeholders
        self.n_left += len(result.left)
        room = KEPT - len(self.left)
        self.left += [(record_id, item) for item in result.left[:room]]

    def to_json(self) -> Dict[str, Any]:
        """Return the account as plain data."""
        left = [
            {"document": name, "start": item.start, "end": item.end, "label": item.label}
            for name, item in self.left
        ]
        return {
            "replace": self.replace_by,
            "identifiers": dict(self.identifiers.most_common()),
            "rules": dict(self.sources.most_common()),
            "mentions": {name: self.mentions[name] for name in MENTION_STATES},
            "documents_changed": self.documents_changed,
            "placeholders": self.placeholders,
            "n_left_in_mentions": self.n_left,
            "left_in_mentions": left,
            "metadata_left_out": dict(self.metadata.most_common()),
            "ids_replaced": self.ids_replaced,
            "warning": self.warning,
        }
