"""The ledger: where every proposed entity comes from, kept on the Doc as plain data.

The ledger lives in `doc.user_data`, so it survives `Doc.to_bytes`, a DocBin with
`store_user_data=True` and `nlp.pipe(n_process=…)`. It is keyed by character offsets, label and
source: span extensions alone are keyed by offsets, so that two labels on one stretch of text
would overwrite each other.
"""

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

LEDGER_KEY = "bioner_evidence"
SOURCE_ORDER_KEY = "bioner_source_order"


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
    ledger: Dict[str, List[Dict[str, Any]]] = doc.user_data.setdefault(LEDGER_KEY, {})
    key = _key(evidence.start_char, evidence.end_char)
    same = (evidence.label, evidence.source)
    kept = [row for row in ledger.get(key, ()) if (row["label"], row["source"]) != same]
    ledger[key] = [*kept, dict(vars(evidence))]


def clear_evidence(doc: Doc, source: str) -> None:
    """Remove every entry of one source, so that a component can run twice over a Doc."""
    ledger = doc.user_data.get(LEDGER_KEY, {})
    for key in list(ledger):
        ledger[key] = [row for row in ledger[key] if row["source"] != source]
        if not ledger[key]:
            del ledger[key]


def span_evidence(span: Span) -> Tuple[Evidence, ...]:
    """Give the entries for a span's offsets and label, the preferred source first.

    span (Span): Any span of the Doc that the components ran over.
    RETURNS (Tuple[Evidence, ...]): In the order that `bioner_overlaps` declared, else as added.
    """
    ledger = span.doc.user_data.get(LEDGER_KEY, {})
    rows = [
        row
        for row in ledger.get(_key(span.start_char, span.end_char), ())
        if row["label"] == span.label_
    ]
    order: Sequence[str] = span.doc.user_data.get(SOURCE_ORDER_KEY, ())
    rank = {source: position for position, source in enumerate(order)}
    rows.sort(key=lambda row: rank.get(row["source"], len(rank)))
    return tuple(Evidence(**row) for row in rows)


def is_from(span: Span, source: str) -> bool:
    """Tell whether a source proposed this span with this label."""
    return any(evidence.source == source for evidence in span_evidence(span))


def register_extensions() -> None:
    """Define `span._.confidence`, `span._.source` and `span._.evidence` unless they exist."""
    getters: Dict[str, Callable[[Span], Any]] = {
        "confidence": _get_confidence,
        "source": _get_source,
        "evidence": span_evidence,
    }
    for name, getter in getters.items():
        if not Span.has_extension(name):
            Span.set_extension(name, getter=getter)


def _get_confidence(span: Span) -> Optional[float]:
    entries = span_evidence(span)
    return entries[0].confidence if entries else None


def _get_source(span: Span) -> Optional[str]:
    entries = span_evidence(span)
    return entries[0].source if entries else None


def _key(start_char: int, end_char: int) -> str:
    return f"{start_char}:{end_char}"
