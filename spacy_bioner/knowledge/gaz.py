"""Files of compiled terms (`.gaz`), which are mapped into memory, not read."""

import codecs
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence, Tuple

from spacy_bioner.errors import TermTableError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.packing import FORMAT_VERSION, damage
from spacy_bioner.knowledge.table import NO_RULES, TermTable
from spacy_bioner.knowledge.table import SourceInfo as SourceInfo
from spacy_bioner.knowledge.terms import Term

_HEAD_SIZE = 256
# A character may be cut off at the end.
_DECODER = codecs.getincrementaldecoder("utf-8")


@dataclass(frozen=True)
class GazInfo:
    """What a `.gaz` file has.

    n_terms (int): Distinct terms.
    labels (Tuple[str, ...]): Their labels, sorted.
    sources (Tuple[SourceInfo, ...]): Where they come from.
    rules (Mapping[str, Any]): By which rules they were chosen and changed.
    size (int): Bytes of the file.
    version (int): Version of its format.
    """

    n_terms: int
    labels: Tuple[str, ...]
    sources: Tuple[SourceInfo, ...]
    rules: Mapping[str, Any]
    size: int
    version: int = FORMAT_VERSION


def write_gaz(
    terms: Iterable[Term],
    path: PathLike,
    *,
    sources: Sequence[SourceInfo] = (),
    rules: Mapping[str, Any] = NO_RULES,
) -> GazInfo:
    """Compile terms and write them, whole or not at all; of equal terms the first is kept.

    rules (Mapping[str, Any]): By which rules the terms were chosen and changed; values of JSON.
    RAISES (TermTableError): A name of nothing but spaces and hyphens.
    RAISES (OutputError): Where no file can be made, or another process is making it.
    """
    matcher = TermMatcher(terms, sources=sources, rules=rules)
    size = 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        for piece in matcher.pack():
            size += file.write(piece)
    return describe_table(matcher.table, size)


def read_gaz(path: PathLike, *, variants: bool = False) -> TermMatcher:
    """Map a file that `write_gaz` wrote, or bytes of `TermMatcher.to_bytes`, and check its sum.

    variants (bool): See `TermMatcher`.
    RAISES (TermTableError): No such file, one of a newer format, or one that is not whole.
    """
    path = Path(path)
    if not path.is_file():
        raise TermTableError("found no such file; expected a .gaz file; check the path", path=path)
    if not path.stat().st_size:
        raise damage("an empty file", path)
    with path.open("rb") as file:
        if _is_text(file.read(_HEAD_SIZE)):
            raise TermTableError(
                "found text; expected a .gaz file; `bioner terms import` makes one of it", path=path
            )
        # The mapping lives as long as arrays look at it, and a file that is replaced stays as is.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return TermMatcher.from_bytes(mapped, variants, path=path)


def _is_text(head: bytes) -> bool:
    """Tell lines of text from the numbers that the file begins with in any version."""
    try:
        return b"\n" in head and b"\0" not in head and bool(_DECODER().decode(head))
    except UnicodeDecodeError:
        return False


def describe_table(table: TermTable, size: int) -> GazInfo:
    """Return what is known of a table.

    size (int): Bytes of its file.
    """
    return GazInfo(len(table), tuple(table.labels), table.sources, table.rules, size)
