"""Writing one component's entities to a Doc: its span group, the ledger and `doc.ents`."""

from typing import List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import Evidence, add_evidence, clear_evidence, is_from
from spacy_bioner.tags import TokenSpan


def write_entities(
    doc: Doc, name: str, spans: Sequence[TokenSpan], confidences: Sequence[float]
) -> None:
    """Replace what a component has written to a Doc before.

    Entities that other components have set stay where they overlap none of these.

    name (str): The component: key of the span group and source in the ledger.
    spans (Sequence[TokenSpan]): Flat spans, in order.
    confidences (Sequence[float]): One value between 0 and 1 per span.
    """
    foreign = [ent for ent in doc.ents if not is_from(ent, name)]
    clear_evidence(doc, name)
    own = [Span(doc, start, end, label=label) for start, end, label in spans]
    doc.spans[name] = own
    for span, confidence in zip(own, confidences):
        add_evidence(
            doc,
            Evidence(span.start_char, span.end_char, span.label_, name, confidence=confidence),
        )
    taken = {index for span in own for index in range(span.start, span.end)}
    kept = [ent for ent in foreign if taken.isdisjoint(range(ent.start, ent.end))]
    doc.set_ents([*own, *kept], default="outside")


def trim_spaces(
    doc: Doc, spans: Sequence[TokenSpan], confidences: Sequence[float]
) -> Tuple[List[TokenSpan], List[float]]:
    """Cut tokens of white space off both ends of spans; those of nothing else are left out.

    A confidence is that of the whole span: that it ends where the white space begins was never
    asked.
    """
    pairs = [(_trim(doc, span), value) for span, value in zip(spans, confidences)]
    kept = [(span, value) for span, value in pairs if span is not None]
    return [span for span, _ in kept], [value for _, value in kept]


def _trim(doc: Doc, span: TokenSpan) -> Optional[TokenSpan]:
    start, end, label = span
    while start < end and doc[start].is_space:
        start += 1
    while end > start and doc[end - 1].is_space:
        end -= 1
    return (start, end, label) if start < end else None
