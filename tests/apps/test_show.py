import io
import sys

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.show import read_text
from spacy_bioner.components.evidence import Evidence, add_evidence, register_extensions
from spacy_bioner.errors import BionerError
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


def test_read_text_reads_a_file_without_byte_order_mark(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfTNF-\xce\xb1")
    assert read_text(path, None) == "TNF-α"


def test_read_text_reads_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("β-catenin".encode())))
    assert read_text(None, None) == "β-catenin"


def test_read_text_refuses_two_sources(tmp_path):
    with pytest.raises(BionerError, match="expected one of them"):
        read_text(tmp_path / "text.txt", "text")


def test_read_text_names_a_missing_file(tmp_path):
    with pytest.raises(BionerError, match=r"text\.txt: no such file"):
        read_text(tmp_path / "text.txt", None)


def test_read_text_names_the_byte_that_is_not_utf8(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"TNF-\xe1")
    with pytest.raises(BionerError, match="found byte 0xe1 at offset 4, expected UTF-8"):
        read_text(path, None)


def test_show_cli_prints_the_entities_of_a_text(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Aspirin"}])
    nlp.to_disk(tmp_path / "rules")
    arguments = ["show", str(tmp_path / "rules"), "--text", "Aspirin helps."]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.stdout.splitlines()[-1] == "  1 entity: Chemical 1"
