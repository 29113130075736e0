"""doccano's exports of sequence labelling, as JSON Lines or an array.

    {"id": 1, "text": "Naloxone reverses …", "label": [[0, 8, "Chemical"]]}

The list of spans is called "label" or "labels" in one version, and "entities", with "start_offset"
and "end_offset", in another. Relations are counted in `meta["relations_skipped"]`, labels of the
whole document in `meta["document_labels_skipped"]`. Other fields become `Record.meta`.
"""

import json
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.files import PathLike, check_text, replacing
from spacy_bioner.corpora.json_fields import Fields, read_each, span_of
from spacy_bioner.corpora.json_stream import stream_json
from spacy_bioner.corpora.losses import DUPLICATES, LINE_BREAKS, MENTIONS, META, OVERLAPS, own_meta
from spacy_bioner.corpora.problems import DOCUMENT, Problems, at_least_one, skip_or_raise
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

CARRIES: FrozenSet[str] = frozenset((MENTIONS, OVERLAPS, DUPLICATES, LINE_BREAKS, META))
_OWN = frozenset(
    ("id", "text", "data", "label", "labels", "entities", "relations", "meta", "Comments", "cats")
)


def read_doccano(path: PathLike, *, problems: Optional[Problems] = None) -> Iterator[Record]:
    """Stream the documents; those without an "id" are numbered.

    RAISES (CorpusError): Malformed JSON, or an object that is no document.
    """
    path = Path(path)
    error = CorpusError("found no document, expected objects with a text", path=path, line=1)
    yield from at_least_one(_read(path, problems), error)


def write_doccano(records: Iterable[Record], path: PathLike) -> int:
    """Write one document a line. RETURNS (int): Their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            data: Dict[str, Any] = {
                "id": record.id,
                "text": record.text,
                "label": [[m.start_char, m.end_char, m.label] for m in record.mentions],
            }
            meta = own_meta(record.meta)
            if meta:
                data["meta"] = meta
            file.write(json.dumps(data, ensure_ascii=False) + "\n")
            count += 1
    return count


def _read(path: Path, problems: Optional[Problems]) -> Iterator[Record]:
    for number, (line, value) in enumerate(stream_json(path, problems=problems), start=1):
        try:
            yield _to_record(Fields(value, path, line), str(number), problems)
        except CorpusError as error:
            skip_or_raise(error, DOCUMENT, problems)


def _to_record(fields: Fields, number: str, problems: Optional[Problems]) -> Record:
    text = fields.text("text") if "text" in fields.value else fields.text("data")
    mentions, others = _read_mentions(fields, text, problems)
    meta = {
        **fields.meta({k: v for k, v in fields.value.items() if k not in _OWN and v is not None}),
        **fields.meta(fields.value.get("meta") or {}),
    }
    counts = {
        "relations_skipped": len(fields.get("relations", list, [])),
        "document_labels_skipped": others,
    }
    meta.update({key: str(value) for key, value in counts.items() if value})
    return Record(fields.name("id") or number, text, tuple(mentions), meta=meta)


def _read_mentions(
    fields: Fields, text: str, problems: Optional[Problems]
) -> Tuple[List[Mention], int]:
    """Give the mentions, and the number of labels that are of the whole document."""
    items = [item for key in ("label", "labels", "entities") for item in fields.get(key, list, [])]
    spans = [item for item in items if not isinstance(item, (str, int))]

    def read(item: Any) -> Mention:
        if isinstance(item, dict):
            span = fields.inner(item, "span")
            start, end = span.get("start_offset", int), span.get("end_offset", int)
            label = span.text("label")
        else:
            start, end, label = fields.row(item, (int, int, str), "span")[:3]
            label = check_text(label, fields.path, fields.line)
        return span_of(text, start, end, label, line=fields.line)

    return list(read_each(spans, read, problems)), len(items) - len(spans)
