"""OBO ontologies."""

import re
from typing import Dict, Iterator, List, Tuple

from spacy_bioner.knowledge.sources.rows import PREFERRED, SourceFile, SourceKind, TermRow

_START = re.compile(r"(?:^|\n)(?:format-version: |\[Term\]\s*(?:\n|$))")
_TAG = re.compile(r"([A-Za-z_-]+):\s*(.*)")
_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(EXACT|NARROW|BROAD|RELATED)?')
_LICENCE = re.compile(r'\S*(?:terms/|dcterms[:-]|dc:)(?:license|rights)\s+"?([^"\s]+)"?')
_COMMENT = re.compile(r"(?<![\\\s])\s+!.*$")
_ESCAPES = {"n": " ", "t": " ", "W": " "}
_ESCAPE = re.compile(r"\\(.)")
_TERM, _HEADER = "[Term]", ""
Fields = Dict[str, List[str]]


def looks_like_obo(head: str) -> bool:
    """Say whether a file that starts so is OBO."""
    return _START.search(head.replace("\r\n", "\n")) is not None


def read_obo(source: SourceFile) -> Iterator[TermRow]:
    """Stream the names and synonyms of terms; the label is the namespace or the ontology.

    Obsolete terms are left out.
    RAISES (TermTableError): Terms that are each other's parents, found at the end.
    """
    parents: Dict[str, List[Tuple[str, int]]] = {}
    fallback = ""
    for stanza, fields, line in _read_stanzas(source):
        if stanza == _HEADER:
            fallback = _take_header(fields, source)
        elif stanza == _TERM:
            concept_id = fields.get("id", [""])[0].strip()
            if concept_id and "is_a" in fields:
                parents[concept_id] = [(_cut(one).split(" ")[0], line) for one in fields["is_a"]]
            yield from _list_rows(fields, concept_id, fallback, source)
    _refuse_circle(parents, source)


def _read_stanzas(source: SourceFile) -> Iterator[Tuple[str, Fields, int]]:
    stanza, fields, start = _HEADER, {}, 1  # type: Tuple[str, Fields, int]
    for text in source.read_lines():
        if text.startswith("["):
            yield stanza, fields, start
            stanza, fields, start = text.strip(), {}, source.line
        elif tag := _TAG.match(text):
            fields.setdefault(tag[1], []).append(tag[2])
        elif text.strip() and not text.startswith("!"):
            source.skip("malformed lines", text)
    yield stanza, fields, start


def _take_header(fields: Fields, source: SourceFile) -> str:
    source.version = fields.get("data-version", fields.get("date", [""]))[0].strip()
    for value in fields.get("property_value", ()):
        if licence := _LICENCE.match(value):
            source.licence = licence[1]
    return fields.get("default-namespace", fields.get("ontology", [""]))[0].strip()


def _list_rows(
    fields: Fields, concept_id: str, fallback: str, source: SourceFile
) -> Iterator[TermRow]:
    name = _unescape(_cut(fields.get("name", [""])[0]))
    if not concept_id:
        source.skip("terms without an id", name)
        return
    if fields.get("is_obsolete", ["false"])[0].strip().startswith("true"):
        source.skip("obsolete terms", name or concept_id)
        return
    label = _cut(fields.get("namespace", [fallback])[0])
    yield TermRow(concept_id, name, label, PREFERRED)
    for value in fields.get("synonym", ()):
        synonym = _SYNONYM.match(value)
        if synonym is None:
            source.skip("malformed synonyms", value)
            continue
        text, kind = _unescape(synonym[1]), (synonym[2] or "RELATED").lower()
        if text != name:
            yield TermRow(concept_id, text, label, kind)


def _refuse_circle(parents: Dict[str, List[Tuple[str, int]]], source: SourceFile) -> None:
    done = set()
    for start in parents:
        # The way down to a term, and beside each of its terms the parents still to look at.
        way, open_parents = [start], [iter(parents[start])]
        while way:
            parent, line = next(open_parents[-1], ("", 0))
            if not parent:
                done.add(way.pop())
                open_parents.pop()
            elif parent in way:
                source.line = line
                circle = " → ".join([*way[way.index(parent) :], parent])
                message = f"found terms that are their own parents (is_a: {circle}); expected no "
                raise source.error(f"{message}circle; correct the file, or fetch it again")
            elif parent not in done:
                way.append(parent)
                open_parents.append(iter(parents.get(parent, ())))


def _cut(value: str) -> str:
    """Leave out a comment and the modifiers behind a value."""
    value = _COMMENT.sub("", value).strip()
    return re.sub(r"(?<!\\)\s*\{[^{}]*\}$", "", value)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), text).strip()


KIND = SourceKind("obo", "OBO", read_obo, looks_like_obo, general=True)
