"""Short forms mean what their definition says, all over the document.

What the settings default to was decided on the gold annotation of the train and dev parts of
NCBI-disease, BC5CDR and BioRED: where a long form is an entity, its short form is one with the
same label in 1,341 of 1,349 definitions; where no entity touches the long form, the short form is
none in 1,013 of 1,018 (`benchmarks/abbreviations.py`). So labels go from long to short forms; the
other way is not taken.
"""

from collections import defaultdict
from dataclasses import asdict
from itertools import pairwise
from typing import Any, Dict, Iterable, Iterator, List, Literal, Optional, Set, Tuple

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import (
    Evidence,
    add_evidence,
    clear_evidence,
    copy_without_identifier_of,
    register_extensions,
    span_evidence,
)
from spacy_bioner.components.overlaps import (
    Rejection,
    clear_rejections,
    read_rejections,
    reject,
    withdraw_ents,
)
from spacy_bioner.components.rulers import credit_rulers, group_of, list_rulers
from spacy_bioner.components.scispacy.attributes import read_definitions
from spacy_bioner.corpora.formats.concept_ids import split_kb_id
from spacy_bioner.doc_ents import add_identifiers, concept_of, fill_free, replace_ents
from spacy_bioner.knowledge.definitions import Definition, find_definitions
from spacy_bioner.knowledge.short_forms import (
    Meaning,
    ProposedEntity,
    find_meanings,
    find_occurrences,
)
from spacy_bioner.ledger import ABBREVIATIONS_KEY, list_abbreviations
from spacy_bioner.sentences import list_sentence_starts

DEFAULT_CONFIG: Dict[str, Any] = {
    "set_ents": True,
    "agreement": "long_form",
    "sources": ["bioner", "bioner_gazetteer"],
    "drop_from": ["bioner_gazetteer"],
    "scispacy": True,
}


@Language.factory(
    "bioner_abbreviations",
    default_config=DEFAULT_CONFIG,
    assigns=["doc._.bioner_abbreviations", "doc.spans", "doc.ents"],
)
def make_abbreviations(
    nlp: Language,
    name: str,
    set_ents: bool,
    agreement: Literal["long_form", "keep"],
    sources: List[str],
    drop_from: List[str],
    scispacy: bool,
) -> "AbbreviationResolver":
    """Make the component; it has no state besides its settings."""
    return AbbreviationResolver(
        name,
        set_ents=set_ents,
        agreement=agreement,
        sources=sources,
        drop_from=drop_from,
        scispacy=scispacy,
        nlp=nlp,
    )


class AbbreviationResolver(Pipe):
    """Finds definitions and gives every occurrence of a short form the label of its long form.

    The definitions stand in `doc._.bioner_abbreviations`, the labeled occurrences in
    `doc.spans[name]` and in the ledger, with the long form's identifier and confidence. Of two
    definitions of one short form the last one before an occurrence counts.

    name (str): Name of the component, of its span group and of the source in the ledger.
    set_ents (bool): Bring `doc.ents` into line as well; `bioner_overlaps` does not need it.
    agreement (str): What happens to an occurrence that carries another label than the long form.
        "long_form": the other label is rejected, because a long form says what it is while short
        forms are ambiguous (of 11 such conflicts among a gazetteer's labels on BC5CDR train and
        dev, the long form is right in 9, the short form in none). "keep": it stays.
    sources (Iterable[str]): Span groups with the proposals of earlier components, a SpanRuler by
        its name or that of its group; `doc.ents` always counts, and first.
    drop_from (Iterable[str]): Sources that are not believed about a short form if its long form
        is touched by no proposal: a gazetteer takes "RA" for rheumatoid arthritis where the text
        says right atrium (in NCBI-disease and BC5CDR 51 of 69 such short forms are no such entity).
    scispacy (bool): Definitions in `doc._.abbreviations` that scispaCy's detector has left there
        count as well, for short forms that the text defines nowhere else.
    nlp (Optional[Language]): The pipeline, whose rulers are named as sources.
    """

    def __init__(
        self,
        name: str = "bioner_abbreviations",
        *,
        set_ents: bool = True,
        agreement: Literal["long_form", "keep"] = "long_form",
        sources: Iterable[str] = tuple(DEFAULT_CONFIG["sources"]),
        drop_from: Iterable[str] = tuple(DEFAULT_CONFIG["drop_from"]),
        scispacy: bool = True,
        nlp: Optional[Language] = None,
    ) -> None:
        register_extensions()
        self.name = name
        self.set_ents = set_ents
        self.agreement = agreement
        self.sources = list(sources)
        self.drop_from = list(drop_from)
        self.scispacy = scispacy
        self.nlp = nlp

    def __call__(self, doc: Doc) -> Doc:
        """Find the definitions and apply them; the Doc may have been here before."""
        credit_rulers(doc, self.nlp)
        withdraw_ents(doc, self.name)
        clear_evidence(doc, self.name)
        clear_rejections(doc, self.name)
        definitions = find_abbreviations(doc)
        if self.scispacy:
            known = {definition.short_text for definition in definitions}
            definitions += [one for one in read_definitions(doc) if one.short_text not in known]
        doc.user_data[ABBREVIATIONS_KEY] = [asdict(definition) for definition in definitions]
        spans = self._apply(doc, definitions) if definitions else []
        doc.spans[self.name] = spans
        if self.set_ents and definitions:
            _update_ents(doc, spans)
        return doc

    def _apply(self, doc: Doc, definitions: List[Definition]) -> List[Span]:
        proposals = list(self._proposals(doc))
        meanings = find_meanings(doc.text, definitions, proposals)
        at_offsets: Dict[Tuple[int, int], List[ProposedEntity]] = defaultdict(list)
        for proposal in proposals:
            at_offsets[proposal.start_char, proposal.end_char].append(proposal)
        spans = []
        for start_char, end_char, meaning in find_occurrences(doc.text, meanings):
            here = at_offsets[start_char, end_char]
            if meaning.unsupported:
                self._drop(doc, here, meaning)
            if meaning.entity is None or not self._agrees(doc, here, meaning):
                continue
            span = doc.char_span(
                start_char, end_char, label=meaning.entity.label, kb_id=meaning.entity.kb_id
            )
            if span is not None:
                self._record(span, meaning)
                spans.append(span)
        return spans

    def _proposals(self, doc: Doc) -> Iterator[ProposedEntity]:
        rulers = list_rulers(self.nlp)
        keys = [group_of(rulers[name]) if name in rulers else name for name in self.sources]
        owners = {group_of(ruler): name for name, ruler in rulers.items()}
        groups = [("", list(doc.ents))]
        groups += [(owners.get(key, ""), [*doc.spans[key]]) for key in keys if key in doc.spans]
        for owner, span in ((owner, span) for owner, group in groups for span in group):
            offsets = (span.start_char, span.end_char, span.label_)
            entries = span_evidence(span)
            for entry in entries:
                kb_id = concept_of(span) or next(iter(split_kb_id(entry.concept_id)), "")
                yield ProposedEntity(*offsets, entry.source, kb_id, entry.confidence)
            if not entries:
                yield ProposedEntity(*offsets, owner, concept_of(span))

    def _agrees(self, doc: Doc, here: List[ProposedEntity], meaning: Meaning) -> bool:
        """Settle conflicts about one occurrence; tell whether it gets the long form's label."""
        label = meaning.entity.label if meaning.entity else ""
        others = sorted({proposal.label for proposal in here if proposal.label != label})
        if others and self.agreement == "keep":
            return False
        for other in others:
            offsets = (here[0].start_char, here[0].end_char)
            reason = f"short form of '{meaning.definition.long_text}' ({label})"
            reject(doc, Rejection(*offsets, other, "", self.name, reason))
        return True

    def _drop(self, doc: Doc, here: List[ProposedEntity], meaning: Meaning) -> None:
        reason = f"short form of '{meaning.definition.long_text}', which is no entity"
        for proposal in here:
            if proposal.source in self.drop_from:
                offsets = (proposal.start_char, proposal.end_char)
                reject(doc, Rejection(*offsets, proposal.label, proposal.source, self.name, reason))

    def _record(self, span: Span, meaning: Meaning) -> None:
        evidence = Evidence(
            span.start_char,
            span.end_char,
            span.label_,
            self.name,
            confidence=meaning.entity.confidence if meaning.entity else None,
            concept_id=span.kb_id_,
            rule=f"short form of '{meaning.definition.long_text}'",
        )
        add_evidence(span.doc, evidence)


def find_abbreviations(doc: Doc) -> List[Definition]:
    """Find the definitions within the sentences of a Doc, by rules where it has no sentences."""
    text = doc.text
    return [
        definition
        for start, end in pairwise([*list_sentence_starts(doc, text), len(text)])
        for definition in find_definitions(text, start, end)
    ]


def read_abbreviations(doc: Doc) -> Tuple[Definition, ...]:
    """Return the definitions that the component has found in a Doc.

    `doc._.bioner_abbreviations` has the same as a list of dicts.
    """
    return tuple(Definition(**row) for row in list_abbreviations(doc))


def _update_ents(doc: Doc, spans: List[Span]) -> None:
    """Drop rejected entities, fill in identifiers, add occurrences where no entity stands."""
    against: Dict[Tuple[int, int, str], Set[str]] = defaultdict(set)
    for entry in read_rejections(doc):
        against[entry.start_char, entry.end_char, entry.label].add(entry.source)
    named = {(span.start, span.end, span.label): span for span in spans}
    ents = []
    for ent in doc.ents:
        objections = against[ent.start_char, ent.end_char, ent.label_]
        if _is_rejected(ent, objections):
            continue
        kept = copy_without_identifier_of(ent, objections)
        if same := named.get((ent.start, ent.end, ent.label)):
            add_identifiers(kept, same)
        ents.append(kept)
    replace_ents(doc, fill_free(ents, spans))


def _is_rejected(ent: Span, against: Set[str]) -> bool:
    sources = {entry.source for entry in span_evidence(ent)}
    return "" in against or bool(sources and sources <= against)
