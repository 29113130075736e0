"""Tables separated by tabs: id, name, label, kind."""

from typing import Dict, Iterator, Sequence

from spacy_bioner.knowledge.sources.rows import (
    EXACT,
    SourceFile,
    SourceKind,
    TermRow,
    split_cells,
)

_COLUMNS = ("id", "name", "label", "kind")
_TWINS = {"concept_id": "id"}
# Comments before the first row that tell what is known of the table: "# licence: CC0".
_COMMENT = "#"
_FACTS = {"version": "version", "licence": "licence", "license": "licence", "url": "url"}


def looks_like_tsv(head: str) -> bool:
    """Say whether a file that starts so has two columns at least."""
    rows = (line for line in head.splitlines() if line.strip() and not line.startswith(_COMMENT))
    return "\t" in next(rows, "")


def read_tsv(source: SourceFile) -> Iterator[TermRow]:
    """Stream the rows; a header may name the columns, else they are id, name and label.

    Comments before the first row may tell the version, the licence and the url.
    """
    columns: Dict[str, int] = {}
    for text in source.read_lines():
        if not columns and text.startswith(_COMMENT):
            _take_fact(text, source)
            continue
        if not text.strip():
            continue
        cells = split_cells(text)
        if not columns:
            columns = _find_columns(cells)
            needed = max(columns["id"], columns["name"]) + 1
            if "name" in [cell.lower() for cell in cells]:
                continue
        if len(cells) < needed:
            source.skip(f"rows of less than {needed} columns", text)
            continue
        row = {name: cells[place] for name, place in columns.items() if place < len(cells)}
        yield TermRow(row["id"], row["name"], row.get("label", ""), row.get("kind") or EXACT)


def _take_fact(text: str, source: SourceFile) -> None:
    key, _, value = text.lstrip(_COMMENT).partition(":")
    if key.strip().lower() in _FACTS:
        setattr(source, _FACTS[key.strip().lower()], value.strip())


def _find_columns(cells: Sequence[str]) -> Dict[str, int]:
    names = [_TWINS.get(cell.lower(), cell.lower()) for cell in cells]
    if "id" in names and "name" in names:
        return {name: names.index(name) for name in _COLUMNS if name in names}
    return {name: place for place, name in enumerate(_COLUMNS[: max(2, len(cells))])}


KIND = SourceKind(
    "tsv", "table separated by tabs (id, name, label, kind)", read_tsv, looks_like_tsv, general=True
)
