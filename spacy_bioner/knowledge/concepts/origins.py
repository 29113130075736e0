"""Where the names of a store come from: files of terminologies, compiled tables."""

from pathlib import Path
from typing import Iterator, List, Sequence

from spacy_bioner.errors import ConfigError
from spacy_bioner.files.digests import digest
from spacy_bioner.knowledge.concepts.building import ConceptName, NameSource, choose_kind
from spacy_bioner.knowledge.gaz import read_gaz
from spacy_bioner.knowledge.sources.registry import TermSource
from spacy_bioner.knowledge.sources.rows import UNKNOWN
from spacy_bioner.knowledge.table import SourceInfo
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR

GAZ = ".gaz"


def list_origins(path: Path, *, label: str = "") -> List[NameSource]:
    """Return the sources of a path: a table `.gaz`, or any file that `bioner terms import` reads.

    label (str): The label of all its names; empty takes those that it has.
    RAISES (TermTableError): A file that is absent, or of no known kind.
    """
    if path.suffix == GAZ:
        return [_take_gaz(path, label)]
    found = TermSource.find_all(path)
    total = digest(path) if path.is_file() else digest(found[0].file.path)
    return [_take_file(source, label, total) for source in found]


def _take_file(source: TermSource, label: str, total: str) -> NameSource:
    def read() -> Iterator[ConceptName]:
        for row in source.read():
            chosen = label or row.label
            if not chosen:
                raise source.file.error(
                    f"found no label for {row.name[:60]!r}; expected an entity type; name one for "
                    "this file (Disease=FILE)"
                )
            yield ConceptName(row.id, row.name, chosen, choose_kind(row.kind))
        taken.skipped.update({why: item.count for why, item in source.file.skipped.items()})

    def about() -> SourceInfo:
        file = source.file
        name = file.path.stem if source.kind.general else source.kind.title
        return SourceInfo(name, file.version, file.licence or UNKNOWN, file.url, file.n_rows)

    taken = NameSource(read, about, total)
    return taken


def _take_gaz(path: Path, label: str) -> NameSource:
    table = read_gaz(path).table

    def read() -> Iterator[ConceptName]:
        for term in table:
            name = term.name.replace(TOKEN_SEPARATOR, " ")
            yield ConceptName(term.id, name, label or term.label)

    def about() -> SourceInfo:
        known: Sequence[SourceInfo] = table.sources
        if len(known) == 1:
            return known[0]
        licences = "; ".join(dict.fromkeys(source.licence for source in known)) or UNKNOWN
        versions = "; ".join(f"{source.name} {source.version}".strip() for source in known)
        return SourceInfo(path.stem, versions, licences, "", len(table))

    if not len(table):
        raise ConfigError(f"{path}: found a table without terms, expected one at least")
    return NameSource(read, about, digest(path))
