import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.abbreviations import AbbreviationResolver, read_abbreviations
from spacy_bioner.components.evidence import Evidence, add_evidence
from spacy_bioner.components.overlaps import OverlapResolver, read_rejections
from spacy_bioner.knowledge.definitions import Definition

TEXT = "PD is old. We saw Parkinson disease (PD) in men. PD and two PDs."


@pytest.fixture
def nlp():
    return spacy.blank("en")


def propose(doc, surface, label, *, source="bioner", kb_id="", confidence=None, ents=True):
    """Propose every occurrence of a surface, the way an earlier component does."""
    spans = [
        doc.char_span(start, start + len(surface), label=label, kb_id=kb_id)
        for start in range(len(doc.text))
        if doc.text.startswith(surface, start)
    ]
    spans = [span for span in spans if span is not None]
    doc.spans[source] = [*doc.spans.get(source, ()), *spans]
    for span in spans:
        offsets = (span.start_char, span.end_char)
        add_evidence(doc, Evidence(*offsets, label, source, confidence, kb_id))
    if ents:
        doc.set_ents([*doc.ents, *spans])
    return doc


def rows(spans):
    return [(span.text, span.start_char, span.label_) for span in spans]


EVERYWHERE = [
    ("PD", 0, "Disease"),
    ("PD", 37, "Disease"),
    ("PD", 49, "Disease"),
    ("PDs", 60, "Disease"),
]


def test_definitions_are_plain_data_on_the_doc(nlp):
    doc = AbbreviationResolver()(nlp.make_doc(TEXT))
    assert doc.user_data["bioner_abbreviations"] == [
        {
            "short_start": 37,
            "short_end": 39,
            "short_text": "PD",
            "long_start": 18,
            "long_end": 35,
            "long_text": "Parkinson disease",
        }
    ]
    assert doc._.bioner_abbreviations == doc.user_data["bioner_abbreviations"]
    assert read_abbreviations(doc) == (Definition(37, 39, "PD", 18, 35, "Parkinson disease"),)


def test_doc_that_was_not_processed_has_no_definitions(nlp):
    AbbreviationResolver()
    assert nlp.make_doc(TEXT)._.bioner_abbreviations == []


def test_every_occurrence_gets_the_label_of_the_long_form(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease")
    doc = AbbreviationResolver()(doc)
    assert rows(doc.spans["bioner_abbreviations"]) == EVERYWHERE
    assert rows(doc.ents) == sorted(
        [*EVERYWHERE, ("Parkinson disease", 18, "Disease")], key=lambda r: r[1]
    )


def test_occurrence_gets_identifier_confidence_and_rule(nlp):
    doc = nlp.make_doc(TEXT)
    propose(doc, "Parkinson disease", "Disease", kb_id="MESH:D010300", confidence=0.8)
    ent = AbbreviationResolver()(doc).ents[0]
    assert ent.kb_id_ == "MESH:D010300"
    assert (ent._.source, ent._.confidence) == ("bioner_abbreviations", 0.8)
    assert ent._.evidence[0]["rule"] == "short form of 'Parkinson disease'"


def test_long_form_may_be_an_entity_without_evidence(nlp):
    doc = nlp.make_doc(TEXT)
    doc.ents = [doc.char_span(18, 35, label="Disease")]
    assert rows(AbbreviationResolver()(doc).spans["bioner_abbreviations"]) == EVERYWHERE


def test_long_form_may_stand_in_a_span_group_only(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease", ents=False)
    assert rows(AbbreviationResolver()(doc).spans["bioner_abbreviations"]) == EVERYWHERE


def test_without_set_ents_the_ents_stay(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease")
    doc = AbbreviationResolver(set_ents=False)(doc)
    assert rows(doc.ents) == [("Parkinson disease", 18, "Disease")]
    assert rows(doc.spans["bioner_abbreviations"]) == EVERYWHERE


def test_short_form_gives_the_long_form_nothing(nlp):
    doc = propose(nlp.make_doc(TEXT), "PD", "Disease")
    doc = AbbreviationResolver()(doc)
    assert [ent.text for ent in doc.ents] == ["PD", "PD", "PD"]
    assert len(doc.spans["bioner_abbreviations"]) == 0


def test_agreement_replaces_another_label(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease")
    doc = AbbreviationResolver()(propose(doc, "PD", "Chemical"))
    assert {ent.label_ for ent in doc.ents} == {"Disease"}
    assert [(entry.start_char, entry.label) for entry in read_rejections(doc)] == [
        (0, "Chemical"),
        (37, "Chemical"),
        (49, "Chemical"),
    ]


def test_agreement_holds_behind_overlaps(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease")
    doc = AbbreviationResolver(set_ents=False)(propose(doc, "PD", "Chemical"))
    doc = OverlapResolver()(doc)
    assert {ent.label_ for ent in doc.ents} == {"Disease"}
    assert ("PD", 0, "Chemical") in rows(doc.spans["bioner_candidates"])


def test_keep_leaves_another_label(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease")
    doc = AbbreviationResolver(agreement="keep")(propose(doc, "PD", "Chemical"))
    assert [ent.label_ for ent in doc.ents if ent.text == "PD"] == ["Chemical"] * 3
    assert rows(doc.spans["bioner_abbreviations"]) == [("PDs", 60, "Disease")]
    assert read_rejections(doc) == ()


def test_same_label_keeps_its_source_and_gets_the_identifier(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease", kb_id="D1", confidence=0.5)
    doc = AbbreviationResolver()(propose(doc, "PD", "Disease", confidence=0.9))
    doc = OverlapResolver()(doc)
    assert (doc.ents[0].kb_id_, doc.ents[0]._.source, doc.ents[0]._.confidence) == (
        "D1",
        "bioner",
        0.9,
    )


RIGHT_ATRIUM = "The right atrium (RA) is large. RA in asthma."


@pytest.mark.parametrize("overlaps", [False, True])
def test_gazetteer_is_not_believed_against_the_definition(nlp, overlaps):
    doc = propose(nlp.make_doc(RIGHT_ATRIUM), "RA", "Disease", source="bioner_gazetteer")
    doc = AbbreviationResolver()(propose(doc, "asthma", "Disease", source="bioner_gazetteer"))
    doc = OverlapResolver()(doc) if overlaps else doc
    assert [ent.text for ent in doc.ents] == ["asthma"]


def test_model_is_believed_against_the_definition(nlp):
    doc = propose(nlp.make_doc(RIGHT_ATRIUM), "RA", "Disease", source="bioner")
    doc = OverlapResolver()(AbbreviationResolver()(doc))
    assert [ent.text for ent in doc.ents] == ["RA", "RA"]


def test_drop_from_nothing_keeps_the_gazetteer(nlp):
    doc = propose(nlp.make_doc(RIGHT_ATRIUM), "RA", "Disease", source="bioner_gazetteer")
    assert [ent.text for ent in AbbreviationResolver(drop_from=[])(doc).ents] == ["RA", "RA"]


def test_occurrence_within_a_longer_entity_is_a_candidate_only(nlp):
    doc = nlp.make_doc("Parkinson disease (PD) and PD dementia")
    propose(doc, "Parkinson disease", "Disease")
    doc = AbbreviationResolver()(propose(doc, "PD dementia", "Disease"))
    assert [ent.text for ent in doc.ents] == ["Parkinson disease", "PD", "PD dementia"]
    assert len(doc.spans["bioner_abbreviations"]) == 2


def test_occurrence_within_a_token_is_left_out(nlp):
    doc = Doc(nlp.vocab, words=["Parkinson", "disease", "(", "PD", ")", "PD-like"])
    doc.ents = [Span(doc, 0, 2, "Disease")]
    assert len(AbbreviationResolver()(doc).spans["bioner_abbreviations"]) == 1


def test_sentence_annotation_is_respected(nlp):
    words = ["the", "Parkinson", "disease", "(", "PD", ")", "here"]
    whole = Doc(nlp.vocab, words=words, sent_starts=[True] + [False] * 6)
    split = Doc(nlp.vocab, words=words, sent_starts=[True, False, False, True, False, False, False])
    resolver = AbbreviationResolver()
    assert len(resolver(whole)._.bioner_abbreviations) == 1
    assert len(resolver(split)._.bioner_abbreviations) == 0


def test_twice_over_a_doc_changes_nothing(nlp):
    doc = propose(nlp.make_doc(TEXT), "Parkinson disease", "Disease", kb_id="D1")
    resolver = AbbreviationResolver()
    before = resolver(propose(doc, "PD", "Chemical")).to_bytes()
    assert resolver(doc).to_bytes() == before


@pytest.mark.parametrize("text", ["", " ", "\n \n"])
def test_empty_text(nlp, text):
    doc = AbbreviationResolver()(nlp.make_doc(text))
    assert (doc.ents, doc._.bioner_abbreviations) == ((), [])
    assert len(doc.spans["bioner_abbreviations"]) == 0


@pytest.fixture
def pipeline(nlp):
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "Disease", "pattern": "Parkinson disease"}])
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_overlaps")
    return nlp


def test_pipeline_disk_round_trip(pipeline, tmp_path):
    pipeline.to_disk(tmp_path / "model")
    doc = spacy.load(tmp_path / "model")(TEXT)
    assert rows(doc.spans["bioner_abbreviations"]) == EVERYWHERE


def test_pipeline_in_two_processes(pipeline):
    docs = list(pipeline.pipe([TEXT, "", TEXT], n_process=2, batch_size=1))
    assert [rows(doc.spans["bioner_abbreviations"]) for doc in docs] == [EVERYWHERE, [], EVERYWHERE]
    assert [len(doc._.bioner_abbreviations) for doc in docs] == [1, 0, 1]


def test_pipe_equals_one_by_one(pipeline):
    texts = [TEXT, "", RIGHT_ATRIUM, " "]
    assert [rows(doc.ents) for doc in pipeline.pipe(texts)] == [
        rows(pipeline(text).ents) for text in texts
    ]


def test_result_survives_docbin(pipeline):
    doc = pipeline(TEXT)
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    copy = next(DocBin().from_bytes(data).get_docs(pipeline.vocab))
    assert copy._.bioner_abbreviations == doc._.bioner_abbreviations
    assert [ent._.source for ent in copy.ents] == [ent._.source for ent in doc.ents]
    assert copy.ents[0]._.source == "bioner_abbreviations"


def test_settings_are_validated(nlp):
    with pytest.raises(ValueError, match="agreement"):
        nlp.add_pipe("bioner_abbreviations", config={"agreement": "sometimes"})
