"""`bioner_context`: which entities are denied, unsure, past, somebody else's or only thought of."""

from dataclasses import asdict
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc

from spacy_bioner.components.context.sections import (
    SPANS_KEY,
    extend_sections,
    read_sections,
    write_sections,
)
from spacy_bioner.gold import read_spans
from spacy_bioner.knowledge.context.cues import load_cue_table, parse_cues
from spacy_bioner.knowledge.context.findings import Finding, Place, find_context
from spacy_bioner.knowledge.context.sections import TextSection, find_sections
from spacy_bioner.ledger import SECTIONS_KEY, register_extensions, write_context
from spacy_bioner.sentences import list_sentence_starts

DEFAULT_CONFIG: Dict[str, Any] = {
    "spans_key": None,
    "sections_key": SPANS_KEY,
    "cues": [],
    "heads": {},
    "terms": ["bioner_gazetteer", "bioner_candidates"],
}


@Language.factory(
    "bioner_context",
    default_config=DEFAULT_CONFIG,
    requires=["doc.ents"],
    assigns=[
        "doc.spans",
        "doc._.bioner_sections",
        "doc._.bioner_context",
    ],
)
def make_context(
    nlp: Language,
    name: str,
    spans_key: Optional[str],
    sections_key: str,
    cues: List[Dict[str, Any]],
    heads: Dict[str, Any],
    terms: List[str],
) -> "ContextDetector":
    """Make the component; it has no state besides its settings."""
    return ContextDetector(
        name, spans_key=spans_key, sections_key=sections_key, cues=cues, heads=heads, terms=terms
    )


class ContextDetector(Pipe):
    """Says of each entity what its sentence and its section say of it.

    `span._.negated`, `.uncertain`, `.historical`, `.family` and `.hypothetical` are true or false,
    `span._.experiencer` is "patient", "family" or who is named, such as "mother"; all read
    `span._.context`, the cues and sections as a list of dicts, each with offsets, direction, scope
    and rule. They go by the offsets of a span, not its label. A cue within an entity is none.

    Put it behind whatever sets the entities. Sentences are those of the Doc, or found by rules.

    name (str): Name of the component.
    spans_key (Optional[str]): Look at this span group; None looks at `doc.ents`.
    sections_key (str): The span group that gets the sections, if `bioner_sections` did not run.
    cues (Sequence[Mapping[str, Any]]): Groups of cues besides those of the package, which they
        replace where they have the same words: {"sets": ["negated"], "direction": "forward",
        "cues": ["no trace of"]}; see `knowledge/context/data/cues.yaml`.
    heads (Optional[Mapping[str, Any]]): As in `bioner_sections`.
    terms (Sequence[str]): Span groups whose spans of several words have no cues in them, either.
    RAISES (ConfigError): For cues or heads in another form.
    """

    def __init__(
        self,
        name: str = "bioner_context",
        *,
        spans_key: Optional[str] = None,
        sections_key: str = SPANS_KEY,
        cues: Sequence[Mapping[str, Any]] = (),
        heads: Optional[Mapping[str, Any]] = None,
        terms: Sequence[str] = tuple(DEFAULT_CONFIG["terms"]),
    ) -> None:
        register_extensions()
        self.name = name
        self.spans_key = spans_key
        self.sections_key = sections_key
        self.terms = list(terms)
        self.table = extend_sections(heads or {}, place=f"{name}, heads")
        known = load_cue_table()
        groups = [dict(group) for group in cues]
        self.cues = parse_cues(groups, place=f"{name}, cues", base=known) if groups else known

    def __call__(self, doc: Doc) -> Doc:
        """Find the context of the entities of a Doc, in place of what was found before."""
        text = doc.text
        sections = self._take_sections(doc, text)
        found: Dict[Place, List[Finding]] = {}
        spans = read_spans(doc, self.spans_key)
        starts = list_sentence_starts(doc, text) if spans else []
        terms = self._list_terms(doc) if spans else []
        for layer in _split_layers([(span.start_char, span.end_char) for span in spans]):
            found.update(
                find_context(
                    text,
                    layer,
                    sentence_starts=starts,
                    sections=sections,
                    cues=self.cues,
                    heads=self.table,
                    terms=terms,
                )
            )
        write_context(doc, (row for place in sorted(found) for row in _rows(place, found[place])))
        return doc

    def _take_sections(self, doc: Doc, text: str) -> Sequence[TextSection]:
        """Return the sections of a Doc, and find them where nobody has."""
        if SECTIONS_KEY not in doc.user_data:
            sections = find_sections(text, self.table)
            write_sections(doc, sections, spans_key=self.sections_key)
        return read_sections(doc)

    def _list_terms(self, doc: Doc) -> List[Place]:
        return [
            (span.start_char, span.end_char)
            for key in self.terms
            for span in doc.spans.get(key, ())
            if span.end - span.start > 1
        ]


def _split_layers(places: Sequence[Place]) -> Iterator[List[Place]]:
    """Split places into lists without overlap."""
    rest = sorted({*places}, key=lambda place: (place[0], -place[1]))
    while rest:
        layer: List[Place] = [rest[0]]
        left: List[Place] = []
        for place in rest[1:]:
            (layer if place[0] >= layer[-1][1] else left).append(place)
        yield layer
        rest = left


def _rows(place: Place, findings: Sequence[Finding]) -> List[Dict[str, Any]]:
    start, end = place
    return [{"start_char": start, "end_char": end, **asdict(finding)} for finding in findings]
