"""BigBio's KB schema, as JSON: read only.

    {"id": "0", "document_id": "23592909", "passages": [{"type": "title", "text": ["…"],
     "offsets": [[0, 16]]}], "entities": [{"id": "T1", "type": "Chemical", "text": ["aspirin"],
     "offsets": [[8, 15]], "normalized": [{"db_name": "MESH", "db_id": "D001241"}]}]}

Passages stand at their offsets, with spaces between; their types are the sections. Events,
relations and coreferences are counted.
"""

from typing import Any, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.fields.span_fields import (
    as_offset,
    read_normalizations,
)
from spacy_bioner.corpora.formats.json_files.shapes import read_in_any_unit
from spacy_bioner.corpora.formats.read_errors import ReadErrors, read_each
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Fragment, Mention, Record

_COUNTED = {
    "events": "events_skipped",
    "relations": "relations_skipped",
    "coreferences": "coreferences_skipped",
}
_OWN = frozenset(("id", "document_id", "passages", "entities", *_COUNTED))


def read_bigbio(
    path: PathLike, *, offsets: Optional[str] = None, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents; the id is the corpus' own ("document_id").

    offsets (Optional[str]): What offsets count; None finds it.
    RAISES (CorpusError): Malformed JSON, passages or entities.
    """
    return read_in_any_unit(path, _to_record, offsets, problems, expected="objects with passages")


def _to_record(fields: Fields, number: str, problems: Optional[ReadErrors]) -> Record:
    text, sections = _read_passages(fields)
    entities = fields.get("entities", list, [])
    read = read_each(entities, lambda item: _read_entity(fields.inner(item, "entity")), problems)
    others = {key: item for key, item in fields.value.items() if key not in _OWN}
    plain = {key: item for key, item in others.items() if isinstance(item, (str, int, float))}
    counts = {name: len(fields.get(key, list, [])) for key, name in _COUNTED.items()}
    meta, notes = fields.meta(plain), note_counts(counts)
    own_id = fields.name("document_id") or fields.name("id") or number
    return Record(own_id, text, tuple(read), sections=sections, meta=meta, reading_notes=notes)


def _read_passages(fields: Fields) -> Tuple[str, Tuple[Tuple[str, int, int], ...]]:
    text = ""
    sections: List[Tuple[str, int, int]] = []
    for passage in fields.objects("passages", "passage"):
        pieces = _list_texts(passage)
        places = _read_places(passage)
        if len(pieces) != len(places):
            found = f"found {len(pieces)} texts and {len(places)} offsets"
            raise fields.error(f"{found} in a passage, expected as many")
        for piece, (start, end) in zip(pieces, places, strict=True):
            if start < len(text):
                found = f"found a passage at {start}, within the one before it"
                raise fields.error(f"{found}, which ends at {len(text)}")
            text += " " * (start - len(text)) + piece
            sections.append((passage.name("type"), start, min(end, len(text))))
    return text, tuple((name, start, end) for name, start, end in sections if name)


def _read_entity(entity: Fields) -> Mention:
    pieces = sorted(set(_read_places(entity)))
    if not pieces:
        raise entity.error("found an entity without offsets, expected one pair at least")
    return Mention(
        pieces[0][0],
        max(end for _, end in pieces),
        entity.text("type"),
        " ".join(_list_texts(entity)),
        concept_ids=read_normalizations(entity.get("normalized", list, []), entity),
        fragments=tuple(pieces) if len(pieces) > 1 else (),
        line=entity.line,
    )


def _list_texts(fields: Fields) -> Tuple[str, ...]:
    value = fields.value.get("text")
    return fields.texts(value if isinstance(value, list) else [value or ""], "texts")


def _read_places(fields: Fields) -> List[Fragment]:
    items: List[Any] = fields.get("offsets", list, [])
    if len(items) == 2 and all(as_offset(item) is not None for item in items):
        items = [items]
    places: List[Fragment] = []
    for item in items:
        numbers = [as_offset(part) for part in item] if isinstance(item, list) else []
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            fields.row(item, (int, int), "pair of offsets")
            raise fields.error("found offsets that are no pair, expected [start, end]")
        places.append((numbers[0], numbers[1]))
    return places


FORMAT = Format("bigbio", "BigBio's KB schema (JSON)", read_bigbio, options=frozenset(("offsets",)))
