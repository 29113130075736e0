"""Compiled tables of terms in files, with what is known of where they come from."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Sequence, Tuple

import srsly

from spacy_bioner.errors import TermTableError
from spacy_bioner.files.replacing import replacing
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.terms import Term


@dataclass(frozen=True)
class SourceInfo:
    """A terminology that terms come from.

    n_rows (int): How many of its rows were read.
    """

    name: str
    version: str = ""
    licence: str = ""
    url: str = ""
    n_rows: int = 0


@dataclass(frozen=True)
class GazInfo:
    """What a `.gaz` file has."""

    n_terms: int
    labels: Tuple[str, ...]
    sources: Tuple[SourceInfo, ...]
    rules: Mapping[str, Any]
    size: int


def write_gaz(
    terms: Iterable[Term],
    path: Path,
    *,
    sources: Sequence[SourceInfo] = (),
    rules: Mapping[str, Any] = {},
) -> GazInfo:
    """Compile terms and write them, whole or not at all."""
    matcher = TermMatcher(terms)
    with replacing(path) as temporary:
        state = {
            "sources": [asdict(source) for source in sources],
            "rules": rules,
            "terms": matcher.to_bytes(),
        }
        size = temporary.write_bytes(srsly.msgpack_dumps(state))
    return GazInfo(len(matcher), tuple(matcher.table.labels), tuple(sources), rules, size)


def read_gaz(path: Path) -> TermMatcher:
    """Return the compiled terms of a file.

    RAISES (TermTableError): No such file.
    """
    if not path.is_file():
        raise TermTableError("found no such file; expected a .gaz file; check the path", path=path)
    state: Dict[str, Any] = srsly.msgpack_loads(path.read_bytes())
    matcher = TermMatcher.from_bytes(state["terms"])
    facts = tuple(SourceInfo(**source) for source in state["sources"]), state["rules"]
    matcher.table.sources, matcher.table.rules = facts  # type: ignore[attr-defined]
    return matcher


def describe_table(table: Any, size: int) -> GazInfo:
    """Return what is known of a table."""
    return GazInfo(len(table), tuple(table.labels), table.sources, table.rules, size)
