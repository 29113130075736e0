"""Writing one component's entities to a Doc: its span group, the ledger and `doc.ents`."""

from typing import Sequence

from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import Evidence, add_evidence, clear_evidence, is_from
from spacy_bioner.doc_ents import fill_free, replace_ents
from spacy_bioner.tags import TokenSpan


def write_entities(
    doc: Doc, name: str, spans: Sequence[TokenSpan], confidences: Sequence[float]
) -> None:
    """Replace what a component has written to a Doc before.

    Entities that other components have set stay where they overlap none of these. An entity that
    has stood at the same place with the same label keeps its identifiers.

    name (str): The component: key of the span group and source in the ledger.
    spans (Sequence[TokenSpan]): Flat spans, in order.
    confidences (Sequence[float]): One value between 0 and 1 per span.
    """
    standing = {(ent.start, ent.end, ent.label_): ent for ent in doc.ents}
    foreign = [ent for ent in standing.values() if not is_from(ent, name)]
    clear_evidence(doc, name)
    own = [Span(doc, start, end, label=label) for start, end, label in spans]
    doc.spans[name] = own
    for span, confidence in zip(own, confidences):
        add_evidence(
            doc,
            Evidence(span.start_char, span.end_char, span.label_, name, confidence=confidence),
        )
    found = [standing.get(place, span) for place, span in zip(spans, own)]
    replace_ents(doc, fill_free(found, foreign))
