from importlib import import_module

import pytest

TEXT = "1|t|Aspirin\n1|a|After acute kidney injury, aspirin.\n\n"
TABLE = "id\tname\nD1\taspirin\nD2\tkidney\nD3\tacute kidney injury\nD3\tacute kidney injury\n"


@pytest.fixture
def script():
    return import_module("gazetteer")


@pytest.fixture
def data(tmp_path):
    for name, content in {"corpora/bc5cdr/train.pubtator.txt": TEXT, "vocab/a.tsv": TABLE}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("system", "found"),
    [("bioner_gazetteer", "3"), ("entity_ruler", "3"), ("matcher", "4"), ("pyahocorasick", "4")],
)
def test_a_row_says_how_many_terms_there_are_and_were_found(script, system, found, data):
    if system == "pyahocorasick":
        pytest.importorskip("ahocorasick")
    row = script.measure(system, data, 3, 1)
    assert len(row) == len(script.COLUMNS)
    assert (row[0], row[1], row[-1]) == (system, "3", found)


def test_terms_are_drawn_where_there_are_not_enough(script, data):
    names = [term.name for term in script.choose_terms(data / "vocab", 10)]
    assert names[:3] == ["aspirin", "kidney", "acute kidney injury"]
    words = {word for name in names[3:] for word in name.split()}
    assert words <= {"aspirin", "kidney", "acute", "injury"}
    assert len(names) == 10
    assert len(list(script.choose_terms(data / "vocab", 0))) == 4
