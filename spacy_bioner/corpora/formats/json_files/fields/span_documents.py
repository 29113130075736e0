"""One document of a JSON file: a text, and stretches of it under any of the names in `span_keys`.

    {"text": "Naloxone reverses …", "spans": [{"start": 0, "end": 8, "label": "Chemical"}]}

Read along with them are the document's own words, sentences and sections, attributes that name
their span (PubAnnotation, brat), and plain values as metadata. Relations, labels of the whole
document and blocks are counted; any other key with something in it is noted as not read.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.fields.span_fields import read_span
from spacy_bioner.corpora.formats.json_files.fields.span_keys import (
    LABELS_OF_DOCUMENT,
    RELATION_KEYS,
    SPAN_KEYS,
    find_span_keys,
    find_text,
    get_at,
    list_groups,
)
from spacy_bioner.corpora.formats.read_errors import ReadErrors, read_each
from spacy_bioner.corpora.formats.reading_notes import add_warning, note_counts, note_unread
from spacy_bioner.records import Fragment, Mention, Note, Record

_ID_KEYS = (
    "id",
    "document_id",
    "doc_id",
    "docid",
    "doc_key",
    "orig_id",
    "guid",
    "pmid",
    "documentName",
    "uid",
    "_id",
)
_META_KEYS = ("meta", "metadata")
_REJECTED = ("reject", "ignore")
_OTHER_ANSWERS = "other answers"
_COUNTED = {
    **dict.fromkeys(RELATION_KEYS, "relations_skipped"),
    **dict.fromkeys(LABELS_OF_DOCUMENT, "document_labels_skipped"),
    "blocks": "blocks_skipped",
    "events": "events_skipped",
    "coreferences": "coreferences_skipped",
    _OTHER_ANSWERS: "annotations_skipped",
}
_EMPTY: Tuple[Any, ...] = ("", [], {})
_TAG = re.compile(r"[BI]-\S+")
_PIECES = (
    "labels are tags (B-…, I-…) of words or pieces of them: join them to mentions first "
    '(transformers: aggregation_strategy="simple")'
)
# Settings of tools, and what is read on its own.
_IGNORED = frozenset(
    (
        "answer",
        "config",
        "Comments",
        "sourceid",
        "sourcedb",
        "divid",
        "sections",
        "sents",
        "sentence_starts",
        "typesettings",
        "namespaces",
        "target",
        "attributes",
        "modifications",
    )
)


def unify(value: Any, path: Path, line: int) -> Fields:
    """Turn what may be a document into an object: a training tuple, a document with tracks."""
    if isinstance(value, list) and len(value) >= 2 and isinstance(value[0], str):
        value = {"text": value[0], **_as_entities(value[1])}
    fields = Fields(value, path, line)
    if isinstance(value.get("fields"), dict) and isinstance(value.get("responses"), dict):
        return fields.inner(_take_responses(fields), "document")
    if isinstance(value.get("tracks"), list):
        return fields.inner(_join_tracks(fields), "document")
    return fields


def read_span_document(
    fields: Fields, number: str, problems: Optional[ReadErrors]
) -> Optional[Record]:
    """Read one document; None for one that was rejected.

    number (str): Its identifier if it has none.
    YIELDS (Record): Mentions have a text only where the file repeats it.
    RAISES (CorpusError): No text; a span or word that cannot be read.
    """
    if fields.value.get("answer") in _REJECTED:
        return None
    text_path = find_text(fields.value) or ("text",)
    text = _read_text(fields, text_path)
    span_paths = find_span_keys(fields.value)
    mentions, labels = _read_mentions(fields, text, span_paths, problems)
    starts = fields.get("sentence_starts", list, [])
    if not starts:
        starts = [item.get("start", int) for item in fields.objects("sents", "sentence")]
    words = _read_words(fields, text)
    taken = {path[0] for path in (text_path, *span_paths)} | ({"tokens"} if words else set())
    id_key, own_id = read_id(fields)
    meta, notes = read_meta(fields, taken | {id_key}, labels, span_paths)
    record = Record(
        id=own_id or number,
        text=text,
        mentions=tuple(mentions),
        sections=tuple(_read_section(item) for item in fields.objects("sections", "section")),
        words=tuple(word for word in words if text[slice(*word)].strip()),
        sentence_starts=tuple(fields.row(starts, (int,) * len(starts), "sentence start")),
        meta=meta,
        reading_notes=notes,
    )
    are_tags = bool(mentions) and all(_TAG.fullmatch(mention.label) for mention in mentions)
    return add_warning(record, _PIECES) if are_tags else record


def _read_section(fields: Fields) -> Tuple[str, int, int]:
    start, end = fields.get("start", int), fields.get("end", int)
    if not 0 <= start <= end:
        raise fields.error(f"found a section from {start} to {end}, expected offsets in order")
    return fields.text("name"), start, end


def find_words(text: str, words: List[str]) -> Tuple[Fragment, ...]:
    """Find words one after the other in a text; empty where one is not there."""
    found: List[Fragment] = []
    at = 0
    for word in words:
        start = text.find(word, at)
        if start < 0 or not word:
            return ()
        at = start + len(word)
        found.append((start, at))
    return tuple(found)


def _as_entities(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {"entities": value}


def _join_tracks(fields: Fields) -> Dict[str, Any]:
    """Put the annotation of all tracks into one document, ids apart, with the track's name."""
    joined: Dict[str, Any] = {k: v for k, v in fields.value.items() if k != "tracks"}
    for number, track in enumerate(fields.objects("tracks", "track"), start=1):
        name = track.name("project", str(number))
        for key in ("denotations", "attributes", "relations", "modifications", "blocks"):
            items = [_name_apart(item.value, name) for item in track.objects(key, key)]
            if key == "denotations":
                items = [{**item, "track": name} for item in items]
            joined[key] = [*(joined.get(key) or []), *items]
    return joined


def _take_responses(fields: Fields) -> Dict[str, Any]:
    """Put the first answer to each question for spans into the document: Argilla has them apart."""
    taken = {k: v for k, v in fields.value.items() if k not in ("responses", "suggestions")}
    others = 0
    for answers in fields.value["responses"].values():
        items = answers if isinstance(answers, list) else []
        values = [answer.get("value") for answer in items if isinstance(answer, dict)]
        spans: List[List[Any]] = [value for value in values if isinstance(value, list)]
        taken["entities"] = [*taken.get("entities", []), *(spans[0] if spans else [])]
        others += max(0, len(spans) - 1)
    # As many as there are, for whoever counts them.
    return {**taken, _OTHER_ANSWERS: [None] * others}


def _name_apart(item: Dict[str, Any], name: str) -> Dict[str, Any]:
    return {
        key: f"{name}/{value}" if key in ("id", "subj") else value for key, value in item.items()
    }


def _read_text(fields: Fields, path: Tuple[str, ...]) -> str:
    for key in path[:-1]:
        fields = fields.inner(fields.value[key], key)
    return fields.text(path[-1])


def _read_mentions(
    fields: Fields, text: str, paths: List[Tuple[str, ...]], problems: Optional[ReadErrors]
) -> Tuple[List[Mention], int]:
    """Read all spans. A span that repeats one of another list adds nothing.

    RETURNS (Tuple[List[Mention], int]): The mentions, and the number of labels that are of the
        whole document.
    """
    noted = _read_attributes(fields)
    mentions: List[Mention] = []
    labels = 0
    for path in paths:
        known = {(m.start_char, m.end_char, m.label) for m in mentions}
        for group, items in list_groups(get_at(fields.value, path)):
            # Groups of spaCy's doc.spans have names that are no labels, and spans with one.
            spans = [item for item in items if not isinstance(item, (str, int))]
            labels += len(items) - len(spans)

            def read(item: Any, group: str = group) -> List[Mention]:
                found = list(read_span(item, fields, text, group))
                if not noted:
                    return found
                return [replace(m, attributes=m.attributes + _of(item, noted)) for m in found]

            for found in read_each(spans, read, problems):
                mentions += [m for m in found if (m.start_char, m.end_char, m.label) not in known]
    for key in SPAN_KEYS:
        if (key,) not in paths and isinstance(fields.value.get(key), list):
            labels += len(fields.value[key])
    return mentions, labels


def _of(item: Any, noted: Dict[str, List[Tuple[str, str]]]) -> Tuple[Tuple[str, str], ...]:
    """Return the attributes of the span with an item's id."""
    name = item.get("id") if isinstance(item, dict) else item[0] if item else None
    return tuple(noted.get(str(name), ())) if name is not None else ()


def _read_attributes(fields: Fields) -> Dict[str, List[Tuple[str, str]]]:
    """Read attributes that stand beside the spans, by the id of the span that each names."""
    found: Dict[str, List[Tuple[str, str]]] = {}
    for key in ("attributes", "modifications"):
        items = fields.value.get(key)
        for item in items if isinstance(items, list) else ():
            subject, name, value = _split_attribute(item, key)
            if subject is not None and name is not None:
                pair = fields.texts([name, value], "an attribute")
                found.setdefault(str(subject), []).append((pair[0], pair[1]))
    return found


def _split_attribute(item: Any, key: str) -> Tuple[Any, Any, Any]:
    if isinstance(item, list) and len(item) >= 3:
        # brat's embedding: [id, name, span] or [id, name, span, value].
        return item[2], item[1], item[3] if len(item) > 3 else "true"
    if not isinstance(item, dict):
        return None, None, None
    if key == "modifications":
        return item.get("obj"), item.get("pred"), "true"
    return item.get("subj"), item.get("pred"), item.get("obj")


def _read_words(fields: Fields, text: str) -> List[Fragment]:
    tokens = fields.get("tokens", list, []) if fields.value.get("tokens") else []
    if tokens and all(isinstance(token, str) for token in tokens):
        return list(find_words(text, tokens))
    words = []
    for token in fields.objects("tokens", "token"):
        words.append((token.get("start", int), token.get("end", int)))
    return words


def read_id(fields: Fields) -> Tuple[str, str]:
    """Read the identifier. RETURNS: Its key and itself, both empty without one."""
    source = fields.name("sourceid")
    if source and not fields.value.get("id"):
        base = fields.name("sourcedb")
        part = fields.name("divid")
        # An abstract is one division.
        part = "" if base == "PubMed" and part == "0" else part
        named = source if base in ("", "PubMed") else f"{base}:{source}"
        return "sourceid", named + (f"-{part}" if part else "")
    for key in _ID_KEYS:
        value = fields.value.get(key)
        if isinstance(value, dict) and list(value) == ["$oid"]:
            return key, fields.inner(value, key).name("$oid")
        if value is not None and value != "":
            return key, fields.name(key)
    return "", ""


def read_meta(
    fields: Fields, taken: Set[str], labels: int, spans: Sequence[Tuple[str, ...]] = ()
) -> Tuple[Dict[str, str], Dict[str, Note]]:
    """Read plain values, and count or note everything else that stands in the document.

    taken (Set[str]): Keys that are read otherwise.
    labels (int): How many labels of the whole document were found among the spans.
    spans (Sequence[Tuple[str, ...]]): Where the spans are; what is beside them is counted as well.
    RETURNS (Tuple): The values, and the notes.
    """
    others = {
        key: value
        for key, value in fields.value.items()
        if key not in taken and not _is_own(key) and value is not None and value not in _EMPTY
    }
    meta: Dict[str, str] = {}
    unread: List[str] = []
    for key, value in others.items():
        if not isinstance(value, (list, dict)):
            meta.update(fields.meta({key: value}))
            unread += [key] if key in SPAN_KEYS else []
        elif key in _META_KEYS and isinstance(value, dict):
            continue
        elif key not in _COUNTED and not (isinstance(value, list) and key in SPAN_KEYS):
            # Lists under names of spans were counted with them, as labels of the document.
            unread.append(key)
    for key in _META_KEYS:
        if isinstance(others.get(key), dict):
            meta.update(fields.meta(others[key]))
    counts = _count_others((others, *(get_at(fields.value, path) for path in spans)))
    counts["document_labels_skipped"] = counts.get("document_labels_skipped", 0) + labels
    return meta, {**note_counts(counts), **note_unread(fields.texts(unread, "keys"))}


def _is_own(key: str) -> bool:
    return key in _IGNORED or (key.startswith("_") and key != "_")


def _count_others(holders: Sequence[Any]) -> "Counter[str]":
    """Count relations and the like, in a document and beside its spans in an object of them."""
    counts: Counter[str] = Counter()
    for holder in (value for value in holders if isinstance(value, dict)):
        for key, name in _COUNTED.items():
            if isinstance(holder.get(key), (list, dict)):
                counts[name] += len(holder[key])
    return counts
