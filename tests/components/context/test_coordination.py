import pytest
import spacy
from spacy.tokens import Doc, DocBin

from spacy_bioner.components.context.coordination import read_coordination
from spacy_bioner.records import Mention

TEXT = "He had renal and hepatic dysfunction, gout, hepatitis B and C viruses."
NAMES = ("renal and hepatic dysfunction", "gout", "hepatitis B")
PATTERNS = [{"label": "X", "pattern": name} for name in NAMES]
EXPECTED = (
    Mention(7, 36, "X", "renal dysfunction", fragments=((7, 12), (25, 36))),
    Mention(17, 36, "X", "hepatic dysfunction"),
    Mention(44, 55, "X", "hepatitis B"),
    Mention(44, 61, "X", "hepatitis C", fragments=((44, 53), (60, 61))),
)


def make():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.add_pipe("bioner_coordination")
    return nlp


def test_entities_are_taken_apart():
    doc = make()(TEXT)
    assert read_coordination(doc) == EXPECTED
    assert [(span.text, span.label_) for span in doc.spans["bioner_coordination"]] == [
        ("renal and hepatic dysfunction", "X"),
        ("hepatic dysfunction", "X"),
        ("hepatitis B", "X"),
        ("hepatitis B and C", "X"),
    ]
    assert [ent.text for ent in doc.ents] == list(NAMES)


def test_spans_tell_their_fragments():
    doc = make()(TEXT)
    fragments = [span._.fragments for span in doc.spans["bioner_coordination"]]
    assert fragments == [[[7, 12], [25, 36]], [[17, 36]], [[44, 55]], [[44, 53], [60, 61]]]
    assert doc[0:2]._.fragments == [[0, 6]]


def test_rule_and_entity_are_plain_data():
    assert make()(TEXT)._.bioner_coordination[3] == {
        "start_char": 44,
        "end_char": 61,
        "label": "X",
        "text": "hepatitis C",
        "fragments": [[44, 53], [60, 61]],
        "entity_start": 44,
        "entity_end": 55,
        "rule": "designators beside",
    }


@pytest.mark.parametrize("text", ["", "\n", "gout and more"])
def test_docs_without_coordination(text):
    doc = make()(text)
    assert (read_coordination(doc), len(doc.spans["bioner_coordination"])) == ((), 0)


def test_twice_over_a_doc_changes_nothing():
    nlp = make()
    doc = nlp(TEXT)
    before = doc.to_bytes()
    assert nlp.get_pipe("bioner_coordination")(doc).to_bytes() == before


def test_mentions_survive_storage_and_processes(tmp_path):
    nlp = make()
    nlp.to_disk(tmp_path / "model")
    docs = [nlp(TEXT), *spacy.load(tmp_path / "model").pipe([TEXT, TEXT], n_process=2)]
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    docs += DocBin().from_bytes(data).get_docs(nlp.vocab)
    docs.append(Doc(nlp.vocab).from_bytes(docs[0].to_bytes()))
    assert [read_coordination(doc) for doc in docs] == [EXPECTED] * 7


def test_spans_of_a_group():
    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_coordination", config={"spans_key": "found"})
    doc = nlp.make_doc("left and right arm")
    doc.spans["found"] = [doc[2:4], doc[0:4]]
    nlp.get_pipe("bioner_coordination")(doc)
    assert [mention.fragments or "whole" for mention in read_coordination(doc)] == [
        ((0, 4), (15, 18)),
        "whole",
    ]
