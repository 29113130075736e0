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
from spacy_bioner.doc_ents import EntityRow, as_row, set_entities


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
    rows = write_hits(doc, source, kept, confidence=modes.confidence, notes=notes)
    if set_ents:
        new = [row for row, hit in zip(rows, kept, strict=True) if hit in entities]
        others = _leave_out(left, objections)
        if new or len(others) < len(standing):
            _set_ents(doc, others, new)
        elif marks_outside and not doc.has_annotation("ENT_IOB"):
            doc.set_ents([])


def _set_ents(doc: Doc, others: List[Span], new: List[EntityRow]) -> None:
    """Set entities; of two that are the same, the new one stays, with the identifiers of both."""
    rows = {row[:3]: row for row in new}
    for span in others:
        start, end, label, kb_id, span_id = as_row(span)
        _, _, _, new_kb_id, new_id = rows.get((start, end, label), (0, 0, 0, 0, 0))
        rows[start, end, label] = (start, end, label, new_kb_id or kb_id, new_id or span_id)
    set_entities(doc, rows.values())


def _leave_out(spans: List[Span], objections: List[Objection]) -> List[Span]:
    gone = {(span.start, span.end, span.label) for span, _ in objections}
    return [s for s in spans if (s.start, s.end, s.label) not in gone] if gone else spans
