"""JSON of texts with stretches of them, as spaCy, Prodigy, this package and many others write it.

    {"text": "Naloxone reverses …", "spans": [{"start": 0, "end": 8, "label": "Chemical"}]}

Read are Prodigy's tasks (those that were rejected or ignored are left out and counted in
`reading_notes["rejected_skipped"]`), `doc.to_json()` of spaCy ("ents", "spans" by key, "sents",
"tokens"), spaCy's training tuples `["text", {"entities": [[start, end, label]]}]`, and what is like
them under other names (see `span_keys`): BERN2, PubAnnotation, dataturks, LightTag and more; one a
line, in an array, or in an array within an object. What is written is a Prodigy task with further
keys for all else that a record holds.
"""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Tuple

from spacy_bioner.corpora.formats.capabilities import FEATURES
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.containers import stream_documents
from spacy_bioner.corpora.formats.json_files.fields.span_documents import (
    read_span_document,
    unify,
)
from spacy_bioner.corpora.formats.json_files.reader import Item
from spacy_bioner.corpora.formats.json_files.shapes import find_documents
from spacy_bioner.corpora.formats.offsets.units import read_in_characters
from spacy_bioner.corpora.formats.read_errors import (
    DOCUMENT,
    ReadErrors,
    at_least_one,
    note_skipped,
    read_each,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Mention, Record

SKIPPED_KEY = "rejected_skipped"


def read_jsonl(
    path: PathLike, *, offsets: Optional[str] = None, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents; those without an "id" are numbered.

    offsets (Optional[str]): What offsets count (see `offsets.units.UNITS`); None finds it.
    RAISES (CorpusError): Malformed JSON, or a document that is none of the known forms.
    """
    path = Path(path)
    error = CorpusError("found no document, expected objects with a text", path=path, line=1)
    records = read_in_characters(
        lambda noted: note_skipped(_read(path, noted), SKIPPED_KEY),
        offsets,
        path=path,
        problems=problems,
    )
    yield from at_least_one(records, error)


def write_jsonl(records: Iterable[Record], path: PathLike) -> int:
    """Write one document a line. RETURNS (int): Their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(_to_object(record), ensure_ascii=False) + "\n")
            count += 1
    return count


def _read(path: Path, problems: Optional[ReadErrors]) -> Iterator[Optional[Record]]:
    container = find_documents(path)

    def read(item: Tuple[int, Item]) -> Optional[Record]:
        number, (line, value) = item
        if value is None and container.kind == "list":
            # The NER annotator puts null for a text that nobody has annotated.
            return None
        return read_span_document(unify(value, path, line), str(number), problems)

    documents = stream_documents(path, container, problems=problems)
    return read_each(enumerate(documents, start=1), read, problems, unit=DOCUMENT)


def _to_object(record: Record) -> Dict[str, Any]:
    text = record.text
    data: Dict[str, Any] = {
        "id": record.id,
        "text": text,
        "spans": [_to_span(mention, text) for mention in record.mentions],
        "tokens": [
            {
                "text": text[start:end],
                "start": start,
                "end": end,
                "id": index,
                "ws": text[end : end + 1] == " ",
            }
            for index, (start, end) in enumerate(record.words)
        ],
        "sections": [{"name": name, "start": a, "end": b} for name, a, b in record.sections],
        "sentence_starts": list(record.sentence_starts),
        "meta": record.meta,
    }
    return {key: value for key, value in data.items() if value or key in ("id", "text", "spans")}


def _to_span(mention: Mention, text: str) -> Dict[str, Any]:
    claimed = mention.text
    data: Dict[str, Any] = {
        "start": mention.start_char,
        "end": mention.end_char,
        "label": mention.label,
        "text": claimed or text[mention.start_char : mention.end_char],
        "concept_ids": list(mention.concept_ids),
        "fragments": [list(piece) for piece in mention.fragments],
        "attributes": [list(pair) for pair in mention.attributes],
    }
    kept = ("start", "end", "label")
    return {key: value for key, value in data.items() if value or key in kept}


FORMAT = Format(
    "jsonl",
    "JSON (Lines) of texts with spans: Prodigy, spaCy, BERN2, PubAnnotation, dataturks, …",
    read_jsonl,
    write_jsonl,
    aliases=("prodigy", "json", "bern2", "pubannotation", "dataturks", "lighttag", "argilla"),
    carried=frozenset(FEATURES),
    endings=(".jsonl",),
    options=frozenset(("offsets",)),
)
