"""The entities of a text as a table."""

from collections import Counter
from typing import TYPE_CHECKING, List

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span


HEADER = ("text", "label", "confidence", "source", "id")
MAX_TEXT_WIDTH = 36
MAX_ID_WIDTH = 24
DASH = "–"


def render_entities(doc: "Doc") -> str:
    """Render `doc.ents` in the order of the text, with a line that counts them by label."""
    from spacy_bioner.reports.tables import render_table, shorten

    if not doc.ents:
        return f"  no entities in {len(doc.text):,} characters"
    rows: List[List[str]] = []
    for ent in doc.ents:
        name = shorten(ent.text, MAX_TEXT_WIDTH)
        concept = shorten(_concept_id(ent), MAX_ID_WIDTH)
        rows.append([name, ent.label_, _confidence(ent), _source(ent), concept])
    counts = Counter(ent.label_ for ent in doc.ents)
    summary = ", ".join(f"{label} {count:,}" for label, count in counts.most_common())
    noun = "entity" if len(doc.ents) == 1 else "entities"
    return f"{render_table(HEADER, rows, right=[2])}\n\n  {len(doc.ents):,} {noun}: {summary}"


def _confidence(ent: "Span") -> str:
    value = ent._.confidence if ent.has_extension("confidence") else None
    return DASH if value is None else f"{value:.3f}"


def _source(ent: "Span") -> str:
    value = ent._.source if ent.has_extension("source") else None
    return str(value) if value else DASH


def _concept_id(ent: "Span") -> str:
    from spacy_bioner.components.evidence import span_evidence

    known = [entry.concept_id for entry in span_evidence(ent) if entry.concept_id]
    return ent.kb_id_ or next(iter(known), "") or ent.ent_id_ or DASH
