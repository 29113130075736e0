import io
import sys

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.show import read_text
from spacy_bioner.errors import BionerError


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
