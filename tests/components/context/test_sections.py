import time

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_bioner.components.context.sections import read_sections
from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.context.sections import TextSection

NOTE = "Cough.\n\nFamily History: asthma\n\nPlan:\n rest \n"
SPANS = [
    ("Cough.", "body"),
    ("Family History: asthma", "family_history"),
    ("Plan:\n rest", "plan"),
]


def make(**config):
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_sections", config=config)
    return nlp


def spans(doc, key="sections"):
    return [(span.text, span.label_) for span in doc.spans[key]]


def test_sections_are_spans():
    assert spans(make()(NOTE)) == SPANS


def test_offsets_of_heads_are_plain_data():
    doc = make()(NOTE)
    assert doc._.bioner_sections[1] == {
        "label": "family_history",
        "start_char": 8,
        "end_char": 32,
        "head_start": 8,
        "head_end": 22,
    }
    assert doc.user_data["bioner_sections"] == doc._.bioner_sections
    assert read_sections(doc)[2] == TextSection("plan", 32, len(NOTE), 32, 36)


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_a_doc_without_words_has_none(text):
    doc = make()(text)
    assert (spans(doc), doc._.bioner_sections) == ([], [])


def test_a_note_without_heads_is_one_body():
    assert spans(make()(" A cough.\n")) == [("A cough.", "body")]


def test_heads_of_ones_own():
    heads = {"findings": {"heads": ["Befund"]}, "family_history": {"heads": ["Fam", "Eltern"]}}
    doc = make(heads=heads, spans_key="parts")("Befund: gut. Eltern: Gicht. Plan: keiner")
    assert [label for _, label in spans(doc, "parts")] == ["findings", "family_history", "plan"]


def test_heads_in_another_form_are_refused():
    with pytest.raises(ConfigError, match="bioner_sections, heads: section 'x': found key 'head'"):
        make(heads={"x": {"head": ["y"]}})


def test_twice_over_a_doc_changes_nothing():
    nlp = make()
    doc = nlp(NOTE)
    before = doc.to_bytes()
    assert nlp.get_pipe("bioner_sections")(doc).to_bytes() == before


def test_sections_survive_storage_and_processes(tmp_path):
    nlp = make(heads={"plan": {"heads": ["Vorhaben"]}})
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    text = f"{NOTE}Vorhaben: x"
    docs = [nlp(text), *loaded.pipe([text, text], n_process=2)]
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    docs += DocBin().from_bytes(data).get_docs(nlp.vocab)
    for doc in docs:
        assert spans(doc) == [*SPANS, ("Vorhaben: x", "plan")]
        assert doc._.bioner_sections == docs[0]._.bioner_sections


def test_many_sections_take_linear_time():
    nlp = make()
    sections = nlp.get_pipe("bioner_sections")
    seconds = []
    for n_heads in (250, 2_000):
        doc = nlp.make_doc("PMH: fever\n" * n_heads)
        start = time.process_time()
        sections(doc)
        seconds.append(time.process_time() - start)
        assert len(doc.spans["sections"]) == n_heads
    # Quadratic, it would be 64 times as long.
    assert seconds[1] < 30 * seconds[0]
