"""Replacing `doc.ents`, so that identifiers belong to the entity that stands there.

`Doc.set_ents` of spaCy leaves `ent_id` of a token where the new span has none, and `kb_id` and
`ent_id` of tokens that are in no entity any more: those of an entity that is gone reappear on
another, on single tokens and in DocBins. So everything here sets entities through `replace_ents`.
"""

from typing import Iterable, List

import numpy as np
from spacy.attrs import ENT_ID, ENT_KB_ID
from spacy.tokens import Doc, Span


def replace_ents(doc: Doc, ents: Iterable[Span], *, missing: Iterable[Span] = ()) -> None:
    """Set the entities of a Doc, and with them all identifiers of its tokens.

    ents (Iterable[Span]): Without overlap; all other tokens are outside of entities.
    missing (Iterable[Span]): What nobody annotated.
    """
    kept = list(ents)
    named = doc.to_array([ENT_ID, ENT_KB_ID]).reshape(-1, 2).any(axis=1)
    for index in np.flatnonzero(named).tolist():
        token = doc[index]
        token.ent_id = token.ent_kb_id = 0
    doc.set_ents(kept, missing=list(missing), default="outside")


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
