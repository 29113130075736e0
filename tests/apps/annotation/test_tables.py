import sys

import pytest

from spacy_bioner.apps.annotation.documents import (
    AnnotatedDocument,
    Entity,
    Findings,
    LeftOut,
    Receipt,
)
from spacy_bioner.apps.annotation.sources import InputSettings, TextSource
from spacy_bioner.apps.annotation.tables import make_table, read_parquet, write_parquet
from spacy_bioner.errors import ConfigError, CorpusError, MissingExtraError
from spacy_bioner.records import Record

RECEIPT = Receipt(0, 0, 0, 0, 0, 0)
ENTITIES = (Entity(0, 7, "Chemical", "Aspirin", 0.5, "bioner", ("D1", "D2")),
            Entity(14, 18, "Disease", "pain"))  # fmt: skip
DOCUMENTS = [
    AnnotatedDocument(Record("a", "Aspirin eases pain"), Findings(ENTITIES, RECEIPT)),
    AnnotatedDocument(Record("b", "Nothing"), Findings((), RECEIPT)),
]
ROWS = [
    {"start": 0, "end": 7, "label": "Chemical", "text": "Aspirin", "confidence": 0.5,
     "source": "bioner", "concept_ids": ["D1", "D2"]},
    {"start": 14, "end": 18, "label": "Disease", "text": "pain", "confidence": None,
     "source": None, "concept_ids": []},
]  # fmt: skip


@pytest.fixture
def pyarrow():
    return pytest.importorskip("pyarrow")


@pytest.fixture
def write(pyarrow, tmp_path):
    """Writes columns to a Parquet file."""
    from pyarrow import parquet

    def make(**columns):
        parquet.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
        return tmp_path / "in.parquet"

    return make


def test_a_row_is_a_document_or_an_entity(pyarrow):
    assert make_table(DOCUMENTS).to_pylist() == [
        {"id": "a", "text": "Aspirin eases pain", "entities": ROWS},
        {"id": "b", "text": "Nothing", "entities": []},
    ]
    assert make_table(DOCUMENTS, "entity").to_pylist() == [{"document": "a", **row} for row in ROWS]
    with pytest.raises(ConfigError, match="found a row per 'word', expected 'document' or 'ent"):
        make_table(DOCUMENTS, "word")


def test_columns_are_the_same_without_rows(pyarrow):
    assert make_table([]).schema == make_table(DOCUMENTS).schema
    assert make_table([], "entity").schema == make_table(DOCUMENTS, "entity").schema


def test_a_file_is_read_again(pyarrow, tmp_path):
    write_parquet(DOCUMENTS, tmp_path / "a.parquet")
    assert list(read_parquet(tmp_path / "a.parquet")) == [
        Record("a", "Aspirin eases pain"),
        Record("b", "Nothing"),
    ]


def test_rows_without_a_text_are_left_out(write):
    path = write(text=["One", None, "Three"])
    assert list(read_parquet(path)) == [
        Record("1", "One"),
        LeftOut(f"{path}: row 2: found no text in column 'text', expected one", "2"),
        Record("3", "Three"),
    ]


def test_columns_are_named(write, tmp_path):
    path = write(body=["One"], key=[7], text=["Other"])
    assert list(read_parquet(path, "body", "key")) == [Record("7", "One")]
    source = TextSource(path, InputSettings(text_column="body"), tmp_path)
    assert list(source.read()) == [Record("1", "One")]


@pytest.mark.parametrize(
    ("columns", "names", "words"),
    [
        ({"body": ["x"]}, (), "found the columns body, expected one named 'text'; name the"),
        ({"text": ["x"]}, (None, "key"), "found the columns text, expected one named 'key'"),
        ({"text": [1]}, (), "found int64 in column 'text', expected texts"),
    ],
)
def test_columns_that_are_not_there_are_told(write, columns, names, words):
    with pytest.raises(CorpusError, match=words):
        list(read_parquet(write(**columns), *names))


def test_what_is_no_parquet_is_told(pyarrow, tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 something else")
    with pytest.raises(CorpusError, match=r"a.parquet: found no Parquet file \("):
        list(read_parquet(tmp_path / "a.parquet"))


def test_the_extra_is_named_where_pyarrow_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("spacy_bioner.extras._is_there", lambda package: False)
    with pytest.raises(MissingExtraError, match=r"a table needs pyarrow, not installed .*tables"):
        make_table(DOCUMENTS)
    with pytest.raises(MissingExtraError, match="a Parquet file needs pyarrow"):
        list(read_parquet(tmp_path / "a.parquet"))
