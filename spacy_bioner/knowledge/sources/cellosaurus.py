"""Cellosaurus as text: cell lines, one record between lines of two slashes."""

import re
from typing import Dict, Iterator, List

from spacy_bioner.knowledge.sources.rows import (
    EXACT,
    PREFERRED,
    SourceFile,
    SourceKind,
    TermRow,
)

LABEL = "CellLine"
_START = re.compile(r"^ID   .+\nAC   CVCL_", re.MULTILINE)
_VERSION = re.compile(r"^[^\S\n]*Version:[^\S\n]*(\S+)", re.MULTILINE)
_LICENCE = re.compile(r"(CC BY(?:-[A-Z]+)* \d\.\d)")
_END = "//"
_KEYS = ("ID", "AC", "SY")


def looks_like_cellosaurus(head: str) -> bool:
    """Say whether a file that starts so is Cellosaurus as text."""
    return _START.search(head.replace("\r\n", "\n")) is not None


def read_cellosaurus(source: SourceFile) -> Iterator[TermRow]:
    """Stream the names of cell lines."""
    head = source.read_head()
    if version := _VERSION.search(head):
        source.version = version[1]
    if licence := _LICENCE.search(head):
        source.licence = licence[1]
    fields: Dict[str, List[str]] = {}
    for text in source.read_lines():
        key, value = text[:2], text[5:].strip()
        if text.rstrip() == _END:
            yield from _list_rows(fields, source)
            fields = {}
        elif key in _KEYS and text[2:5].isspace():
            fields.setdefault(key, []).append(value)
    if fields:
        source.skip("records without an end", fields.get("ID", [""])[0])


def _list_rows(fields: Dict[str, List[str]], source: SourceFile) -> Iterator[TermRow]:
    names, accessions = fields.get("ID", [""]), fields.get("AC", [""])
    if not accessions[0]:
        source.skip("records without an id", names[0])
        return
    kinds = {names[0]: PREFERRED}
    for line in fields.get("SY", ()):
        for name in line.split("; "):
            kinds.setdefault(name.strip(), EXACT)
    for name, kind in kinds.items():
        yield TermRow(accessions[0], name, LABEL, kind)


KIND = SourceKind(
    "cellosaurus",
    "Cellosaurus (text)",
    read_cellosaurus,
    looks_like_cellosaurus,
    licence="CC BY 4.0",
    url="https://www.cellosaurus.org/",
)
