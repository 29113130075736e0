"""MeSH as ASCII: descriptors (d2025.bin) and supplementary records (c2025.bin)."""

import re
from typing import Dict, Iterator, List, Tuple

from spacy_bioner.knowledge.sources.mesh_labels import (
    CHEMICAL,
    DISEASE,
    LICENCE,
    URL,
    find_kind,
    find_labels,
)
from spacy_bioner.knowledge.sources.rows import PREFERRED, SourceFile, SourceKind, TermRow

_START = "*NEWRECORD"
_FIELD = re.compile(r"([A-Z][A-Z0-9_ ]*) = (.*)")
_YEAR = re.compile(r"[cd](\d{4})\.bin")
# The files do not say which class a supplementary record is of, but its semantic types (UMLS).
_DISEASE_TYPES = {"T019", "T020", "T033", "T037", "T046", "T047", "T048", "T049", "T184"}
_DISEASE_TYPES |= {"T190", "T191"}
_ENTRIES = ("PRINT ENTRY", "ENTRY", "SY")
# An entry ends with a letter for each of its parts: a the name, c its form, d its relation.
_NAME, _FORM, _RELATION = "a", "c", "d"
Fields = Dict[str, List[str]]


def looks_like_mesh_ascii(head: str) -> bool:
    """Say whether a file that starts so is MeSH as ASCII."""
    return head.lstrip().startswith(_START)


def read_mesh_ascii(source: SourceFile) -> Iterator[TermRow]:
    """Stream the names of descriptors and supplementary records.

    The year is in the file's name only.
    """
    if year := _YEAR.search(source.path.name):
        source.version = year[1]
    fields: Fields = {}
    for text in source.read_lines():
        if text.strip() == _START:
            yield from _list_rows(fields, source)
            fields = {}
        elif field := _FIELD.fullmatch(text):
            fields.setdefault(field[1], []).append(field[2].strip())
        elif text.strip():
            source.skip("malformed lines", text)
    yield from _list_rows(fields, source)


def _list_rows(fields: Fields, source: SourceFile) -> Iterator[TermRow]:
    if not fields:
        return
    heading = (fields.get("MH") or fields.get("NM") or [""])[0]
    concept_id = fields.get("UI", [""])[0]
    labels = _find_record_labels(fields)
    if not concept_id:
        source.skip("records without an id", heading)
        return
    if not labels:
        source.skip("records without a place in the tree", heading or concept_id)
        return
    kinds = {heading: PREFERRED}
    for key in _ENTRIES:
        for entry in fields.get(key, ()):
            name, kind = _parse_entry(entry)
            kinds.setdefault(name, kind)
    for label in labels:
        for name, kind in kinds.items():
            yield TermRow(concept_id, name, label, kind)


def _find_record_labels(fields: Fields) -> List[str]:
    record_type = fields.get("RECTYPE", ["D"])[0]
    if record_type == "C":
        return [CHEMICAL if _DISEASE_TYPES.isdisjoint(fields.get("ST", ())) else DISEASE]
    return find_labels(fields.get("MN", ())) if record_type == "D" else []


def _parse_entry(entry: str) -> Tuple[str, str]:
    *parts, layout = entry.split("|")
    if not parts:
        return entry.strip(), find_kind("", "")
    values = dict(zip(layout, parts, strict=False))
    name = values.get(_NAME, parts[0]).strip()
    return name, find_kind(values.get(_RELATION, ""), values.get(_FORM, ""))


KIND = SourceKind(
    "mesh_ascii", "MeSH (ASCII)", read_mesh_ascii, looks_like_mesh_ascii, licence=LICENCE, url=URL
)
