"""A pipeline that has components of scispaCy, or scripts that were written for it."""

from typing import Any, Dict, List

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import (
    Evidence,
    add_evidence,
    clear_evidence,
    copy_without_identifier_of,
    register_extensions,
)
from spacy_bioner.components.scispacy.attributes import (
    ScoredConcept,
    fill_attributes,
    offer_attributes,
    read_kb_ents,
)
from spacy_bioner.doc_ents import copy_span, replace_ents

DEFAULT_CONFIG: Dict[str, Any] = {"read": True, "write": False}


@Language.factory("bioner_scispacy", default_config=DEFAULT_CONFIG, assigns=["doc.ents"])
def make_scispacy_bridge(nlp: Language, name: str, read: bool, write: bool) -> "ScispacyBridge":
    """Make the component; it has no state besides its settings."""
    return ScispacyBridge(name, read=read, write=write)


class ScispacyBridge(Pipe):
    """Takes over the concepts of scispaCy's linker, and fills scispaCy's attributes.

    Abbreviations that scispaCy has found are read by `bioner_abbreviations` itself.

    name (str): Name of the component, and the source in the ledger.
    read (bool): Give entities without an identifier the best concept of `ent._.kb_ents`; all of
        them stand in the evidence with their scores.
    write (bool): Fill `doc._.abbreviations`, `span._.long_form` and `span._.kb_ents` from what
        this package has found. Where scispaCy has defined them, what it has written stays.
    """

    def __init__(
        self, name: str = "bioner_scispacy", *, read: bool = True, write: bool = False
    ) -> None:
        register_extensions()
        if write:
            offer_attributes()
        self.name = name
        self.read = read
        self.write = write

    def __call__(self, doc: Doc) -> Doc:
        """Read and write the attributes of a Doc, which may have been here before."""
        if self.read:
            ents = [copy_without_identifier_of(ent, {self.name}) for ent in doc.ents]
            clear_evidence(doc, self.name)
            replace_ents(doc, [self._name(ent) for ent in ents])
        if self.write:
            # Somebody may have taken the attributes away, or defined them, since.
            offer_attributes()
            fill_attributes(doc)
        return doc

    def _name(self, ent: Span) -> Span:
        concepts = read_kb_ents(ent)
        if not concepts:
            return ent
        self._record(ent, concepts)
        named = copy_span(ent)
        if not named.kb_id:
            named.kb_id_ = concepts[0][0]
        return named

    def _record(self, ent: Span, concepts: List[ScoredConcept]) -> None:
        place = (ent.start_char, ent.end_char, ent.label_)
        scores = ", ".join(f"{concept_id} {score:.3g}" for concept_id, score in concepts)
        evidence = Evidence(*place, self.name, concept_id=concepts[0][0], rule=f"linked: {scores}")
        add_evidence(ent.doc, evidence)
