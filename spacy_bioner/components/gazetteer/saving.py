"""Saving the terms and patterns of a gazetteer, and reading what spaCy's EntityRuler has saved."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List

import srsly

from spacy_bioner.components.gazetteer.patterns import (
    ID_SEPARATOR,
    Pattern,
    check_patterns,
    read_pattern_file,
)
from spacy_bioner.errors import ConfigError, PatternError
from spacy_bioner.files.replacing import replacing
from spacy_bioner.knowledge.gaz import read_gaz
from spacy_bioner.knowledge.matcher import TermMatcher

TERMS, RULES, SETTINGS = "terms.bin", "rules.jsonl", "cfg"
# The EntityRuler's own.
PATTERNS = "patterns.jsonl"

DEFAULTS = {"overwrite": False, "phrase_matcher_attr": None, "ent_id_sep": ID_SEPARATOR}


@dataclass(frozen=True)
class SavedLists:
    """What is saved of a gazetteer.

    settings (Dict[str, Any]): How patterns are compared and written, by the EntityRuler's names;
        those that are absent stay as they are.
    """

    terms: TermMatcher
    patterns: List[Pattern]
    settings: Dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> List[Dict[str, Any]]:
        """The patterns in the EntityRuler's form."""
        return [pattern.row for pattern in self.patterns]


def dump_lists(saved: SavedLists) -> bytes:
    """Serialize terms, patterns and settings."""
    state = {"terms": saved.terms.to_bytes(), "rules": saved.rows, "cfg": saved.settings}
    return srsly.msgpack_dumps(state)


def load_lists(data: bytes, *, variants: bool) -> SavedLists:
    """Read what `dump_lists` or an EntityRuler has written.

    RAISES (PatternError): Something that is not a pattern.
    """
    state = srsly.msgpack_loads(data)
    if isinstance(state, list):
        # Of an EntityRuler before version 2.2 of spaCy.
        state = {"patterns": state}
    if "terms" in state:
        terms = TermMatcher.from_bytes(state["terms"], variants)
        return SavedLists(terms, check_patterns(state["rules"]), state.get("cfg", {}))
    patterns = check_patterns(state["patterns"])
    settings = {key: state.get(key, default) for key, default in DEFAULTS.items()}
    return SavedLists(TermMatcher(variants=variants), patterns, settings)


def write_lists(saved: SavedLists, path: Path) -> None:
    """Write a folder, or patterns alone to a file `.jsonl`.

    RAISES (ConfigError): Terms, and a file that has no place for them.
    """
    if path.suffix == ".jsonl":
        if len(saved.terms):
            raise ConfigError(
                f"{path}: found {len(saved.terms):,} terms, expected patterns alone: such a file "
                "has no place for terms; name a folder"
            )
        _write(path, _dump_rows(saved))
        return
    path.mkdir(parents=True, exist_ok=True)
    with replacing(path / TERMS) as temporary, temporary.open("wb") as file:
        file.writelines(saved.terms.pack())
    _write(path / RULES, _dump_rows(saved))
    if saved.settings != DEFAULTS:
        _write(path / SETTINGS, srsly.json_dumps(saved.settings).encode("utf-8"))
    else:
        (path / SETTINGS).unlink(missing_ok=True)


def read_lists(path: Path, *, variants: bool) -> SavedLists:
    """Read a folder or file that `write_lists` or an EntityRuler has written.

    RAISES (PatternError): Nothing there, or something that is not a pattern.
    """
    none = TermMatcher(variants=variants)
    if path.is_file():
        return SavedLists(none, read_pattern_file(path))
    settings = srsly.read_json(path / SETTINGS) if (path / SETTINGS).is_file() else {}
    if (path / TERMS).is_file():
        terms = read_gaz(path / TERMS, variants=variants)
        return SavedLists(terms, read_pattern_file(path / RULES), settings)
    if (path / PATTERNS).is_file():
        return SavedLists(none, read_pattern_file(path / PATTERNS), {**DEFAULTS, **settings})
    raise PatternError(
        f"found neither a file of patterns nor a folder with {TERMS} or {PATTERNS}, expected what "
        "to_disk of a gazetteer or EntityRuler wrote; check the path",
        path=path,
    )


def _dump_rows(saved: SavedLists) -> bytes:
    return "".join(srsly.json_dumps(row) + "\n" for row in saved.rows).encode("utf-8")


def _write(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)
