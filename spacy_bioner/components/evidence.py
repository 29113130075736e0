"""The ledger: where every proposed entity comes from, kept on the Doc as plain data.

The ledger (`spacy_bioner.ledger`) is keyed by character offsets, label and source: span extensions
alone are keyed by offsets, so that two labels on one stretch of text would overwrite each other.
"""

from dataclasses import dataclass
from typing import Container, Optional, Set, Tuple

from spacy.tokens import Doc, Span

from spacy_bioner.doc_ents import copy_span
from spacy_bioner.ledger import LEDGER_KEY, enter, find_rows, has_source
from spacy_bioner.ledger import SOURCE_ORDER_KEY as SOURCE_ORDER_KEY
from spacy_bioner.ledger import register_extensions as register_extensions


@dataclass(frozen=True)
class Evidence:
    """Why a component proposed a span.

    start_char (int): Offset of the first character in `doc.text`.
    end_char (int): Offset behind the last character.
    label (str): The proposed entity type.
    source (str): Name of the component that proposed it.
    confidence (Optional[float]): Probability between 0 and 1; None where the source has none.
    concept_id (str): Identifier in a terminology; empty where the source gives none.
    rule (str): What made the source propose the span, in the source's own terms.
    """

    start_char: int
    end_char: int
    label: str
    source: str
    confidence: Optional[float] = None
    concept_id: str = ""
    rule: str = ""


def add_evidence(doc: Doc, evidence: Evidence) -> None:
    """Write an entry; an earlier one of the same offsets, label and source is replaced."""
    row = dict(vars(evidence))
    if evidence.confidence is not None:
        # Numbers of numpy are no plain data.
        row["confidence"] = float(evidence.confidence)
    enter(doc, row)


def clear_evidence(doc: Doc, source: str) -> None:
    """Remove every entry of one source, so that a component can run twice over a Doc."""
    if not has_source(doc, source):
        return
    ledger = doc.user_data[LEDGER_KEY]
    for key in list(ledger):
        ledger[key] = [row for row in ledger[key] if row["source"] != source]
        if not ledger[key]:
            del ledger[key]


def span_evidence(span: Span) -> Tuple[Evidence, ...]:
    """Return the entries for a span's offsets and label, the preferred source first.

    `span._.evidence` has the same as a list of dicts.

    span (Span): Any span of the Doc that the components ran over.
    RETURNS (Tuple[Evidence, ...]): In the order that `bioner_overlaps` declared, else as added.
    """
    return tuple(Evidence(**row) for row in find_rows(span))


def is_from(span: Span, source: str) -> bool:
    """Tell whether a source proposed this span with this label."""
    return any(row["source"] == source for row in find_rows(span))


def list_identifying(span: Span) -> Set[str]:
    """List the sources that give the identifier in a span's `kb_id_`; empty if none does."""
    if not span.kb_id:
        return set()
    entries = span_evidence(span)
    return {e.source for e in entries if span.kb_id_ in (e.concept_id, *e.concept_id.split("|"))}


def copy_without_identifier_of(span: Span, sources: Container[str]) -> Span:
    """Copy a span, without an identifier that none but these sources give."""
    copied = copy_span(span)
    identifying = list_identifying(span)
    if identifying and all(source in sources for source in identifying):
        if copied.id == copied.kb_id:
            copied.id = 0
        copied.kb_id = 0
    return copied
