"""The NCBI Taxonomy dump: names.dmp, and beside it nodes.dmp with the ranks."""

import re
from typing import Iterator, Optional, Set, Tuple

from spacy_bioner.knowledge.sources.rows import PREFERRED, SourceFile, SourceKind, TermRow

NAMES, NODES = "names.dmp", "nodes.dmp"
SPECIES, TAXON = "Species", "Taxon"
_START = re.compile(r"\d+\t\|\t[^|\n]*\t\|\t[^|\n]*\t\|\t[a-z -]+\t\|")
_SEPARATOR, _END = "\t|\t", "\t|"
_PREFERRED = "scientific name"
# Names with their author and year, and labels of specimens.
_NO_NAMES = ("authority", "type material")
_ABOVE = {"acellular root", "cellular root", "domain", "realm", "kingdom", "phylum", "class"}
_ABOVE |= {"order", "family", "genus", "tribe", "section", "series", "cohort", "clade"}
_PREFIXES = ("super", "sub", "infra", "parv")


def looks_like_names(head: str) -> bool:
    """Say whether a file that starts so is the names.dmp of a dump."""
    return _START.match(head) is not None


def read_taxonomy(source: SourceFile) -> Iterator[TermRow]:
    """Stream the names of organisms.

    Where nodes.dmp lies beside, ranks above the species have the label "Taxon", not "Species".
    RAISES (TermTableError): A nodes.dmp with a malformed row.
    """
    above = _read_higher_taxa(source)
    for text in source.read_lines():
        cells = _split(text)
        if cells is None or len(cells) < 4 or not cells[0].isdigit():
            source.skip("malformed rows", text)
        elif cells[3] in _NO_NAMES:
            source.skip(f"names of the class '{cells[3]}'", cells[1])
        else:
            label = TAXON if cells[0] in above else SPECIES
            kind = PREFERRED if cells[3] == _PREFERRED else cells[3]
            yield TermRow(cells[0], cells[1], label, kind)


def _read_higher_taxa(source: SourceFile) -> Set[str]:
    packing = source.path.name.partition(NAMES)[2] if NAMES in source.path.name else ""
    nodes = source.find_beside(NODES + packing)
    if nodes is None:
        return set()
    above = set()
    for text in nodes.read_lines():
        cells = _split(text)
        if cells is None or len(cells) < 3:
            raise nodes.error(f"found {text[:60]!r}; expected id, parent and rank; fetch it again")
        if _is_above_species(cells[2]):
            above.add(cells[0])
    return above


def _is_above_species(rank: str) -> bool:
    bare = next((rank[len(part) :] for part in _PREFIXES if rank.startswith(part)), rank)
    return rank in _ABOVE or bare in _ABOVE


def _split(text: str) -> Optional[Tuple[str, ...]]:
    if not text.endswith(_END):
        return None
    return tuple(cell.strip() for cell in text[: -len(_END)].split(_SEPARATOR))


KIND = SourceKind(
    "ncbi_taxonomy",
    "NCBI Taxonomy (names.dmp)",
    read_taxonomy,
    looks_like_names,
    licence="public domain (NCBI, U.S. Government work)",
    url="https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/",
)
