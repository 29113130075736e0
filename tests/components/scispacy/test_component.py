import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_bioner.components.abbreviations import AbbreviationResolver
from spacy_bioner.components.scispacy.component import ScispacyBridge

TEXT = "PD is old. The sugar sickness, PD, and PD."


def linked(nlp, *, kb_id=""):
    doc = nlp.make_doc("Parkinson disease")
    doc.ents = [Span(doc, 0, 2, "Disease", kb_id=kb_id)]
    doc.ents[0]._.kb_ents = [("C0030567", 0.987), ("C1", 0.75)]
    return doc


def test_entities_get_the_best_concept_and_all_scores_as_evidence(scispacy_nlp):
    (ent,) = ScispacyBridge()(linked(scispacy_nlp)).ents
    assert (ent.kb_id_, ent._.source) == ("C0030567", "bioner_scispacy")
    assert ent._.evidence[0]["concept_id"] == "C0030567"
    assert ent._.evidence[0]["rule"] == "linked: C0030567 0.987, C1 0.75"
    assert ent._.kb_ents == [("C0030567", 0.987), ("C1", 0.75)]


def test_an_identifier_that_is_there_stays(scispacy_nlp):
    assert ScispacyBridge()(linked(scispacy_nlp, kb_id="D1")).ents[0].kb_id_ == "D1"


def test_running_again_takes_back_what_is_no_longer_linked(scispacy_nlp):
    doc = ScispacyBridge()(linked(scispacy_nlp))
    before = doc.to_bytes()
    assert ScispacyBridge()(doc).to_bytes() == before
    doc.ents[0]._.kb_ents = []
    (ent,) = ScispacyBridge()(doc).ents
    assert (ent.kb_id_, ent._.evidence) == ("", [])


def test_without_scispacy_nothing_changes(nlp):
    doc = nlp.make_doc("Parkinson disease")
    doc.ents = [Span(doc, 0, 2, "Disease", kb_id="D1")]
    assert [(e.text, e.kb_id_) for e in ScispacyBridge()(doc).ents] == [("Parkinson disease", "D1")]
    assert not Span.has_extension("kb_ents")
    assert ScispacyBridge()(nlp.make_doc("")).ents == ()


def test_read_off(scispacy_nlp):
    assert ScispacyBridge(read=False)(linked(scispacy_nlp)).ents[0].kb_id_ == ""


def test_abbreviations_of_scispacy_give_their_label(scispacy_nlp):
    doc = scispacy_nlp.make_doc(TEXT)
    doc.ents = [doc.char_span(15, 29, label="Disease")]
    short = doc.char_span(31, 33)
    short._.long_form = doc.char_span(15, 29)
    doc._.abbreviations.append(short)
    doc = AbbreviationResolver()(doc)
    assert [(ent.text, ent.start_char) for ent in doc.ents] == [
        ("PD", 0),
        ("sugar sickness", 15),
        ("PD", 31),
        ("PD", 39),
    ]
    assert doc._.bioner_abbreviations[0]["long_text"] == "sugar sickness"
    off = AbbreviationResolver(scispacy=False)(doc)
    assert off._.bioner_abbreviations == []


def test_what_is_written_survives_and_pipelines_can_be_saved(nlp, tmp_path):
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "Disease", "pattern": "Parkinson disease", "id": "D1"}])
    nlp.add_pipe("bioner_abbreviations")
    nlp.add_pipe("bioner_scispacy", config={"write": True})
    nlp.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    docs = list(again.pipe(["Parkinson disease (PD)", "", "PD"], n_process=2, batch_size=1))
    assert [[s._.long_form.text for s in doc._.abbreviations] for doc in docs] == [
        ["Parkinson disease"],
        [],
        [],
    ]
    assert docs[0].ents[0]._.kb_ents == [("D1", 1.0)]
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    copy = next(DocBin().from_bytes(data).get_docs(nlp.vocab))
    assert [span.text for span in copy._.abbreviations] == ["PD"]


def test_concepts_that_were_read_survive_bytes(scispacy_nlp):
    doc = ScispacyBridge()(linked(scispacy_nlp))
    again = Doc(scispacy_nlp.vocab).from_bytes(doc.to_bytes())
    assert again.ents[0]._.evidence == doc.ents[0]._.evidence
