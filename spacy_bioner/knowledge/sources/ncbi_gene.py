"""NCBI Gene: gene_info, one gene a line."""

from typing import Dict, Iterator, Sequence, Tuple

from spacy_bioner.knowledge.sources.rows import (
    PREFERRED,
    SYMBOL,
    SourceFile,
    SourceKind,
    TermRow,
    split_cells,
)

_START = "#tax_id\tGeneID\tSymbol\t"
LABEL = "Gene"
_NONE = "-"
# A record that waits for a curator has this for a symbol.
_PLACEHOLDER = "NEWENTRY"
# Column, kind of its names; several names in a cell stand between bars.
_NAMES: Sequence[Tuple[str, str]] = (
    ("Symbol", SYMBOL),
    ("Symbol_from_nomenclature_authority", SYMBOL),
    ("Synonyms", "synonym"),
    ("Full_name_from_nomenclature_authority", PREFERRED),
    ("description", "description"),
    ("Other_designations", "designation"),
)


def looks_like_gene_info(head: str) -> bool:
    """Say whether a file that starts so is a gene_info."""
    return head.startswith(_START)


def read_gene_info(source: SourceFile) -> Iterator[TermRow]:
    """Stream the symbols and names of genes; the version is the day of the last change in it."""
    columns: Dict[str, int] = {}
    for text in source.read_lines():
        cells = split_cells(text)
        if not columns:
            columns = {name.lstrip("#"): place for place, name in enumerate(cells)}
            chosen = [(columns[name], kind) for name, kind in _NAMES if name in columns]
            continue
        if len(cells) < len(columns):
            source.skip(f"rows of less than {len(columns)} columns", text)
            continue
        if cells[columns["Symbol"]] == _PLACEHOLDER:
            source.skip("placeholders", text)
            continue
        source.version = max(source.version, _read_day(cells, columns))
        kinds: Dict[str, str] = {}
        for place, kind in chosen:
            for name in cells[place].split("|") if cells[place] != _NONE else ():
                kinds.setdefault(name.strip(), kind)
        for name, kind in kinds.items():
            yield TermRow(cells[columns["GeneID"]], name, LABEL, kind)


def _read_day(cells: Sequence[str], columns: Dict[str, int]) -> str:
    day = cells[columns["Modification_date"]] if "Modification_date" in columns else ""
    return day if day != _NONE else ""


KIND = SourceKind(
    "ncbi_gene",
    "NCBI Gene (gene_info)",
    read_gene_info,
    looks_like_gene_info,
    licence="public domain (NCBI, U.S. Government work)",
    url="https://ftp.ncbi.nlm.nih.gov/gene/DATA/",
)
