"""The form of a concept store: an SQLite file, its tables, and what tells a whole one."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from spacy_bioner.errors import TermTableError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.knowledge.table import SourceInfo

APPLICATION_ID = 0x42696F43
FORMAT_VERSION = 1
HEADER = b"SQLite format 3\x00"

# Kinds of names: what the concept is called first, what else it is called, what it is called where
# it has another id, what is wider or narrower, and what texts call it.
PREFERRED_NAME, SYNONYM, OTHER_ID, LOOSE, MENTION = range(5)

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE source (
  number INTEGER PRIMARY KEY, name TEXT, version TEXT, licence TEXT, url TEXT, n_rows INTEGER,
  digest TEXT
);
CREATE TABLE label (number INTEGER PRIMARY KEY, name TEXT UNIQUE, first INTEGER, n_forms INTEGER);
CREATE TABLE concept (
  number INTEGER PRIMARY KEY, key TEXT, id TEXT, label INTEGER, name TEXT, kind INTEGER,
  alias INTEGER, count INTEGER DEFAULT 0, UNIQUE (key, label)
);
CREATE TABLE name (
  exact TEXT, concept INTEGER, form TEXT, kind INTEGER, source INTEGER, count INTEGER, text TEXT,
  UNIQUE (exact, concept)
);
CREATE TABLE form (number INTEGER PRIMARY KEY, key TEXT, label INTEGER);
CREATE TABLE gram (label INTEGER, gram TEXT, forms BLOB);
CREATE TABLE norm (label INTEGER PRIMARY KEY, norms BLOB);
CREATE TABLE edit (label INTEGER, old TEXT, new TEXT, belief REAL);
"""
INDICES = """
CREATE INDEX name_form ON name (form);
CREATE INDEX name_concept ON name (concept);
CREATE INDEX gram_label ON gram (label, gram);
CREATE INDEX edit_old ON edit (label, old);
"""


@dataclass(frozen=True)
class StoreInfo:
    """What a store has.

    digest (str): SHA-256 of all that it was built from and of how it was built: two stores with
        the same one give the same concepts.
    labels (Tuple[str, ...]): Entity types, sorted.
    sources (Tuple[SourceInfo, ...]): Where the names come from.
    skipped (Mapping[str, int]): Rows that were left out, by reason.
    stemmer (str): See `keys.probe_stemmer`.
    """

    digest: str
    n_concepts: int
    n_names: int
    labels: Tuple[str, ...]
    sources: Tuple[SourceInfo, ...]
    skipped: Mapping[str, int]
    stemmer: str
    version: int = FORMAT_VERSION


def write_meta(db: sqlite3.Connection, info: StoreInfo) -> None:
    """Write what a store has, and mark it as whole: the last thing that is done to it."""
    facts: Dict[str, Any] = {**asdict(info), "skipped": dict(info.skipped)}
    rows = ((key, json.dumps(value)) for key, value in facts.items())
    db.executemany("INSERT INTO meta VALUES (?, ?)", rows)
    db.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def read_meta(db: sqlite3.Connection, path: PathLike) -> StoreInfo:
    """Read what a store has.

    RAISES (TermTableError): A file that is no store, of another format, or not whole.
    """
    try:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        _check_header(application, version, path)
        facts = {key: json.loads(value) for key, value in db.execute("SELECT * FROM meta")}
        sources = tuple(SourceInfo(**source) for source in facts.pop("sources"))
        return StoreInfo(**{**facts, "labels": tuple(facts["labels"]), "sources": sources})
    except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as error:
        raise describe_damage(path, str(error)) from error


def check_size(path: Path) -> None:
    """Make sure that a file is as long as it says that it is.

    RAISES (TermTableError): No such file, another kind of file, or the start of a store.
    """
    if not path.is_file():
        message = "found no concept store; make one with `bioner terms store`, or check the path"
        raise TermTableError(message, path=path)
    with path.open("rb") as file:
        head = file.read(100)
    if head[: len(HEADER)] != HEADER or len(head) < 100:
        found = "an empty file" if not head else f"a file that starts with {head[:16]!r}"
        raise TermTableError(
            f"found {found}, expected a concept store; make one with `bioner terms store`",
            path=path,
        )
    page_size = int.from_bytes(head[16:18], "big")
    expected = (65_536 if page_size == 1 else page_size) * int.from_bytes(head[28:32], "big")
    size = path.stat().st_size
    if size != expected:
        raise describe_damage(path, f"{size:,} of {expected:,} bytes")


def describe_damage(path: PathLike, reason: str) -> TermTableError:
    """Make the error for a store that is not whole."""
    message = f"found a concept store that is not whole ({reason}); copy or make it again"
    return TermTableError(message, path=path)


def _check_header(application: int, version: int, path: PathLike) -> None:
    if application == 0 and version == 0:
        raise describe_damage(path, "an SQLite file without the mark of a finished store")
    if application != APPLICATION_ID:
        raise TermTableError(
            f"found an SQLite file of another program (application id {application:#x}), expected "
            "a concept store; make one with `bioner terms store`",
            path=path,
        )
    if version != FORMAT_VERSION:
        raise TermTableError(
            f"found a concept store of format {version}, expected format {FORMAT_VERSION}; make it "
            "again with `bioner terms store` of this version",
            path=path,
        )
