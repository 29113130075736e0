"""Why entities are there, as one self-contained HTML page."""

from typing import Any, Dict, List, Tuple

from spacy_bioner.evaluation.explanation.results import Explanation, TextExplanation
from spacy_bioner.reports.html.elements import PagePart
from spacy_bioner.reports.html.pages import render_page
from spacy_bioner.reports.text.explanation import (
    MEANINGS,
    describe_error,
    describe_proposal,
    describe_readings,
    describe_source,
    describe_strongest,
    relative_values,
)

TEMPLATE = "explanation.html.j2"


def render_explanation_page(found: TextExplanation, *, title: str) -> str:
    """Render the page; it loads nothing."""
    return render_page(
        TEMPLATE,
        title=title,
        parts=_split_text(found),
        entities=[_present(item) for item in found.entities],
        left_out=[describe_proposal(item) for item in found.left_out],
        methods=[MEANINGS[name] for name in sorted({e.method for e in found.entities if e.words})],
    )


def _present(entity: Explanation) -> Dict[str, Any]:
    words: List[Tuple[str, str, float, str]] = []
    last = entity.words[0].start_char if entity.words else 0
    for word, share in zip(entity.words, relative_values(entity.words)):
        gap = " " if word.start_char > last else ""
        last = word.end_char
        tone = "" if abs(share) < 0.05 else "for" if share > 0 else "against"
        words.append((gap, word.text, round(abs(share), 2), tone))
    return {
        "text": entity.text,
        "label": entity.label or "(none)",
        "confidence": entity.confidence,
        "sources": [describe_source(item) for item in entity.sources],
        "readings": describe_readings(entity) if entity.readings else "",
        "words": words,
        "strongest": describe_strongest(entity) if entity.words else "",
        "missed": describe_error(entity),
        "note": entity.note,
    }


def _split_text(found: TextExplanation) -> List[PagePart]:
    parts: List[PagePart] = []
    last = 0
    for item in found.entities:
        parts.append(PagePart(found.text[last : item.start_char]))
        parts.append(PagePart(item.text, item.label or "(none)", "right"))
        last = item.end_char
    parts.append(PagePart(found.text[last:]))
    return [part for part in parts if part.text]
