"""Concept stores, opened for reading: by any number of processes at a time."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from spacy_bioner.errors import TermTableError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.knowledge.concepts.edits import read_edits
from spacy_bioner.knowledge.concepts.keys import probe_stemmer
from spacy_bioner.knowledge.concepts.postings import GramIndex
from spacy_bioner.knowledge.concepts.schema import (
    MENTION,
    StoreInfo,
    check_size,
    describe_damage,
    read_meta,
)

# Pages of the file that a connection keeps, in KiB.
_CACHE_SIZE = -16_000
_COLUMNS = (
    "concept.number, concept.id, concept.key, concept.name, coalesce(alias.key, ''), "
    "concept.count, "
    "name.kind, name.count, name.text, name.source"
)
_NAMES = (
    f"SELECT {_COLUMNS} FROM name JOIN concept ON concept.number = name.concept "
    "LEFT JOIN concept AS alias ON alias.number = concept.alias"
)


@dataclass(frozen=True)
class NamedConcept:
    """A concept, and the name by which it was found.

    id (str): As its terminology writes it.
    key (str): As ids are compared, see `gold.normalize_concept_id`.
    title (str): What its terminology calls it first.
    alias (str): Key of the concept that has this id besides its own; empty for most.
    total (int): How often training mentions of any name meant the concept.
    kind (int): Kind of the name, see `schema`.
    count (int): How often training mentions with this name meant the concept.
    name (str): The name.
    source (int): Where the name comes from, by its place in `StoreInfo.sources`.
    """

    number: int
    id: str
    key: str
    title: str
    alias: str
    total: int
    kind: int
    count: int
    name: str
    source: int


class ConceptStore:
    """A store, opened when it is first asked something, in each process anew.

    path (Union[str, Path]): What `write_store` wrote.
    digest (str): Of what it has to be built from; empty takes any.
    RAISES (TermTableError): No store, one that is not whole, of another format, built from
        something else, or with another stemmer than the one installed.
    """

    def __init__(self, path: PathLike, *, digest: str = "") -> None:
        self.path = Path(path)
        self._db: Optional[sqlite3.Connection] = None
        self._process = 0
        self._grams: Dict[int, GramIndex] = {}
        check_size(self.path)
        self.info: StoreInfo = read_meta(self._connect(), self.path)
        self._check_digest(digest)
        rows = self._query("SELECT name, number, first, n_forms FROM label", ())
        self._labels: Dict[str, Tuple[int, int, int]] = {row[0]: row[1:] for row in rows}

    def __reduce__(self) -> Tuple[object, ...]:
        """Let it pass to another process, which opens the file itself."""
        return _reopen, (str(self.path), self.info.digest)

    @property
    def labels(self) -> Tuple[str, ...]:
        """The entity types of its concepts, sorted."""
        return self.info.labels

    def close(self) -> None:
        """Close the file; it is opened again when need be."""
        if self._db is not None and self._process == os.getpid():
            self._db.close()
        self._db = None
        self._grams.clear()

    def find_exact(self, key: str, label: str) -> List[NamedConcept]:
        """Return the concepts that have a name with an exact key, see `keys`."""
        return self._find("name.exact = ?", key, label)

    def find_form(self, form: str, label: str) -> List[NamedConcept]:
        """Return the concepts that have a name with a form, see `keys`."""
        return self._find("name.form = ?", form, label)

    def find_id(self, key: str, label: str) -> List[NamedConcept]:
        """Return the names of a concept, the preferred one first."""
        found = self._find("concept.key = ?", key, label)
        return sorted(found, key=lambda item: (item.kind, -item.count))

    def find_primary(self, key: str, label: str) -> str:
        """Return the key of the concept that an id is another id of, else the key itself."""
        found = self.find_id(key, label)
        return found[0].alias or key if found else key

    def has_id(self, key: str, label: str) -> bool:
        """Say whether a terminology, not only training mentions, names a concept."""
        return any(item.kind != MENTION for item in self.find_id(key, label))

    def find_like(self, form: str, label: str, *, n_best: int) -> List[Tuple[str, float]]:
        """Return the forms that have the most grams in common with one, and how like they are."""
        index = self._find_index(label)
        query = "SELECT key FROM form WHERE number = ?"
        found = index.search(form, n_best=n_best) if index else ()
        return [(self._query(query, (number,))[0][0], likeness) for number, likeness in found]

    def weigh_word(self, word: str, label: str) -> float:
        """Return how much a word of a form says among the names of a label."""
        index = self._find_index(label)
        return index.weigh_word(word) if index else 0.0

    def list_edits(self, word: str, label: str) -> List[Tuple[str, float]]:
        """Return the words that may stand for one, "" for none, the best first; see `edits`."""
        number = self._labels.get(label, (0, 0, 0))[0]
        return read_edits(self._connect(), number, word)

    def count_schemes(self, label: str) -> Dict[str, int]:
        """Count the training mentions of a label by the scheme of their ids, see `id_scheme`."""
        number = self._labels.get(label, (0, 0, 0))[0]
        counts: Dict[str, int] = {}
        query = "SELECT key, count FROM concept WHERE label = ? AND count > 0"
        for key, count in self._query(query, (number,)):
            scheme = id_scheme(key)
            counts[scheme] = counts.get(scheme, 0) + count
        return counts

    def _find_index(self, label: str) -> Optional[GramIndex]:
        number, first, n_forms = self._labels.get(label, (0, 0, 0))
        if not n_forms:
            return None
        db = self._connect()
        if number not in self._grams:
            self._grams[number] = GramIndex(db, number, first, n_forms)
        return self._grams[number]

    def _find(self, condition: str, value: str, label: str) -> List[NamedConcept]:
        if label not in self._labels:
            return []
        number = self._labels[label][0]
        rows = self._query(f"{_NAMES} WHERE {condition} AND concept.label = ?", (value, number))
        return [NamedConcept(*row) for row in rows]

    def _query(self, query: str, values: Tuple[object, ...]) -> List[Tuple]:
        try:
            return self._connect().execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise describe_damage(self.path, str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        # A connection must not be used in a forked process.
        if self._db is None or self._process != os.getpid():
            self._db, self._process = _open(self.path), os.getpid()
            self._grams = {}
        return self._db

    def _check_digest(self, digest: str) -> None:
        if digest and digest != self.info.digest:
            names = ", ".join(source.name for source in self.info.sources)
            raise TermTableError(
                f"found a concept store of {names} with the digest {self.info.digest[:12]}, "
                f"expected {digest[:12]}: it was built from other tables, labels or mentions; "
                "name the right one, or make it again with `bioner terms store`",
                path=self.path,
            )
        if self.info.stemmer != probe_stemmer():
            raise TermTableError(
                "found a concept store whose words were stemmed by another release of "
                "snowballstemmer; make it again with `bioner terms store`",
                path=self.path,
            )


def id_scheme(key: str) -> str:
    """Return what ids of one origin have in common: the prefix, else the letter they start with."""
    prefix, colon, _ = key.partition(":")
    return prefix if colon else key[:1]


def _reopen(path: str, digest: str) -> ConceptStore:
    return ConceptStore(path, digest=digest)


def _open(path: Path) -> sqlite3.Connection:
    # Nobody changes a store: one that is made anew takes its place as another file.
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        db = sqlite3.connect(address, uri=True, check_same_thread=False)
        db.execute(f"PRAGMA cache_size = {_CACHE_SIZE}")
        return db
    except sqlite3.DatabaseError as error:
        raise describe_damage(path, str(error)) from error
