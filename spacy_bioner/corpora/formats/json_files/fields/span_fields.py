"""One annotated stretch of a text out of the many ways in which JSON files write it.

An object with places, labels and ids under the names of `span_keys`, or a list such as
[start, end, label]. Several labels make several mentions, several places a discontinuous one.
"""

import re
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from spacy_bioner.corpora.formats.json_files.fields.checked import Fields, describe
from spacy_bioner.corpora.formats.json_files.fields.span_keys import (
    CLAIM_KEYS,
    CONCEPT_KEYS,
    END_KEYS,
    INCLUSIVE_KEYS,
    INCLUSIVE_PLACES,
    LABEL_KEYS,
    LENGTH_KEYS,
    PLACE_KEYS,
    START_KEYS,
    find_key,
    find_name,
    fold,
)
from spacy_bioner.records import Fragment, Mention

_NUMBER = re.compile(r"\s*-?[0-9]{1,18}\s*")
_NO_CONCEPTS = frozenset(("", "-", "-1", "cui-less", "cuiless", "cui_less", "null", "none"))
# What tools note of their own work, and places that say the same in tokens.
_IGNORED = frozenset(
    (
        "id",
        "token_start",
        "token_end",
        "tokenStart",
        "tokenEnd",
        "concept_ids",
        "fragments",
        "attributes",
        "input_hash",
        "tag_id",
        "example_id",
        "annotator",
        "from_name",
        "to_name",
        "color",
    )
)
_CONCEPTS = frozenset(CONCEPT_KEYS)
_NORMALISATION_KEYS = ("normalized", "normalizations", "normalization", "concepts")
_DATABASE_KEYS = ("db_name", "database", "db", "source", "vocabulary")
_ENTRY_KEYS = ("db_id", "id", "identifier", "code", "cui")
# What is no attribute, whatever else is read.
_KNOWN = frozenset(
    fold(name)
    for name in (
        *START_KEYS,
        *END_KEYS,
        *LENGTH_KEYS,
        *PLACE_KEYS,
        *CONCEPT_KEYS,
        *_NORMALISATION_KEYS,
        *_IGNORED,
        *(key for pair in INCLUSIVE_KEYS for key in pair),
    )
)
# No text is as long.
_LARGEST = 10**18
_PLAIN = (str, int, float)
_PLAIN_KEYS = frozenset(
    ("start", "end", "label", "text", "concept_ids", "token_start", "token_end")
)


def read_span(item: Any, fields: Fields, text: str, group: str = "") -> Iterator[Mention]:
    """Read one item of a list of spans; a mention has a text only where the item repeats it.

    fields (Fields): The document, for the place of errors.
    text (str): Its text. What stands fourth in a list is taken for a repetition if it is there.
    group (str): The label of items without one: the name of the list that they stand in.
    YIELDS (Mention): One for each label.
    RAISES (CorpusError): No offsets, or no label.
    """
    if isinstance(item, dict):
        plain = _read_plain(item, fields.line)
        return iter((plain,)) if plain else _read_object(fields.inner(item, "span"), group)
    return _read_row(item, fields, text, group)


def as_offset(value: Any) -> Optional[int]:
    """Return a whole number, also one written as 8.0 or "8"; None for what is no offset."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return None


def read_concepts(value: Any, fields: Fields) -> Tuple[str, ...]:
    """Read identifiers: a text, a number, or a list of them; "CUI-less" and its like are none."""
    items = value if isinstance(value, list) else [value]
    names = fields.texts([item for item in items if item is not None], "identifiers")
    return tuple(
        dict.fromkeys(n.strip() for n in names if n.strip().casefold() not in _NO_CONCEPTS)
    )


def read_normalizations(value: Any, fields: Fields) -> Tuple[str, ...]:
    """Read entries of terminologies: {"db_name": "MESH", "db_id": "D001241"}, or identifiers."""
    found: List[str] = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            found += read_concepts(item, fields)
            continue
        entry = fields.inner(item, "normalization")
        number: Any = next((item[key] for key in _ENTRY_KEYS if item.get(key) is not None), [])
        database = next((entry.text(key) for key in _DATABASE_KEYS if item.get(key)), "")
        for name in read_concepts(number, entry):
            has_prefix = not database or name.casefold().startswith(f"{database.casefold()}:")
            found.append(name if has_prefix else f"{database}:{name}")
    return tuple(dict.fromkeys(found))


def _read_plain(item: Dict[str, Any], line: int) -> Optional[Mention]:
    """Read an object as this package and Prodigy write most of them; None for another.

    It gives what `_read_object` gives, in less time.
    """
    start, end, label = item.get("start"), item.get("end"), item.get("label")
    text, concepts = item.get("text", ""), item.get("concept_ids", [])
    if type(start) is not int or type(end) is not int or max(abs(start), abs(end)) >= _LARGEST:
        return None
    if type(label) is not str or type(text) is not str or type(concepts) is not list:
        return None
    if not item.keys() <= _PLAIN_KEYS or not all(type(concept) is str for concept in concepts):
        return None
    return Mention(start, end, label, text, tuple(concepts), line=line)


def _read_object(span: Fields, group: str) -> Iterator[Mention]:
    pieces = _read_pieces(span)
    labels, label_key = _read_labels(span, group)
    claim_key = find_key(span.value, [key for key in CLAIM_KEYS if key != label_key])
    claim, concepts = _read_claim(span, claim_key, label_key)
    attributes = _read_attributes(span, {label_key, claim_key} if claim else {label_key})
    whole = (min(start for start, _ in pieces), max(end for _, end in pieces))
    fragments = tuple(pieces) if len(pieces) > 1 else ()
    for label in labels:
        yield Mention(
            *whole,
            label,
            claim,
            concept_ids=concepts,
            fragments=fragments or _read_fragments(span),
            line=span.line,
            attributes=attributes,
        )


def _read_claim(
    span: Fields, claim_key: Optional[str], label_key: str
) -> Tuple[str, Tuple[str, ...]]:
    """Read the text that a span repeats, and its identifiers."""
    value = span.value.get(claim_key) if claim_key else None
    # Rasa's "value" beside "entity" is what the text means, not what stands there.
    is_meaning = claim_key == "value" and label_key == "entity"
    claim = span.text(claim_key, "") if claim_key and isinstance(value, str) else ""
    # Our own list is kept as it is.
    own = span.value.get("concept_ids")
    concepts = list(span.texts(own, "concept_ids")) if own else []
    if not _CONCEPTS.isdisjoint(span.value):
        for key in CONCEPT_KEYS:
            if span.value.get(key):
                concepts += read_concepts(span.value[key], span)
    for key in _NORMALISATION_KEYS:
        if span.value.get(key):
            concepts += read_normalizations(span.value[key], span)
    if "obj" in span.value and _has_concepts_as_id(span.value):
        concepts += read_concepts(span.value["id"], span)
    return ("" if is_meaning else claim), tuple(concepts)


def _has_concepts_as_id(span: Dict[str, Any]) -> bool:
    """Tell BERN2's spans, whose "id" are concepts, from others, whose "id" is their own."""
    if span.get("id") is None or "span" not in span:
        return False
    is_list = isinstance(span["id"], list)
    return is_list or not {"mention", "prob", "is_neural_normalized"}.isdisjoint(span)


def _read_labels(span: Fields, group: str) -> Tuple[Tuple[str, ...], str]:
    key = find_name(span.value, LABEL_KEYS)
    if key is None:
        if group:
            return (group,), ""
        named = next((name for name in LABEL_KEYS if name in span.value), "")
        found = f"null as {named!r}" if named else "no label"
        raise span.error(f"found {found} in a span, expected a text under {LABEL_KEYS[0]!r}")
    value = span.value[key]
    if isinstance(value, dict):
        inner = span.inner(value, "label")
        return _read_labels(inner, group)[0], key
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise span.error(f"found {describe(value)} as {key!r} of a span, expected a text")
    labels = span.texts(value if isinstance(value, list) else [value], key)
    return (labels or ("",)), key


def _read_pieces(span: Fields) -> List[Fragment]:
    """Read where a span is: one stretch, or several of a discontinuous one, ascending."""
    pieces = _find_pieces(span.value, is_inclusive=False)
    if pieces is None:
        key = find_name(span.value, START_KEYS) or "start"
        if as_offset(span.value.get(key)) is not None:
            key = find_name(span.value, END_KEYS) or "end"
        shown = describe(span.value[key]) if key in span.value else "none"
        raise span.error(f"found {shown} as {key!r} of a span, expected an offset, a whole number")
    return sorted(pieces)


def _find_pieces(item: Dict[str, Any], *, is_inclusive: bool) -> Optional[List[Fragment]]:
    for start_key, end_key in INCLUSIVE_KEYS:
        if start_key in item and end_key in item:
            return _pair(item[start_key], item[end_key], 1)
    start, end = find_name(item, START_KEYS), find_name(item, END_KEYS)
    if start and end:
        return _pair(item[start], item[end], int(is_inclusive and not _ends_behind(item)))
    length = find_name(item, LENGTH_KEYS)
    if start and length:
        first, number = as_offset(item[start]), as_offset(item[length])
        return None if first is None or number is None else [(first, first + number)]
    key = next((key for key in PLACE_KEYS if isinstance(item.get(key), (list, dict))), None)
    return None if key is None else _read_place(item[key], is_inclusive=key in INCLUSIVE_PLACES)


def _ends_behind(item: Dict[str, Any]) -> bool:
    """Tell by the length of its text that a point was, against custom, given the end behind it."""
    start, end, text = item.get("start"), item.get("end"), item.get("text")
    are_known = isinstance(start, int) and isinstance(end, int) and isinstance(text, str)
    return are_known and len(text) == end - start  # type: ignore[arg-type,operator]


def _read_place(place: Any, *, is_inclusive: bool) -> Optional[List[Fragment]]:
    """Read an object with offsets, a pair of them, or a list of either."""
    if isinstance(place, dict):
        return _find_pieces(place, is_inclusive=is_inclusive)
    if len(place) == 2 and not any(isinstance(part, (list, dict)) for part in place):
        return _pair(place[0], place[1], int(is_inclusive))
    pieces: List[Fragment] = []
    for part in place:
        found = (
            _read_place(part, is_inclusive=is_inclusive) if isinstance(part, (list, dict)) else None
        )
        if found is None:
            return None
        pieces += found
    return pieces or None


def _pair(start: Any, end: Any, more: int) -> Optional[List[Fragment]]:
    first, last = as_offset(start), as_offset(end)
    return None if first is None or last is None else [(first, last + more)]


def _read_fragments(span: Fields) -> Tuple[Fragment, ...]:
    pieces = [span.row(item, (int, int), "fragment") for item in span.get("fragments", list, [])]
    return tuple((piece[0], piece[1]) for piece in pieces)


def _read_attributes(span: Fields, read: "set[Optional[str]]") -> Tuple[Tuple[str, str], ...]:
    """Read attributes as this package writes them, then further plain values."""
    pairs = [span.row(item, (str, str), "attribute") for item in _list_own(span)]
    own = [span.texts(pair[:2], "an attribute") for pair in pairs]
    more = {
        key: value
        for key, value in span.value.items()
        if key not in read and isinstance(value, _PLAIN) and fold(key) not in _KNOWN
    }
    more = {key: value for key, value in more.items() if key[:1] != "_" and value != ""}
    found = [*own, *span.meta(more).items()] if more else own
    return tuple((name, value) for name, value in found)


def _list_own(span: Fields) -> List[Any]:
    value = span.value.get("attributes")
    return value if isinstance(value, list) else []


def _read_row(item: Any, fields: Fields, text: str, group: str) -> Iterator[Mention]:
    row: Sequence[Any] = item if isinstance(item, list) else []
    pieces, label, rest = _split_row(_turn_row(row, text), group)
    if pieces is None:
        found = describe(item)
        raise fields.error(f"found {found} as a span, expected [a number, a number, a text]")
    labels = label if isinstance(label, list) else [label]
    whole = (min(start for start, _ in pieces), max(end for _, end in pieces))
    fragments = tuple(sorted(pieces)) if len(pieces) > 1 else ()
    more = fields.texts(list(rest), "a span")
    claim, notes = ("", more) if not more or more[0] not in text else (more[0], more[1:])
    attributes = tuple(
        (f"column{place}", note) for place, note in enumerate(notes, start=4) if note
    )
    for name in fields.texts(labels, "labels"):
        yield Mention(*whole, name, claim, (), fragments, fields.line, attributes)


def _turn_row(row: Sequence[Any], text: str) -> Sequence[Any]:
    """Put label and covered text in their usual order; (ent.text, ent.start_char, …) is another.

    Of two texts in a row, the one that stands at its offsets is no label.
    """
    at = next((place for place, item in enumerate(row) if type(item) in (int, float)), 0)
    names = [place for place, item in enumerate(row) if isinstance(item, str)][:2]
    ends = [end for end in map(as_offset, row[at : at + 2]) if end is not None]
    if len(names) < 2 or len(ends) < 2:
        return row
    start, end = ends
    for may_cover in (_covers, _may_cover):
        claims = [may_cover(row[name], text, start, end) for name in names]
        if claims[0] != claims[1]:
            claim, label = names if claims[0] else names[::-1]
            read = (at, at + 1, label, claim)
            rest = [item for place, item in enumerate(row) if place not in read]
            return [*(row[place] for place in read), *rest]
    return row


def _covers(name: str, text: str, start: int, end: int) -> bool:
    return start >= 0 and name in (text[start:end], text[start : end + 1])


def _may_cover(name: str, text: str, start: int, end: int) -> bool:
    """Tell whether a name may be what is covered where offsets are counted otherwise."""
    return len(name) == end - start and name in text


def _split_row(
    row: Sequence[Any], group: str
) -> Tuple[Optional[List[Fragment]], Any, Sequence[Any]]:
    """Tell place, label and what follows them."""
    if len(row) >= 3 and isinstance(row[2], list) and isinstance(row[0], str):
        # brat's embedding: [id, label, [[start, end], …]].
        return _read_place(row[2], is_inclusive=False), row[1], ()
    if len(row) >= 2 and isinstance(row[0], (list, dict)):
        return _read_place(row[0], is_inclusive=False), row[1], row[2:]
    if len(row) >= 3 and as_offset(row[0]) is None and isinstance(row[0], str):
        return _pair(row[1], row[2], 0), row[0], row[3:]
    if len(row) >= 3 and isinstance(row[2], (str, int, list)) and not isinstance(row[2], bool):
        return _pair(row[0], row[1], 0), row[2], row[3:]
    if len(row) == 2 and group:
        return _pair(row[0], row[1], 0), group, ()
    return None, "", ()
