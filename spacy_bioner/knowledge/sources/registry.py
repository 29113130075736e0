"""All kinds of sources: a file is told by its content, and its rows are checked alike."""

from pathlib import Path
from typing import Iterator, List, Optional, Tuple

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.sources import (
    cellosaurus,
    icd10cm,
    mesh_ascii,
    mesh_xml,
    mrconso,
    ncbi_gene,
    ncbi_taxonomy,
    obo,
    rdf,
    tsv,
)
from spacy_bioner.knowledge.sources.rows import (
    SourceFile,
    SourceKind,
    TermRow,
    is_archive,
    list_members,
)
from spacy_bioner.knowledge.typography import simplify_text

# The table is told by tabs alone: it comes last.
KINDS: Tuple[SourceKind, ...] = (
    mesh_xml.KIND,
    mesh_ascii.KIND,
    ncbi_gene.KIND,
    ncbi_taxonomy.KIND,
    cellosaurus.KIND,
    icd10cm.KIND,
    mrconso.KIND,
    obo.KIND,
    rdf.KIND,
    tsv.KIND,
)
MAX_NAME = 1_000
_TITLES = "; ".join(kind.title for kind in KINDS)


class TermSource:
    """A file of a terminology, and its kind."""

    def __init__(self, file: SourceFile, kind: SourceKind) -> None:
        self.file, self.kind = file, kind

    @classmethod
    def of_path(cls, path: Path) -> "TermSource":
        """Tell the kind of a file by its content.

        path (Path): A file, or the folder of a taxonomy dump.
        RAISES (TermTableError): One that is absent, or of no kind that is known.
        """
        names = path / ncbi_taxonomy.NAMES
        if path.is_dir() and not names.is_file():
            raise TermTableError("found a folder, expected a file; name one in it", path=path)
        file = SourceFile(names if path.is_dir() else path)
        if not file.path.exists():
            raise TermTableError("found no such file; check the path", path=path)
        head = file.read_head()
        kind = _tell_kind(head)
        if kind is None:
            message = f"found {head[:40]!r}, which is of no known kind; expected one of: {_TITLES}"
            raise TermTableError(message, path=path, line=1)
        return cls(file, kind)

    @classmethod
    def find_all(cls, path: Path) -> List["TermSource"]:
        """Find the sources of a path: one, or those among the members of a ZIP archive.

        A member that is told by tabs alone counts only where no other kind is among them: it may
        be anything.
        RAISES (TermTableError): As above, and an archive that is damaged or encrypted, or without
            a member of a kind that is known.
        """
        if not is_archive(path):
            return [cls.of_path(path)]
        found = [(file, _tell_kind(file.read_head())) for file in list_members(path)]
        told = [cls(file, kind) for file, kind in found if kind]
        if not told:
            names = ", ".join(file.path.name for file, _ in found[:5]) or "nothing"
            raise TermTableError(f"found {names} in it; expected one of: {_TITLES}", path=path)
        return [source for source in told if source.kind is not tsv.KIND] or told

    def read(self) -> Iterator[TermRow]:
        """Stream the rows that have an id and a name; all others are counted in `file.skipped`.

        RAISES (TermTableError): A file that is damaged, or in which there is no row.
        """
        file = self.file
        for row in self.kind.read(file):
            if not row.name.isprintable():
                # Line breaks and tabs within a name.
                row = row._replace(name=" ".join(row.name.split()))
            if not row.id:
                file.skip("rows without an id", row.name)
            elif not _is_name(row.name):
                file.skip("rows without a name", row.id)
            elif len(row.name) > MAX_NAME:
                file.skip(f"names of more than {MAX_NAME:,} characters", row.name)
            else:
                file.n_rows += 1
                yield row
        file.licence = file.licence or self.kind.licence
        file.url = file.url or self.kind.url
        if not file.n_rows:
            reasons = ", ".join(f"{count.count:,} {why}" for why, count in file.skipped.items())
            message = f"found no term ({reasons or 'nothing in it'}); expected {self.kind.title}"
            raise TermTableError(f"{message} with at least one; check the file", path=file.path)


def _tell_kind(head: str) -> Optional[SourceKind]:
    return next((kind for kind in KINDS if kind.looks_like(head)), None)


def _is_name(name: str) -> bool:
    """Say whether there is anything besides spaces and hyphens, of whatever kind."""
    return bool((name if name.isascii() else simplify_text(name)).strip("- "))
