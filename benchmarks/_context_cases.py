"""Hand-worked cases of `bioner_context`: texts with entities in brackets, and what is true of them.

    - "No [fever|negated] in his [mother]."

Values stand behind a bar; `who=mother` names whose statement it is.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, List, Tuple

import srsly

from spacy_bioner.ledger import CONTEXT_VALUES

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "cases" / "context"
PARTS = ("rules", "held")
_ENTITY = re.compile(r"\[([^\]|]+)(?:\|([^\]]+))?\]")


@dataclass(frozen=True)
class Expected:
    """An entity, by its offsets, and what is true of it.

    who (str): Whose statement it is: "patient" where nobody else is named.
    """

    start: int
    end: int
    values: FrozenSet[str]
    who: str


@dataclass(frozen=True)
class Case:
    """A text with its entities.

    part (str): "rules", which the cues were made with, or "held", which were set aside.
    kind (str): What is tried.
    """

    part: str
    kind: str
    text: str
    entities: Tuple[Expected, ...]


def read_cases(part: str) -> List[Case]:
    """Read the cases of a part."""
    data = srsly.read_yaml(FOLDER / f"{part}.yaml")
    return [parse_case(part, kind, line) for kind, lines in data.items() for line in lines]


def parse_case(part: str, kind: str, line: str) -> Case:
    """Take the brackets out of a text."""
    text, entities, behind = "", [], 0
    for found in _ENTITY.finditer(line):
        text += line[behind : found.start()]
        words = (found.group(2) or "").split()
        who = next((word[4:] for word in words if word.startswith("who=")), "patient")
        values = frozenset(word for word in words if not word.startswith("who="))
        if not values <= set(CONTEXT_VALUES):
            raise ValueError(f"{part}: found {sorted(values)} in {line!r}")
        start = len(text)
        text += found.group(1)
        entities.append(Expected(start, len(text), values, who))
        behind = found.end()
    return Case(part, kind, text + line[behind:], tuple(entities))
