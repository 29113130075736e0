"""JSON outputs: whole or not at all, spelled as they are."""

import json

import pytest

from spacy_bioner.errors import OutputError
from spacy_bioner.files.json_files import write_json


def test_write_json_spells_characters_and_escapes_lone_surrogates(tmp_path):
    write_json(tmp_path / "a.json", {"b": "é\ud800"})
    assert (tmp_path / "a.json").read_bytes() == '{\n "b": "é\\ud800"\n}\n'.encode()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"b": "é\ud800"}


def test_write_json_indents_as_asked(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1}, indent=2)
    assert (tmp_path / "a.json").read_text() == '{\n  "b": 1\n}\n'


def test_write_json_that_fails_leaves_what_was_there(tmp_path):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"b": object()})
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.json", "old")]


def test_write_json_refuses_a_folder(tmp_path):
    with pytest.raises(OutputError, match="found a folder, expected the name of an output file"):
        write_json(tmp_path, {})
