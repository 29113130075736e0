"""Concept stores, made in one pass over rows of terminologies and over mentions of corpora."""

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Sequence

from spacy_bioner.errors import ConfigError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.gold import normalize_concept_id
from spacy_bioner.knowledge.concepts.edits import write_edits
from spacy_bioner.knowledge.concepts.keys import (
    make_exact_key,
    make_form,
    make_storable,
    probe_stemmer,
)
from spacy_bioner.knowledge.concepts.postings import write_forms
from spacy_bioner.knowledge.concepts.schema import (
    FORMAT_VERSION,
    INDICES,
    LOOSE,
    MENTION,
    OTHER_ID,
    PREFERRED_NAME,
    SYNONYM,
    TABLES,
    StoreInfo,
    write_meta,
)
from spacy_bioner.knowledge.table import SourceInfo

NO_ID, NO_NAME = "rows without an id", "rows without a name"
_ALTERNATIVE = "altid"
_LOOSE = ("narrow", "broad", "related")
_FIRST = ("label", "symbol")
# KiB of the file that are kept in memory while it is written.
_CACHE_SIZE = -64_000
_BATCH = 10_000


@dataclass(frozen=True)
class ConceptName:
    """A name of a concept.

    id (str): Of several that a text names at once, joined by bars.
    kind (int): One of `schema`: PREFERRED_NAME, SYNONYM, OTHER_ID, LOOSE, MENTION.
    count (int): How often a corpus names the concept so; 0 for a terminology.
    """

    id: str
    name: str
    label: str
    kind: int = SYNONYM
    count: int = 0


@dataclass
class NameSource:
    """Names of one origin, and what they are called.

    read (Callable): Streams the names, and may count in `skipped` what it leaves out.
    about (Callable): Says, when they are read, where they come from.
    digest (str): SHA-256 of where they come from.
    """

    read: Callable[[], Iterable[ConceptName]]
    about: Callable[[], SourceInfo]
    digest: str
    skipped: "Counter[str]" = field(default_factory=Counter)


def choose_kind(kind: str) -> int:
    """Return the kind of a name from what its terminology calls it ("exact_synonym")."""
    lowered = kind.casefold()
    if _ALTERNATIVE in lowered:
        return OTHER_ID
    if lowered in _FIRST:
        return PREFERRED_NAME
    return LOOSE if lowered.startswith(_LOOSE) else SYNONYM


def digest_sources(digests: Iterable[str], labels: Iterable[str]) -> str:
    """Return the digest of a store: of its sources, their labels, and how it is built."""
    facts = [FORMAT_VERSION, probe_stemmer(), list(digests), list(labels)]
    return hashlib.sha256(json.dumps(facts).encode("utf-8")).hexdigest()


def write_store(
    sources: Sequence[NameSource],
    path: PathLike,
    *,
    digest: str,
    progress: Callable[[int], None] = lambda rows: None,
) -> StoreInfo:
    """Build a store and write it, whole or not at all.

    Names are streamed; what is kept in memory does not grow with them but for the pieces of words.
    digest (str): As `digest_sources` gives it.
    progress (Callable[[int], None]): Is told how many names were read.
    RAISES (ConfigError): No name with an id in any source.
    RAISES (OutputError): Where no file can be made, or another process is making it.
    """
    with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as db:
        # The file appears when it is whole: there is nothing to take back.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = {_CACHE_SIZE}"):
            db.execute(f"PRAGMA {pragma}")
        db.executescript(TABLES)
        writer = _NameWriter(db, progress)
        for source in sources:
            writer.add(source)
        info = writer.describe(digest)
        if not info.n_names:
            reasons = ", ".join(f"{n:,} {why}" for why, n in info.skipped.items()) or "no row"
            raise ConfigError(f"found no name to write to {Path(path)} ({reasons}); expected one")
        db.executescript(INDICES)
        _link_aliases(db)
        db.execute(
            "UPDATE concept SET count = "
            "(SELECT sum(count) FROM name WHERE name.concept = concept.number)"
        )
        write_forms(db)
        write_edits(db)
        write_meta(db, info)
        db.commit()
        db.execute("ANALYZE")
        db.commit()
    return info


class _NameWriter:
    """Takes names in, each once for its concept."""

    def __init__(self, db: sqlite3.Connection, progress: Callable[[int], None]) -> None:
        self._db, self._progress = db, progress
        self._sources: List[SourceInfo] = []
        self._skipped: Counter[str] = Counter()
        self._n_read = 0
        self._find_label = lru_cache(maxsize=None)(self._add_label)
        # Rows of a concept stand together in most terminologies.
        self._find_concept = lru_cache(maxsize=1 << 12)(self._add_concept)

    def add(self, source: NameSource) -> None:
        """Stream the names of a source into the tables."""
        number = len(self._sources)
        rows = self._make_rows(source, number)
        self._db.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (exact, concept) DO UPDATE "
            "SET count = count + excluded.count, kind = min(kind, excluded.kind)",
            rows,
        )
        about = source.about()
        self._sources.append(about)
        self._skipped += source.skipped
        facts = {**asdict(about), "digest": source.digest, "number": number}
        self._db.execute(
            "INSERT INTO source VALUES "
            "(:number, :name, :version, :licence, :url, :n_rows, :digest)",
            facts,
        )

    def describe(self, digest: str) -> StoreInfo:
        """Return what the store has."""
        (n_concepts,) = self._db.execute("SELECT count(*) FROM concept").fetchone()
        (n_names,) = self._db.execute("SELECT count(*) FROM name").fetchone()
        labels = [row[0] for row in self._db.execute("SELECT name FROM label ORDER BY name")]
        skipped = dict(sorted(self._skipped.items()))
        facts = (tuple(labels), tuple(self._sources), skipped, probe_stemmer())
        return StoreInfo(digest, n_concepts, n_names, *facts)

    def _make_rows(self, source: NameSource, number: int) -> Iterator[Sequence[object]]:
        for item in source.read():
            item = _make_storable(item)
            self._n_read += 1
            if self._n_read % _BATCH == 0:
                self._progress(self._n_read)
            key = normalize_concept_id(item.id)
            exact = make_exact_key(item.name)
            form = make_form(item.name)
            if not key:
                source.skipped[NO_ID] += 1
            elif not exact:
                source.skipped[NO_NAME] += 1
            else:
                label = self._find_label(item.label)
                concept = self._find_concept(key, item.id, label)
                if item.kind <= SYNONYM:
                    self._name_concept(concept, item)
                yield exact, concept, form, item.kind, number, item.count, item.name

    def _name_concept(self, concept: int, item: ConceptName) -> None:
        """Keep the first of the preferred names, without one the first of all."""
        self._db.execute(
            "UPDATE concept SET name = ?, kind = ? WHERE number = ? AND kind > ?",
            (item.name, item.kind, concept, item.kind),
        )

    def _add_label(self, name: str) -> int:
        return int(self._db.execute("INSERT INTO label (name) VALUES (?)", (name,)).lastrowid or 0)

    def _add_concept(self, key: str, concept_id: str, label: int) -> int:
        query = "SELECT number FROM concept WHERE key = ? AND label = ?"
        found = self._db.execute(query, (key, label)).fetchone()
        if found is None:
            added = "INSERT INTO concept (key, id, label, name, kind) VALUES (?, ?, ?, '', ?)"
            return int(self._db.execute(added, (key, concept_id, label, MENTION)).lastrowid or 0)
        return int(found[0])


def _make_storable(item: ConceptName) -> ConceptName:
    texts = (item.id, item.name, item.label)
    if all(map(str.isascii, texts)):
        return item
    concept_id, name, label = map(make_storable, texts)
    return replace(item, id=concept_id, name=name, label=label)


def _link_aliases(db: sqlite3.Connection) -> None:
    """Note of ids that a terminology gives to a concept besides its own which concept that is."""
    db.execute(
        "UPDATE concept SET alias = (SELECT other.concept FROM name AS mine JOIN name AS other "
        "ON other.exact = mine.exact AND other.kind = ? AND other.source = mine.source "
        "JOIN concept AS target ON target.number = other.concept AND target.label = concept.label "
        "WHERE mine.concept = concept.number AND mine.kind = ? "
        "AND other.concept != concept.number LIMIT 1) "
        "WHERE number IN (SELECT concept FROM name WHERE kind = ?)",
        (PREFERRED_NAME, OTHER_ID, OTHER_ID),
    )
