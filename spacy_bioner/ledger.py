"""What the components leave on a Doc as plain data, and the extension attributes that read it.

The data lives in `doc.user_data`, so it survives `Doc.to_bytes`, a DocBin with
`store_user_data=True` and `nlp.pipe(n_process=…)`. The attributes give copies in dicts of strings
and numbers, which `doc.to_json(underscore=[…])` can write. They are there wherever this package is
imported, so that a process which only reads needs no pipeline; spaCy itself is not imported before
somebody else does it, since help and errors of usage come without it.

spaCy imports every installed package that has components, for any pipeline. The attributes of spans
have names that others use as well ("source"), so an import alone does not define them, which would
stop a script that does: it only lets them answer where nobody has defined them.
"""

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from spacy.tokens import Doc, Span

LEDGER_KEY = "bioner_evidence"
SOURCE_ORDER_KEY = "bioner_source_order"
REJECTIONS_KEY = "bioner_rejections"
ABBREVIATIONS_KEY = "bioner_abbreviations"
SECTIONS_KEY = "bioner_sections"
CONTEXT_KEY = "bioner_context"
COORDINATION_KEY = "bioner_coordination"
CONCEPTS_KEY = "bioner_concepts"

# What may be true of an entity by its context; "other" than the patient's and his family's as well.
CONTEXT_VALUES = ("negated", "uncertain", "historical", "family", "hypothetical")
PATIENT, FAMILY = "patient", "family"

Row = Dict[str, Any]

_SPACY_TOKENS = "spacy.tokens"


def list_evidence(span: "Span") -> List[Row]:
    """List the entries for a span's offsets and label, the preferred source first.

    span (Span): Any span of a Doc that the components ran over.
    RETURNS (List[Row]): In the order that `bioner_overlaps` declared, else as added.
    """
    return [dict(row) for row in find_rows(span)]


def find_rows(span: "Span") -> List[Row]:
    """Find the entries of `list_evidence` themselves, which are not to be changed."""
    user_data = span.doc.user_data
    label = span.label_
    here = user_data.get(LEDGER_KEY, {}).get(locate(span.start_char, span.end_char), ())
    rows = [row for row in here if row["label"] == label]
    if len(rows) > 1:
        order: Sequence[str] = user_data.get(SOURCE_ORDER_KEY, ())
        rank = {source: position for position, source in enumerate(order)}
        rows.sort(key=lambda row: rank.get(row["source"], len(rank)))
    return rows


def open_rows(doc: "Doc", place: str) -> List[Row]:
    """Return the entries that stand at a place, to be changed or added to: a Doc that was stored
    and read again has tuples, which cannot be."""
    ledger: Dict[str, List[Row]] = doc.user_data.get(LEDGER_KEY, {})
    rows = ledger.get(place, [])
    if not isinstance(rows, list):
        rows = ledger[place] = list(rows)
    return rows


def has_source(doc: "Doc", source: str) -> bool:
    """Tell whether any entry is of a source."""
    ledger = doc.user_data.get(LEDGER_KEY, {})
    return any(row["source"] == source for rows in ledger.values() for row in rows)


def list_doc_evidence(doc: "Doc") -> List[Row]:
    """List all entries by offsets, those of spans that are no entities of the Doc included."""
    rows = [dict(row) for rows in doc.user_data.get(LEDGER_KEY, {}).values() for row in rows]
    rows.sort(key=lambda row: (row["start_char"], row["end_char"]))
    return rows


def list_rejections(doc: "Doc") -> List[Row]:
    """List the objections of components against proposals, in the order of their entry."""
    return [dict(row) for row in doc.user_data.get(REJECTIONS_KEY, {}).values()]


def list_abbreviations(doc: "Doc") -> List[Row]:
    """List the definitions of abbreviations that were found in a Doc."""
    return [dict(row) for row in doc.user_data.get(ABBREVIATIONS_KEY, ())]


def list_sections(doc: "Doc") -> List[Row]:
    """List the sections that were found in a Doc, with the offsets of their heads."""
    return [dict(row) for row in doc.user_data.get(SECTIONS_KEY, ())]


def list_context(span: "Span") -> List[Row]:
    """List what cues and sections say of a span with these offsets, whatever its label."""
    return [dict(row) for row in _find_context(span)]


def list_doc_context(doc: "Doc") -> List[Row]:
    """List what cues and sections say of all entities, by offsets."""
    return [dict(row) for rows in doc.user_data.get(CONTEXT_KEY, {}).values() for row in rows]


def list_coordination(doc: "Doc") -> List[Row]:
    """List the mentions that share words with others, with their fragments."""
    rows = doc.user_data.get(COORDINATION_KEY, ())
    return [{**row, "fragments": [list(part) for part in row["fragments"]]} for row in rows]


def list_fragments(span: "Span") -> List[List[int]]:
    """List the stretches of text of a span: those of its mention, else it is one."""
    place = (span.start_char, span.end_char, span.label_)
    for row in span.doc.user_data.get(COORDINATION_KEY, ()):
        if (row["start_char"], row["end_char"], row["label"]) == place:
            return [list(part) for part in row["fragments"]]
    return [[span.start_char, span.end_char]]


def write_context(doc: "Doc", rows: Iterable[Row]) -> None:
    """Replace what is said of the entities of a Doc."""
    context: Dict[str, List[Row]] = {}
    for row in rows:
        context.setdefault(locate(row["start_char"], row["end_char"]), []).append(dict(row))
    doc.user_data[CONTEXT_KEY] = context


def list_concepts(span: "Span") -> List[Row]:
    """List the concepts that `bioner_linker` found for a span's offsets and label."""
    place = _locate_labeled(span.start_char, span.end_char, span.label_)
    return [dict(row) for row in span.doc.user_data.get(CONCEPTS_KEY, {}).get(place, ())]


def list_doc_concepts(doc: "Doc") -> List[Row]:
    """List the concepts of all spans by offsets."""
    rows = [dict(row) for rows in doc.user_data.get(CONCEPTS_KEY, {}).values() for row in rows]
    rows.sort(key=lambda row: (row["start_char"], row["end_char"]))
    return rows


def enter_concepts(span: "Span", rows: Iterable[Row]) -> None:
    """Write the concepts of a span, in place of those of the same offsets and label.

    rows (Iterable[Row]): Plain data; offsets and label are added.
    """
    start, end, label = span.start_char, span.end_char, span.label_
    place = {"start_char": start, "end_char": end, "label": label}
    known: Dict[str, List[Row]] = span.doc.user_data.setdefault(CONCEPTS_KEY, {})
    known[_locate_labeled(start, end, label)] = [{**place, **row} for row in rows]


def enter(doc: "Doc", row: Row) -> None:
    """Write an entry; an earlier one of the same offsets, label and source gives it its place."""
    ledger: Dict[str, List[Row]] = doc.user_data.setdefault(LEDGER_KEY, {})
    key = locate(row["start_char"], row["end_char"])
    same = (row["label"], row["source"])
    rows = list(ledger.get(key, ()))
    for number, other in enumerate(rows):
        if (other["label"], other["source"]) == same:
            rows[number] = row
            break
    else:
        rows.append(row)
    ledger[key] = rows


def enter_rejection(doc: "Doc", row: Row) -> None:
    """Write an objection; an earlier one of the same component against the same is replaced."""
    place = locate(row["start_char"], row["end_char"])
    key = "\t".join((place, row["label"], row["source"], row["rejected_by"]))
    doc.user_data.setdefault(REJECTIONS_KEY, {})[key] = row


def locate(start_char: int, end_char: int) -> str:
    """Return the key of a stretch of text in the ledger."""
    return f"{start_char}:{end_char}"


def register_extensions() -> None:
    """Define the attributes of the package, those excepted that somebody has defined before.

    Spans have `confidence`, `source`, `evidence`, `concepts`, `fragments`, `context`, `experiencer`
    and the values of a context, such as `negated`; Docs `bioner_evidence`, `bioner_rejections`,
    `bioner_abbreviations`, `bioner_concepts`, `bioner_sections`, `bioner_context` and
    `bioner_coordination`, which `Doc.from_json` fills again. Components do so when made.
    """
    from spacy.tokens import Span

    offer_attributes()
    for name, getter in _SPAN_GETTERS.items():
        if not Span.has_extension(name):
            Span.set_extension(name, getter=getter)


def offer_attributes() -> None:
    """Define the attributes of Docs, and let those of spans answer where nobody defined them."""
    from spacy.tokens import Doc
    from spacy.tokens.underscore import Underscore

    for name, (of_doc, setter) in _DOC_ATTRIBUTES.items():
        if not Doc.has_extension(name):
            Doc.set_extension(name, getter=of_doc, setter=setter)
    if Underscore.__getattr__.__module__ != __name__:
        Underscore.__getattr__ = _answer_after(Underscore.__getattr__)  # type: ignore[method-assign]


def register_with_spacy() -> None:
    """Offer the attributes now, or as soon as spaCy is imported."""
    if _SPACY_TOKENS in sys.modules:
        offer_attributes()
    else:
        # importlib.abc, whose class this could have, takes longer to import than all else here.
        sys.meta_path.insert(0, _Registration())


class _Registration:
    """Waits for the import of `spacy.tokens`, lets it happen, and goes."""

    def __init__(self) -> None:
        self._is_asked = False

    def find_spec(
        self, fullname: str, path: Any = None, target: Optional["ModuleType"] = None
    ) -> Optional["ModuleSpec"]:
        if fullname != _SPACY_TOKENS or self._is_asked:
            return None
        self._is_asked = True
        try:
            spec = find_spec(fullname)
        finally:
            self._is_asked = False
        if spec is not None:
            self._follow(spec.loader)
        return spec

    def _follow(self, loader: Any) -> None:
        """Offer the attributes when a loader has loaded the module.

        Loaders of frozen programs serve all modules, or are classes; the latter are let alone, and
        components define the attributes.
        """
        has_own = hasattr(loader, "__dict__") and not isinstance(loader, type)
        load = getattr(loader, "exec_module", None)
        if load is None or not has_own:
            return
        own: Dict[str, Any] = loader.__dict__

        def load_and_offer(module: "ModuleType") -> None:
            if module.__name__ != _SPACY_TOKENS:
                load(module)
                return
            own.pop("exec_module", None)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            load(module)
            offer_attributes()

        own["exec_module"] = load_and_offer


def _answer_after(defined: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def get(self: Any, name: str) -> Any:
        getter = _SPAN_GETTERS.get(name)
        # Of Docs, Tokens and spans, only spans have an end.
        if getter is None or name in self._extensions or self._end is None:
            return defined(self, name)
        return getter(self._obj)

    return get


def _get_confidence(span: "Span") -> Optional[float]:
    rows = list_evidence(span)
    return rows[0]["confidence"] if rows else None


def _get_source(span: "Span") -> Optional[str]:
    rows = list_evidence(span)
    return rows[0]["source"] if rows else None


def _find_context(span: "Span") -> Sequence[Row]:
    context: Dict[str, Sequence[Row]] = span.doc.user_data.get(CONTEXT_KEY, {})
    return context.get(locate(span.start_char, span.end_char), ())


def _get_experiencer(span: "Span") -> str:
    named = [row["who"] for row in _find_context(span) if row["who"]]
    return next((who for who in named if who != FAMILY), named[0] if named else PATIENT)


def _make_value_getter(value: str) -> Callable[["Span"], bool]:
    def get(span: "Span") -> bool:
        return any(row["sets"] == value for row in _find_context(span))

    return get


def _locate_labeled(start_char: int, end_char: int, label: str) -> str:
    return f"{locate(start_char, end_char)}\t{label}"


def _set_concepts(doc: "Doc", rows: Iterable[Row]) -> None:
    known: Dict[str, List[Row]] = {}
    for row in rows:
        place = _locate_labeled(row["start_char"], row["end_char"], row["label"])
        known.setdefault(place, []).append(dict(row))
    doc.user_data[CONCEPTS_KEY] = known


def _set_evidence(doc: "Doc", rows: Iterable[Row]) -> None:
    doc.user_data[LEDGER_KEY] = {}
    for row in rows:
        enter(doc, dict(row))


def _set_rejections(doc: "Doc", rows: Iterable[Row]) -> None:
    doc.user_data[REJECTIONS_KEY] = {}
    for row in rows:
        enter_rejection(doc, dict(row))


def _set_abbreviations(doc: "Doc", rows: Iterable[Row]) -> None:
    doc.user_data[ABBREVIATIONS_KEY] = [dict(row) for row in rows]


def _set_sections(doc: "Doc", rows: Iterable[Row]) -> None:
    doc.user_data[SECTIONS_KEY] = [dict(row) for row in rows]


def _set_coordination(doc: "Doc", rows: Iterable[Row]) -> None:
    doc.user_data[COORDINATION_KEY] = [dict(row) for row in rows]


_SPAN_GETTERS: Dict[str, Callable[[Any], Any]] = {
    "confidence": _get_confidence,
    "source": _get_source,
    "evidence": list_evidence,
    "fragments": list_fragments,
    "context": list_context,
    "experiencer": _get_experiencer,
    **{value: _make_value_getter(value) for value in CONTEXT_VALUES},
    "concepts": list_concepts,
}
_DOC_ATTRIBUTES: Dict[str, Tuple[Callable[[Any], Any], Callable[[Any, Any], None]]] = {
    LEDGER_KEY: (list_doc_evidence, _set_evidence),
    REJECTIONS_KEY: (list_rejections, _set_rejections),
    ABBREVIATIONS_KEY: (list_abbreviations, _set_abbreviations),
    SECTIONS_KEY: (list_sections, _set_sections),
    CONTEXT_KEY: (list_doc_context, write_context),
    COORDINATION_KEY: (list_coordination, _set_coordination),
    CONCEPTS_KEY: (list_doc_concepts, _set_concepts),
}
