from spacy.tokens import Doc, Span

from spacy_bioner.components.abbreviations import AbbreviationResolver
from spacy_bioner.components.scispacy.attributes import (
    fill_attributes,
    list_concepts,
    list_short_forms,
    offer_attributes,
    read_definitions,
    read_kb_ents,
)
from spacy_bioner.knowledge.definitions import Definition

TEXT = "PD is old. We saw Parkinson disease (PD) in men."
OURS = Definition(37, 39, "PD", 18, 35, "Parkinson disease")


def leave(doc, short, long):
    """Leave a short form as scispaCy's detector does, given as tokens."""
    span = doc[short[0] : short[1]]
    span._.long_form = doc[long[0] : long[1]]
    doc._.abbreviations.append(span)


def test_spans_are_read_once_a_pair_nearest_to_the_long_form(scispacy_nlp):
    doc = scispacy_nlp.make_doc(TEXT)
    leave(doc, (0, 1), (6, 8))
    leave(doc, (9, 10), (6, 8))
    assert read_definitions(doc) == [OURS]


def test_dicts_are_read(scispacy_nlp):
    doc = scispacy_nlp.make_doc(TEXT)
    places = {"short_start": 9, "short_end": 10, "long_start": 6, "long_end": 8}
    doc._.abbreviations = [{"short_text": "PD", "long_text": "Parkinson disease", **places}]
    assert read_definitions(doc) == [OURS]


def test_what_is_not_scispacys_is_let_alone(nlp):
    doc = nlp.make_doc(TEXT)
    assert (read_definitions(doc), read_kb_ents(doc[0:1])) == ([], [])
    Doc.set_extension("abbreviations", default=None)
    assert read_definitions(doc) == []
    doc._.abbreviations = ["PD", {"PD": "Parkinson disease"}, doc[0:1]]
    assert read_definitions(doc) == []


def test_kb_ents_are_read(scispacy_nlp):
    span = scispacy_nlp.make_doc(TEXT)[6:8]
    assert read_kb_ents(span) == []
    span._.kb_ents = [("C0030567", 1.0), ("C1", 0.75)]
    assert read_kb_ents(span) == [("C0030567", 1.0), ("C1", 0.75)]


def test_offered_attributes_answer_from_the_ledger_and_can_be_saved(nlp):
    offer_attributes()
    doc = AbbreviationResolver()(nlp.make_doc(TEXT))
    assert [(span.text, span.start) for span in doc._.abbreviations] == [("PD", 0), ("PD", 9)]
    assert [span._.long_form.text for span in doc._.abbreviations] == ["Parkinson disease"] * 2
    assert doc[1:2]._.long_form is None
    doc.ents = [Span(doc, 6, 8, "Disease", kb_id="D010300")]
    assert (doc.ents[0]._.kb_ents, doc[0:1]._.kb_ents) == ([("D010300", 1.0)], [])
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert [span.text for span in again._.abbreviations] == ["PD", "PD"]
    # They are no definitions of somebody else's.
    assert (read_definitions(doc), read_kb_ents(doc.ents[0])) == ([], [])


def test_offering_keeps_what_somebody_has_defined(scispacy_nlp):
    before = [Doc.get_extension("abbreviations"), Span.get_extension("kb_ents")]
    offer_attributes()
    assert [Doc.get_extension("abbreviations"), Span.get_extension("kb_ents")] == before


def test_filling_keeps_what_scispacy_has_written(scispacy_nlp):
    doc = AbbreviationResolver(scispacy=False)(scispacy_nlp.make_doc(TEXT))
    doc.ents = [Span(doc, 6, 8, "Disease", kb_id="D010300"), Span(doc, 9, 10, "Disease", kb_id="X")]
    doc.ents[0]._.kb_ents = [("C0030567", 0.9)]
    fill_attributes(doc)
    assert [(span.start, span._.long_form.text) for span in doc._.abbreviations] == [
        (0, "Parkinson disease"),
        (9, "Parkinson disease"),
    ]
    assert [ent._.kb_ents for ent in doc.ents] == [[("C0030567", 0.9)], [("X", 1.0)]]
    doc._.abbreviations = doc._.abbreviations[:1]
    fill_attributes(doc)
    assert len(doc._.abbreviations) == 1


def test_concepts_of_a_linker_come_with_their_scores(nlp):
    doc = nlp.make_doc(TEXT)
    doc.ents = [Span(doc, 6, 8, "Disease", kb_id="D010300")]
    assert list_concepts(doc.ents[0]) == [("D010300", 1.0)]
    Span.set_extension("concepts", getter=lambda span: [{"id": "D1", "score": 0.5}])
    assert list_concepts(doc.ents[0]) == [("D1", 0.5)]


def test_short_forms_that_are_no_tokens_are_left_out(nlp):
    doc = Doc(nlp.vocab, words=["Parkinson", "disease", "(", "PD", ")", "PD-like"])
    AbbreviationResolver()(doc)
    assert [(short.start, long.end) for short, long in list_short_forms(doc)] == [(3, 2)]
