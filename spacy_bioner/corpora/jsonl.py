"""JSON Lines as spaCy and Prodigy write them, and as this package does.

    {"text": "Naloxone reverses …", "spans": [{"start": 0, "end": 8, "label": "Chemical"}]}

Read are Prodigy's tasks (those that were rejected or ignored are left out and counted in
`meta["rejected_skipped"]`), `doc.to_json()` of spaCy ("ents", "spans" by key, "sents", "tokens"),
and spaCy's training tuples `["text", {"entities": [[start, end, label]]}]`; one a line, or in an
array. What is written is a Prodigy task with further keys for all else that a record holds.
"""

import json
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.files import PathLike, check_text, replacing
from spacy_bioner.corpora.json_fields import Fields, read_each, span_of
from spacy_bioner.corpora.json_stream import stream_json
from spacy_bioner.corpora.losses import FEATURES, own_meta
from spacy_bioner.corpora.problems import (
    DOCUMENT,
    Problems,
    at_least_one,
    note_skipped,
    skip_or_raise,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Fragment, Mention, Record

CARRIES: FrozenSet[str] = frozenset(FEATURES)
SKIPPED_KEY = "rejected_skipped"


def read_jsonl(path: PathLike, *, problems: Optional[Problems] = None) -> Iterator[Record]:
    """Stream the documents; those without an "id" are numbered.

    RAISES (CorpusError): Malformed JSON, or a document that is none of the known forms.
    """
    path = Path(path)
    error = CorpusError("found no document, expected objects with a text", path=path, line=1)
    yield from at_least_one(note_skipped(_read(path, problems), SKIPPED_KEY), error)


def write_jsonl(records: Iterable[Record], path: PathLike) -> int:
    """Write one document a line. RETURNS (int): Their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(_to_object(record), ensure_ascii=False) + "\n")
            count += 1
    return count


def _read(path: Path, problems: Optional[Problems]) -> Iterator[Optional[Record]]:
    for number, (line, value) in enumerate(stream_json(path, problems=problems), start=1):
        try:
            yield _to_record(_unify(value, path, line), str(number), problems)
        except CorpusError as error:
            skip_or_raise(error, DOCUMENT, problems)


def _unify(value: Any, path: Path, line: int) -> Fields:
    """Turn a training tuple into an object."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict):
        value = {"text": value[0], "entities": value[1].get("entities")}
    return Fields(value, path, line)


def _to_record(fields: Fields, number: str, problems: Optional[Problems]) -> Optional[Record]:
    if fields.value.get("answer") in ("reject", "ignore"):
        return None
    text = fields.text("text")
    sections: List[Tuple[str, int, int]] = [
        (item.text("name"), item.get("start", int), item.get("end", int))
        for item in fields.objects("sections", "section")
    ]
    starts = fields.get("sentence_starts", list, [])
    if not starts:
        starts = [item.get("start", int) for item in fields.objects("sents", "sentence")]
    return Record(
        id=fields.name("id") or fields.name("_id") or number,
        text=text,
        mentions=tuple(_read_mentions(fields, text, problems)),
        sections=tuple(sections),
        words=tuple(word for word in _read_words(fields) if text[slice(*word)].strip()),
        sentence_starts=tuple(fields.row(starts, (int,) * len(starts), "sentence start")),
        meta=fields.meta(fields.value.get("meta") or {}),
    )


def _read_mentions(fields: Fields, text: str, problems: Optional[Problems]) -> Iterator[Mention]:
    def read_row(item: Any) -> Mention:
        start, end, label = fields.row(item, (int, int, str), "entity")[:3]
        label = check_text(label, fields.path, fields.line)
        return span_of(text, start, end, label, line=fields.line)

    def read_span(item: Any) -> Mention:
        return _read_span(fields.inner(item, "span"), text)

    yield from read_each(fields.get("entities", list, []), read_row, problems)
    known = list(read_each(fields.get("ents", list, []), read_span, problems))
    yield from known
    spans = fields.value.get("spans")
    if not isinstance(spans, dict):
        yield from read_each(fields.get("spans", list, []), read_span, problems)
        return
    # doc.to_json() has groups by key; a span that repeats an entity adds nothing.
    borders = {(m.start_char, m.end_char, m.label) for m in known}
    groups = fields.inner(spans, "span groups")
    for key in spans:
        for mention in read_each(groups.get(key, list, []), read_span, problems):
            if (mention.start_char, mention.end_char, mention.label) not in borders:
                yield mention


def _read_span(span: Fields, text: str) -> Mention:
    ids = span.texts(span.value.get("concept_ids") or [], "concept_ids")
    kb_id = span.name("kb_id")
    fragments = [span.row(i, (int, int), "fragment") for i in span.get("fragments", list, [])]
    pairs = [span.row(i, (str, str), "attribute") for i in span.get("attributes", list, [])]
    attributes = tuple(span.texts(pair[:2], "an attribute") for pair in pairs)
    return span_of(
        text,
        span.get("start", int),
        span.get("end", int),
        span.text("label"),
        text=span.text("text", ""),
        concept_ids=ids or ((kb_id,) if kb_id else ()),
        fragments=tuple((piece[0], piece[1]) for piece in fragments),
        attributes=tuple((name, value) for name, value in attributes),
        line=span.line,
    )


def _read_words(fields: Fields) -> Iterator[Fragment]:
    for token in fields.objects("tokens", "token"):
        yield token.get("start", int), token.get("end", int)


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
        "meta": own_meta(record.meta),
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
