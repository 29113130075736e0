"""Identifiers belong to the entity that stands there, whoever replaces the entities."""

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.abbreviations import AbbreviationResolver
from spacy_bioner.components.confidence import ConfidenceFilter
from spacy_bioner.components.entities import write_entities
from spacy_bioner.components.evidence import Evidence, add_evidence
from spacy_bioner.components.gazetteer import Gazetteer
from spacy_bioner.components.overlaps import OverlapResolver, Rejection, reject
from spacy_bioner.doc_ents import add_identifiers, copy_span, replace_ents
from spacy_bioner.gold import GOLD_KEY
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.training.multi_corpus import TrainingCorpus, _relabel

NLP = spacy.blank("en")
# Two definitions, of which random entities touch one, both or none.
TEXT = "the right atrium ( RA ) and acute kidney injury ( AKI ) with RA and AKI"
WORDS = TEXT.split()
LABELS = ("A", "B")
IDS = ("", "X:1", "X:2")
SPANS = st.lists(
    st.tuples(
        st.integers(0, len(WORDS) - 1),
        st.integers(1, 4),
        st.sampled_from(LABELS),
        st.sampled_from(IDS),
        st.sampled_from(IDS),
        st.booleans(),
    ),
    max_size=6,
)


def make_doc():
    return Doc(NLP.vocab, words=WORDS)


def make_spans(doc, drawn):
    """Flat spans with identifiers; those with the last flag are vouched for by the gazetteer."""
    spans, taken = [], set()
    for start, length, label, kb_id, span_id, vouched in drawn:
        place = range(start, min(start + length, len(doc)))
        if taken.isdisjoint(place):
            taken.update(place)
            span = Span(doc, start, place.stop, label, kb_id=kb_id, span_id=span_id)
            spans.append(span)
            if vouched:
                offsets = (span.start_char, span.end_char)
                add_evidence(doc, Evidence(*offsets, label, "bioner_gazetteer", 0.5, kb_id))
    return spans


def identifiers(doc):
    return {(e.start, e.end, e.label_): (e.kb_id_, e.ent_id_) for e in doc.ents}


def check_tokens(doc):
    """Every token has the identifiers of its entity, and none where there is none."""
    expected = [("", "")] * len(doc)
    for ent in doc.ents:
        expected[ent.start : ent.end] = [(ent.kb_id_, ent.id_)] * len(ent)
    assert [(token.ent_kb_id_, token.ent_id_) for token in doc] == expected


@given(SPANS, SPANS)
def test_what_is_set_is_what_stands(first, second):
    doc = make_doc()
    replace_ents(doc, make_spans(doc, first))
    spans = make_spans(doc, second)
    replace_ents(doc, spans)
    check_tokens(doc)
    assert identifiers(doc) == {(s.start, s.end, s.label_): (s.kb_id_, s.id_) for s in spans}


def gazetteer(doc):
    component = Gazetteer(Language(doc.vocab))
    component.add_terms([Term("right atrium", "A", "X:3"), Term("AKI", "B")])
    return component(doc)


def bioner(doc):
    write_entities(doc, "bioner", [(1, 3, "A"), (7, 9, "B")], [0.9, 0.2])
    return doc


def objections(doc):
    for ent in doc.ents[::2]:
        offsets = (ent.start_char, ent.end_char)
        reject(doc, Rejection(*offsets, ent.label_, "bioner_gazetteer", "test"))
    return OverlapResolver()(doc)


COMPONENTS = {
    "gazetteer": gazetteer,
    "bioner": bioner,
    "abbreviations": AbbreviationResolver(),
    "overlaps": OverlapResolver(),
    "confidence": ConfidenceFilter(source="bioner_gazetteer", threshold=0.6),
    "objections": objections,
}


@settings(deadline=None)
@given(SPANS, st.lists(st.sampled_from(sorted(COMPONENTS)), min_size=1, max_size=5))
def test_no_component_leaves_identifiers_behind_or_loses_them(drawn, names):
    doc = make_doc()
    replace_ents(doc, make_spans(doc, drawn))
    known = identifiers(doc)
    for name in names:
        doc = COMPONENTS[name](doc)
        check_tokens(doc)
    for place, (kb_id, ent_id) in identifiers(doc).items():
        # An entity that went and came again, or another one, has none but its own.
        assert ent_id in ("", known.get(place, ("", ""))[1])
        # A term's own, or the long form's, whose concept id may be that of a span.
        assert kb_id in {"", "X:3"} | {before for pair in known.values() for before in pair}


def test_entity_of_another_component_keeps_its_identifiers():
    doc = make_doc()
    replace_ents(doc, [Span(doc, 7, 10, "B", kb_id="K", span_id="I")])
    add_evidence(doc, Evidence(doc[7].idx, doc[9].idx + 6, "B", "mine"))
    for component in (gazetteer, AbbreviationResolver(), OverlapResolver()):
        component(doc)
    assert identifiers(doc)[7, 10, "B"] == ("K", "I")


def test_identifier_goes_with_the_source_that_gave_it():
    doc = gazetteer(make_doc())
    write_entities(doc, "bioner", [(1, 3, "A")], [0.9])
    aki = {(i, i + 1, "B"): ("", "") for i in (11, 16)}
    assert identifiers(doc) == {(1, 3, "A"): ("X:3", ""), **aki}
    other = Gazetteer(Language(doc.vocab))
    other.add_terms([Term("atrium", "C")])
    other(doc)
    assert identifiers(doc) == {(1, 3, "A"): ("", "")}


def test_rejected_source_names_no_entity_of_another_source():
    doc = gazetteer(make_doc())
    write_entities(doc, "bioner", [(1, 3, "A")], [0.9])
    offsets = (doc[1].idx, doc[2].idx + len(doc[2]))
    reject(doc, Rejection(*offsets, "A", "bioner_gazetteer", "test"))
    OverlapResolver()(doc)
    assert identifiers(doc)[1, 3, "A"] == ("", "")


def test_candidates_keep_both_identifiers_when_overlaps_runs_again():
    doc = make_doc()
    doc.ents = [Span(doc, 7, 9, "B", kb_id="K", span_id="I")]
    doc.spans["bioner"] = [Span(doc, 7, 10, "B")]
    before = OverlapResolver()(doc).to_bytes()
    assert [(s.kb_id_, s.id_) for s in doc.spans["bioner_candidates"]] == [("", ""), ("K", "I")]
    assert OverlapResolver()(doc).to_bytes() == before


def test_relabeled_training_data_keeps_identifiers():
    doc = make_doc()
    replace_ents(doc, [Span(doc, 7, 10, "B", kb_id="K"), Span(doc, 1, 3, "C", kb_id="L")])
    doc.user_data[GOLD_KEY] = []
    source = TrainingCorpus(
        "corpus", "corpus.spacy", labels=("D",), label_map={"B": "D"}, weight=1.0
    )
    assert identifiers(_relabel(doc, source)) == {(7, 10, "D"): ("K", "")}
    check_tokens(doc)


@pytest.mark.parametrize("as_bytes", [True, False])
def test_what_is_gone_is_gone_from_files(as_bytes):
    doc = make_doc()
    replace_ents(doc, [Span(doc, 7, 10, "B", kb_id="K", span_id="I")])
    replace_ents(doc, [Span(doc, 8, 9, "A")])
    if as_bytes:
        copy = Doc(doc.vocab).from_bytes(doc.to_bytes())
    else:
        attrs = ("ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID")
        data = DocBin(attrs=attrs, docs=[doc]).to_bytes()
        copy = next(DocBin().from_bytes(data).get_docs(doc.vocab))
    assert identifiers(copy) == {(8, 9, "A"): ("", "")}
    check_tokens(copy)


def test_unknown_tokens_have_no_identifiers():
    doc = make_doc()
    replace_ents(doc, [Span(doc, 7, 10, "B", kb_id="K")])
    replace_ents(doc, [], missing=[doc[7:10]])
    assert [token.ent_iob for token in doc[6:11]] == [2, 0, 0, 0, 2]
    check_tokens(doc)


def test_copies_have_both_identifiers():
    span = Span(make_doc(), 7, 10, "B", kb_id="K", span_id="I")
    copied = copy_span(span, label="A")
    assert (copied.label_, copied.kb_id_, copied.id_) == ("A", "K", "I")
    bare = Span(span.doc, 7, 10, "B", kb_id="M")
    add_identifiers(bare, span)
    assert (bare.kb_id_, bare.id_) == ("M", "I")
