import sys
from importlib import import_module

import pytest

from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.identifiers.rules import Identifier


@pytest.fixture
def script():
    return import_module("deidentification")


def test_a_missing_corpus_is_one_line(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["deidentification.py", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert "name the folder with corpora/ in it with --data" in capsys.readouterr().err


def test_spans_and_characters_are_counted_without_white_space(script):
    text = "Anna Bo, 2021 and 19 met Eve"
    gold = (
        Mention(0, 7, "PERSON"),
        Mention(9, 13, "DATE_TIME"),
        Mention(18, 20, "AGE"),
        Mention(25, 28, "PERSON"),
    )
    found = [Identifier(0, 4, "NAME"), Identifier(14, 17, "NAME"), Identifier(25, 28, "DATE")]
    result = script.score([Record("1", text, gold)], lambda _: found)
    assert result.by_type == {"PERSON": script.Tally(2, 1, 2, 9, 7)}
    assert (result.found, result.right, dict(result.wrong)) == (3, 2, {"NAME": 1})
    assert (result.found_characters, result.right_characters) == (10, 7)


def test_queries_lose_titles_and_marks_of_their_values(script, tmp_path):
    path = tmp_path / "queries.txt"
    path.write_text(
        "===QUERY===\nSeen by Dr. Ann B. (MRN: #A-1)?\n===PHI_TAGS===\n"
        '{"identifier_type": "NAME", "value": "Dr. Ann B."}\n'
        '{"identifier_type": "MEDICAL_RECORD_NUMBER", "value": "#A-1"}\n'
        "===QUERY===\nNobody.\n===PHI_TAGS===\n",
        encoding="utf-8",
    )
    first, second = script.read_queries(path)
    assert [(m.label, m.text, m.start_char) for m in first.mentions] == [
        ("NAME", "Ann B.", 12),
        ("MEDICAL_RECORD_NUMBER", "A-1", 26),
    ]
    assert (second.text, second.mentions) == ("Nobody.", ())


def test_shares_carry_their_interval(script):
    assert script.render_share(8, 10) == "80.0 [49.0, 94.3]"
    assert script.render_share(0, 0) == "–"
