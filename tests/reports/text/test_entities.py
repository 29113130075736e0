import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.components.evidence import Evidence, add_evidence, register_extensions
from spacy_bioner.reports.text.entities import render_entities


@pytest.fixture
def doc() -> Doc:
    register_extensions()
    words = ["Aspirin", "prevents", "colorectal", "cancer", "and", "pain"]
    doc = Doc(Vocab(), words=words)
    doc.ents = [
        Span(doc, 0, 1, label="Chemical"),
        Span(doc, 2, 4, label="Disease", kb_id="MESH:D015179"),
        Span(doc, 5, 6, label="Disease"),
    ]
    add_evidence(doc, Evidence(0, 7, "Chemical", "bioner", confidence=0.9876))
    add_evidence(doc, Evidence(17, 34, "Disease", "bioner_gazetteer", concept_id="D1"))
    return doc


def test_render_entities_aligns_what_is_known_of_each(doc):
    assert render_entities(doc).splitlines() == [
        "  text               label     confidence  source            id",
        "  ─────────────────  ────────  ──────────  ────────────────  ────────────",
        "  Aspirin            Chemical       0.988  bioner            –",
        "  colorectal cancer  Disease            –  bioner_gazetteer  MESH:D015179",
        "  pain               Disease            –  –                 –",
        "",
        "  3 entities: Disease 2, Chemical 1",
    ]


def test_render_entities_takes_the_id_from_evidence(doc):
    doc.ents = [Span(doc, 2, 4, label="Disease")]
    assert render_entities(doc).splitlines()[2].endswith("bioner_gazetteer  D1")


def test_render_entities_shortens_long_mentions():
    doc = Doc(Vocab(), words=["non-small-cell"] * 6)
    doc.ents = [Span(doc, 0, 6, label="Disease")]
    row = render_entities(doc).splitlines()[2]
    assert row == "  non-small-cell non-small-cell non-s…  Disease           –  –       –"


def test_render_entities_says_that_there_are_none():
    assert render_entities(Doc(Vocab(), words=["Nothing"])) == "  no entities in 8 characters"


def test_render_entities_of_empty_doc():
    assert render_entities(Doc(Vocab())) == "  no entities in 0 characters"
