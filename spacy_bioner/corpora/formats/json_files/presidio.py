"""Sentences with identifiers as Presidio's data generator writes them; read only.

[{"full_text": "My name is …", "spans": [{"entity_type": "PERSON", "entity_value": "…",
  "start_position": 11, "end_position": 20}], "template_id": 3}]
"""

from functools import partial
from pathlib import Path
from typing import Any, Iterator, Optional

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields, span_of
from spacy_bioner.corpora.formats.json_files.shapes import read_documents
from spacy_bioner.corpora.formats.read_errors import ReadErrors, at_least_one, read_each
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

_META_KEYS = ("template_id", "sample_id")


def read_presidio(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the sentences, numbered, with their spans in the order of the file.

    RAISES (CorpusError): Malformed JSON, or an object without a text.
    """
    path = Path(path)
    error = CorpusError("found no sentence, expected objects with full_text", path=path, line=1)
    read = partial(_to_record, problems=problems)
    yield from at_least_one(read_documents(path, read, problems, what="sentence"), error)


def _to_record(fields: Fields, number: str, problems: Optional[ReadErrors]) -> Record:
    text = fields.text("full_text")

    def read(item: Any) -> Mention:
        span = fields.inner(item, "span")
        start, end = span.get("start_position", int), span.get("end_position", int)
        value = span.text("entity_value", "")
        return span_of(text, start, end, span.text("entity_type"), value, line=fields.line)

    mentions = read_each(fields.get("spans", list, []), read, problems)
    meta = {key: fields.name(key) for key in _META_KEYS if fields.value.get(key) is not None}
    return Record(number, text, tuple(mentions), meta=meta)


FORMAT = Format("presidio", "Presidio's synthetic sentences (JSON)", read_presidio)
