"""Faults that a careless change could bring, and the tests that ought to notice each.

They stand in `changes`, a file for each room of the package. `run` puts them into a copy
of the tree, one at a time. No change makes an equal program.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Tuple

import srsly

PACKAGE = "spacy_bioner"
_FOLDER = Path(__file__).parent / "changes"


@dataclass(frozen=True)
class Change:
    """A fault.

    module (str): The file, from the root of the checkout.
    old (str): What stands in it exactly once.
    new (str): What is put there instead.
    why (str): What is wrong then.
    tests (Tuple[str, ...]): Files or ids of tests, one of which has to fail.
    """

    name: str
    module: str
    old: str
    new: str
    why: str
    tests: Tuple[str, ...]


def read_changes() -> Tuple[Change, ...]:
    """Read the list; files in it are named from the package and from `tests`."""
    files = sorted(_FOLDER.glob("*.yaml"))
    return tuple(_read_change(row) for path in files for row in srsly.read_yaml(path))


def _read_change(row: Dict[str, Any]) -> Change:
    module, tests = f"{PACKAGE}/{row['module']}", tuple(f"tests/{name}" for name in row["tests"])
    return Change(row["name"], module, row["old"], row["new"], row["why"], tests)


CHANGES = read_changes()
