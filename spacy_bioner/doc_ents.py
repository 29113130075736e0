"""Replacing `doc.ents`, so that identifiers belong to the entity that stands there.

`Doc.set_ents` of spaCy leaves `ent_id` of a token where the new span has none, and `kb_id` and
`ent_id` of tokens that are in no entity any more: those of an entity that is gone reappear on
another, on single tokens and in DocBins. So everything here sets entities through `replace_ents`.
"""

from typing import Any, Collection, Iterable, List, Tuple

import numpy as np
from spacy.attrs import ENT_ID, ENT_IOB, ENT_KB_ID, ENT_TYPE
from spacy.tokens import Doc, Span

EntityRow = Tuple[int, int, int, int, int]
"""The first token, the token behind the last, label, `kb_id` and `id`; strings by their hashes."""

_COLUMNS = [ENT_IOB, ENT_TYPE, ENT_KB_ID, ENT_ID]
_INSIDE, _OUTSIDE, _BEGIN = 1, 2, 3


def replace_ents(doc: Doc, ents: Iterable[Span], *, missing: Iterable[Span] = ()) -> None:
    """Set the entities of a Doc, and with them all identifiers of its tokens.

    ents (Iterable[Span]): Without overlap; all other tokens are outside of entities.
    missing (Iterable[Span]): What nobody annotated.
    """
    kept, unknown = list(ents), list(missing)
    set_entities(doc, [as_row(span) for span in kept if span.label])
    if unknown:
        doc.set_ents(kept, missing=unknown, default="outside")


def set_entities(doc: Doc, rows: Collection[EntityRow]) -> None:
    """Set the entities of a Doc, and with them all identifiers of its tokens.

    Arrays do for a Doc with many entities what `Doc.set_ents` does token by token.

    rows (Collection[EntityRow]): Without overlap; all other tokens are outside of entities.
    """
    columns: Any = np.zeros((len(doc), len(_COLUMNS)), dtype=np.uint64)
    columns[:, 0] = _OUTSIDE
    table = np.array(list(rows), dtype=np.uint64).reshape(-1, 5)
    starts, ends = table[:, :2].astype(np.intp).T
    lengths = ends - starts
    inside = np.arange(lengths.sum()) + np.repeat(ends - np.cumsum(lengths), lengths)
    columns[inside, 0] = _INSIDE
    columns[inside, 1:] = np.repeat(table[:, 2:], lengths, axis=0)
    columns[starts, 0] = _BEGIN
    if np.count_nonzero(columns[:, 0] != _OUTSIDE) < len(inside):
        # Its error names the token that two of them have.
        doc.set_ents([Span(doc, *row[:3]) for row in rows])
    if len(doc):
        doc.from_array(_COLUMNS, columns)


def as_row(span: Span) -> EntityRow:
    """Return what `set_entities` takes."""
    return span.start, span.end, span.label, span.kb_id, span.id


def copy_span(span: Span, *, label: str = "") -> Span:
    """Copy a span with its identifiers.

    label (str): The label of the copy; empty for the span's own.
    """
    return Span(
        span.doc, span.start, span.end, label or span.label, kb_id=span.kb_id, span_id=span.id
    )


def concept_of(span: Span) -> str:
    """Return the concept id of a span: its `kb_id_`, else its `id_`, which spaCy's rulers set."""
    return span.kb_id_ or span.id_


def add_identifiers(span: Span, other: Span) -> None:
    """Add to a span those identifiers of another one that it lacks."""
    span.kb_id = span.kb_id or other.kb_id
    span.id = span.id or other.id


def fill_free(ents: Iterable[Span], spans: Iterable[Span]) -> List[Span]:
    """List entities, and of further spans those that overlap nothing listed before them."""
    chosen = list(ents)
    taken = {index for ent in chosen for index in range(ent.start, ent.end)}
    for span in spans:
        if taken.isdisjoint(range(span.start, span.end)):
            taken.update(range(span.start, span.end))
            chosen.append(span)
    return chosen
