"""The names under which JSON files keep texts and annotated stretches.

One table for detection and the reader, so that what the one takes for a document the other reads.
Names are tried in their order. Known to write so: Prodigy, spaCy, doccano, Label Studio, BERN2,
PubAnnotation, dataturks, LightTag, UBIAI, Argilla, Rasa, LUIS, SageMaker, Vertex AI, brat's
embedding, and the pipelines of transformers where a text was put beside what they return.
"""

from functools import lru_cache
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

Path = Tuple[str, ...]

TEXT_KEYS: Tuple[Path, ...] = (
    ("text",),
    ("full_text",),
    ("sentence",),
    ("content",),
    ("raw",),
    ("body",),
    ("textContent",),
    ("raw_text",),
    ("note",),
    ("note_text",),
    ("passage",),
    ("context",),
    ("abstract",),
    ("utterance",),
    ("input",),
    ("sent",),
    ("text_snippet", "content"),
    ("fields", "text"),
    ("data",),
)
# These may as well name a file or a database, which have no blanks.
_PERHAPS_TEXT_KEYS: Tuple[Path, ...] = (("document",), ("doc",), ("source",))
SPAN_KEYS = (
    "entities",
    "ents",
    "spans",
    "label",
    "labels",
    "annotations",
    "annotation",
    "denotations",
    "mentions",
    "entity_mentions",
    "named_entities",
    "Entities",
    "ner",
    "ner_info",
    "ner_spans",
    "tags",
    "textSegmentAnnotations",
)
START_KEYS = (
    "start",
    "begin",
    "start_offset",
    "startOffset",
    "start_char",
    "startChar",
    "start_position",
    "start_pos",
    "start_idx",
    "start_index",
    "startIndex",
    "begin_offset",
    "beginOffset",
    "BeginOffset",
    "char_start",
    "start_ind",
    "from",
    "offset",
)
END_KEYS = (
    "end",
    "stop",
    "end_offset",
    "endOffset",
    "end_char",
    "endChar",
    "end_position",
    "end_pos",
    "end_idx",
    "end_index",
    "endIndex",
    "EndOffset",
    "char_end",
    "end_ind",
    "to",
)
LENGTH_KEYS = ("length", "len")
# LUIS names the last character instead of the one behind it; so do the "points" of dataturks.
INCLUSIVE_KEYS = (("startPos", "endPos"),)
INCLUSIVE_PLACES = ("points",)
PLACE_KEYS = (
    "span",
    "points",
    "location",
    "locations",
    "position",
    "positions",
    "offsets",
    "offset",
    "range",
    "char_span",
    "text_extraction",
    "text_segment",
)
LABEL_KEYS = (
    "label",
    "labels",
    "type",
    "entity_type",
    "entityType",
    "entity_group",
    "entityLabel",
    "tag_name",
    "tag",
    "obj",
    "category",
    "class",
    "ner_tag",
    "display_name",
    "displayName",
    "Type",
    "Category",
    "entity",
    "types",
    "tags",
    "name",
)
CLAIM_KEYS = (
    "text",
    "mention",
    "surface",
    "surface_form",
    "span_text",
    "entity_text",
    "value",
    "entity",
)
# What tools other than this package call them.
CONCEPT_KEYS = (
    "concept_id",
    "kb_id",
    "kb_ids",
    "cui",
    "cuis",
    "umls_cui",
    "mesh",
    "mesh_id",
    "mesh_ids",
    "identifier",
    "identifiers",
    "normalized_id",
    "normalized_ids",
    "ontology_id",
)
RELATION_KEYS = ("relations", "relationships", "links", "arcs")
LABELS_OF_DOCUMENT = ("cats", "accept", "classifications", "document_labels", "categories")


def find_text(value: Any) -> Optional[Path]:
    """Find where the text of a document is; None where nothing of the table is one."""
    found = next((path for path in TEXT_KEYS if isinstance(get_at(value, path), str)), None)
    if found is not None or not isinstance(value, dict):
        return found
    perhaps = ((path, get_at(value, path)) for path in _PERHAPS_TEXT_KEYS)
    found = next((p for p, text in perhaps if isinstance(text, str) and " " in text.strip()), None)
    if found is not None:
        return found
    texts = {fold(key): key for key, item in value.items() if isinstance(item, str)}
    names = (texts.get(fold(path[0])) for path in TEXT_KEYS if len(path) == 1)
    return next(((name,) for name in names if name), None)


def find_span_keys(value: Dict[str, Any]) -> List[Path]:
    """Find where a document keeps spans: under known names, else in what looks like them.

    Empty lists count under known names only.
    """
    found: List[Path] = [(key,) for key in SPAN_KEYS if key in value and _may_be_spans(value[key])]
    if any(map(value.get, (path[0] for path in found))):
        return found
    return [*found, *_find_within(value), *_find_others(value)]


def _find_within(value: Dict[str, Any]) -> List[Path]:
    """Find spans under known names in objects of a document, one or two of them deep."""
    objects = {key: item for key, item in value.items() if isinstance(item, dict)}
    found: List[Path] = [
        (key, inner)
        for key, item in objects.items()
        for inner in SPAN_KEYS
        if looks_like_spans(item.get(inner))
    ]
    found += [
        (key, middle, inner)
        for key, item in objects.items()
        if key not in SPAN_KEYS
        for middle, deeper in item.items()
        if middle in SPAN_KEYS and isinstance(deeper, dict)
        for inner in SPAN_KEYS
        if looks_like_spans(deeper.get(inner))
    ]
    return found


def _find_others(value: Dict[str, Any]) -> List[Path]:
    """Find lists under other names of which the items are spans."""
    found: List[Path] = [
        (key,)
        for key, item in value.items()
        if key not in _NO_SPANS and key not in SPAN_KEYS and looks_like_spans(item)
    ]
    return [*found, ("tokens",)] if _are_labeled_tokens(value.get("tokens")) else found


def looks_like_spans(value: Any) -> bool:
    """Tell whether a value is a list of stretches that have a place and a label."""
    if not isinstance(value, list) or not value:
        return False
    item = value[0]
    if isinstance(item, list):
        return is_span_row(item)
    return isinstance(item, dict) and has_place(item) and find_name(item, LABEL_KEYS) is not None


def is_span_row(row: Sequence[Any]) -> bool:
    """Tell whether a list is a stretch: [start, end, label], [label, start, end], [id, label,
    [[start, end]]], [text, label, start, end]."""
    kinds = tuple(map(_kind, row[:4]))
    if kinds == ("text", "text", "number", "number"):
        return True
    kinds = kinds[:3]
    if kinds in (("number", "number", "text"), ("text", "number", "number")):
        return True
    return kinds == ("text", "text", "list") and all(isinstance(pair, list) for pair in row[2])


def has_place(item: Dict[str, Any]) -> bool:
    """Tell whether an object says where a stretch begins and ends."""
    if any(start in item and end in item for start, end in INCLUSIVE_KEYS):
        return True
    if find_name(item, START_KEYS) and find_name(item, (*END_KEYS, *LENGTH_KEYS)):
        return True
    for key in PLACE_KEYS:
        place = item.get(key)
        if isinstance(place, list) and place:
            place = place[0]
        if isinstance(place, (list, int)) and not isinstance(place, bool) and key != "offset":
            return True
        if isinstance(place, dict) and has_place(place):
            return True
    return False


def find_key(item: Dict[str, Any], keys: Sequence[str]) -> Optional[str]:
    """Find the first of some keys that an object has with a value that is not null."""
    for key in keys:
        if item.get(key) is not None:
            return key
    return None


def find_name(item: Dict[str, Any], keys: Tuple[str, ...]) -> Optional[str]:
    """Find a key as `find_key` does, or one that is spelled with other capitals or joints."""
    found = find_key(item, keys)
    if found is not None:
        return found
    names = {fold(key): key for key, value in item.items() if value is not None}
    return next((names[key] for key in map(fold, keys) if key in names), None)


@lru_cache(maxsize=1 << 12)
def fold(key: str) -> str:
    """Return a key without capitals and joints: "startOffset" and "Start_Offset" are one name."""
    return key.replace("_", "").replace("-", "").replace(" ", "").casefold()


def get_at(value: Any, path: Path) -> Any:
    """Return what stands at a path of keys; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def list_groups(value: Any) -> Iterator[Tuple[str, List[Any]]]:
    """Stream the lists of spans in what stands under a key, each with the name of its group."""
    if isinstance(value, list):
        yield "", value
    elif isinstance(value, dict):
        for name, items in value.items():
            if isinstance(items, list) and name not in _NO_SPANS:
                yield ("" if name in SPAN_KEYS else name), items
        places = [item for item in value.values() if isinstance(item, dict)]
        if places:
            # By their ids.
            yield "", [{"id": name, **item} for name, item in value.items() if item in places]


def _may_be_spans(value: Any) -> bool:
    if isinstance(value, dict):
        items = value.values()
        are_objects = all(isinstance(item, dict) and has_place(item) for item in items)
        return are_objects or all(isinstance(item, list) and _may_be_spans(item) for item in items)
    return isinstance(value, list) and not (value and isinstance(value[0], (str, int, float)))


def _are_labeled_tokens(value: Any) -> bool:
    items = value if isinstance(value, list) else []
    return bool(items) and isinstance(items[0], dict) and "entityLabel" in items[0]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "other"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "other"


# Not gold, or no stretches of entities.
_NO_SPANS = frozenset(
    (
        *RELATION_KEYS,
        *LABELS_OF_DOCUMENT,
        "tokens",
        "words",
        "pos",
        "chunks",
        "sents",
        "sentences",
        "lines",
        "paragraphs",
        "sections",
        "predictions",
        "prediction",
        "suggestions",
        "noun_chunks",
        "attributes",
        "blocks",
        "tracks",
        "events",
        "triggers",
        "coreferences",
        "rejected",
    )
)
