"""`bioner_sections`: the sections of notes, reports and structured abstracts, as spans."""

from bisect import bisect_left
from dataclasses import asdict
from typing import Any, Dict, List, Mapping, Optional, Tuple

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.blanks import trim
from spacy_bioner.knowledge.context.heads import (
    SectionTable,
    load_section_table,
    parse_section_table,
)
from spacy_bioner.knowledge.context.sections import TextSection, find_sections
from spacy_bioner.ledger import SECTIONS_KEY, list_sections, register_extensions

SPANS_KEY = "sections"

DEFAULT_CONFIG: Dict[str, Any] = {"spans_key": SPANS_KEY, "heads": {}}


@Language.factory(
    "bioner_sections",
    default_config=DEFAULT_CONFIG,
    assigns=["doc.spans", "doc._.bioner_sections"],
)
def make_sections(
    nlp: Language, name: str, spans_key: str, heads: Dict[str, Any]
) -> "SectionFinder":
    """Make the component; it has no state besides its settings."""
    return SectionFinder(name, spans_key=spans_key, heads=heads)


class SectionFinder(Pipe):
    """Writes the sections of a Doc to a span group, each with the normal form of its head as label.

    A span reaches from the head to the last word before the next one; what stands before the first
    head, or a text without any, is a "body". `doc._.bioner_sections` has the offsets of the heads.

    name (str): Name of the component.
    spans_key (str): The span group.
    heads (Optional[Mapping[str, Any]]): Sections besides those of the package, or other heads for
        these: {"past_medical_history": {"heads": ["background history"], "sets": ["historical"]}}.
    RAISES (ConfigError): For heads in another form.
    """

    def __init__(
        self,
        name: str = "bioner_sections",
        *,
        spans_key: str = SPANS_KEY,
        heads: Optional[Mapping[str, Any]] = None,
    ) -> None:
        register_extensions()
        self.name = name
        self.spans_key = spans_key
        self.table = extend_sections(heads or {}, place=f"{name}, heads")

    def __call__(self, doc: Doc) -> Doc:
        """Find the sections of a Doc."""
        write_sections(doc, find_sections(doc.text, self.table), spans_key=self.spans_key)
        return doc


def extend_sections(heads: Mapping[str, Any], *, place: str) -> SectionTable:
    """Return the heads of the package and others.

    RAISES (ConfigError): For heads in another form than a table has, with the place.
    """
    known = load_section_table()
    return parse_section_table(dict(heads), place=place, base=known) if heads else known


def write_sections(doc: Doc, sections: List[TextSection], *, spans_key: str) -> None:
    """Put sections on a Doc; those without a token of their own are no spans."""
    doc.user_data[SECTIONS_KEY] = [asdict(section) for section in sections]
    # spaCy puts the text together anew each time.
    text, starts = doc.text, [token.idx for token in doc]
    spans = []
    for section in sections:
        first, end = trim(text, section.start_char, section.end_char)
        place = (bisect_left(starts, first), bisect_left(starts, end))
        if place[0] < place[1]:
            spans.append(Span(doc, *place, label=section.label))
    doc.spans[spans_key] = spans


def read_sections(doc: Doc) -> Tuple[TextSection, ...]:
    """Return the sections that were found in a Doc.

    `doc._.bioner_sections` has the same as a list of dicts.
    """
    return tuple(TextSection(**row) for row in list_sections(doc))
