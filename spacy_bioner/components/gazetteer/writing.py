"""Bringing what was found onto a Doc: span group, ledger, and `doc.ents` by the modes."""

from typing import List

from spacy.tokens import Doc, Span

from spacy_bioner.components.gazetteer.hits import Hit, write_hits
from spacy_bioner.components.gazetteer.modes import (
    Modes,
    Objection,
    boost,
    object_to,
    start_again,
)
from spacy_bioner.doc_ents import add_identifiers, copy_span, replace_ents


def write_found(
    doc: Doc,
    source: str,
    hits: List[Hit],
    modes: Modes,
    *,
    set_ents: bool,
    marks_outside: bool,
) -> None:
    """Write hits to a Doc, in place of what the component has written before.

    source (str): The component: key of the span group and source in the ledger.
    set_ents (bool): Change `doc.ents` as well.
    marks_outside (bool): Mark all tokens as outside of entities where nobody knew before.
    """
    objected = start_again(doc, source)
    standing = list(doc.ents) if hits or objected else []
    objections: List[Objection] = []
    left = standing
    if not modes.only_fills:
        objections = modes.find_contradicted(hits, [*standing, *objected])
        left = _leave_out(standing, objections)
        hits = modes.select(hits, standing)
    chosen = modes.choose(hits, left) if hits else []
    if not modes.only_fills:
        objections += modes.find_replaced(chosen, [*standing, *objected])
        object_to(doc, objections, source, modes)
    entities = set(chosen) if set_ents else set()
    kept = [hit for hit in hits if not hit.is_inner or hit in entities]
    notes = boost(doc, kept, modes, source) if modes.boosts else {}
    spans = write_hits(doc, source, kept, confidence=modes.confidence, notes=notes)
    doc.spans[source] = spans
    if set_ents:
        new = [span for span, hit in zip(spans, kept, strict=True) if hit in entities]
        others = _leave_out(left, objections)
        if new or len(others) < len(standing):
            _set_ents(doc, others, new)
        elif marks_outside and not doc.has_annotation("ENT_IOB"):
            doc.set_ents([])


def _set_ents(doc: Doc, others: List[Span], new: List[Span]) -> None:
    """Set entities; of two that are the same, the new one stays, with the identifiers of both."""
    before = {(span.start, span.end, span.label): span for span in others}
    for index, span in enumerate(new):
        if same := before.pop((span.start, span.end, span.label), None):
            # The span itself stands in the group.
            new[index] = copy_span(span)
            add_identifiers(new[index], same)
    replace_ents(doc, [*before.values(), *new])


def _leave_out(spans: List[Span], objections: List[Objection]) -> List[Span]:
    gone = {(span.start, span.end, span.label) for span, _ in objections}
    return [s for s in spans if (s.start, s.end, s.label) not in gone] if gone else spans
