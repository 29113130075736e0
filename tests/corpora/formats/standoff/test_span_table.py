"""Tables with spans in a cell, as Label Studio and data frames write them."""

import csv
import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files.label_studio import read_label_studio
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.standoff.span_table import read_span_table
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError

TEXT = 'We gave "aspirin"\nto rats, twice.'
REGIONS = [{"start": 9, "end": 16, "text": "aspirin", "labels": ["C", "D"]}]
FOUND = [(9, 16, "C", "aspirin"), (9, 16, "D", "aspirin")]


def write(path, header, *rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def outline(record):
    return [(m.start_char, m.end_char, m.label, m.text) for m in record.mentions]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_label_studio(tmp_path, delimiter):
    header = [
        "annotation_id",
        "annotator",
        "created_at",
        "id",
        "label",
        "lead_time",
        "text",
        "ward",
    ]
    rows = [
        [1, "a@b.org", "2026", 7, json.dumps(REGIONS), "3.1", TEXT, "A"],
        [2, "a@b.org", "2026", 8, "", "3.1", "No drug.", ""],
    ]
    path = write(tmp_path / "x", header, *rows, delimiter=delimiter)
    assert detect_format(path) == "span_table"
    for found in (read_records(path), read_label_studio(path)):
        first, second = found
        assert (first.id, first.text, outline(first)) == ("7", TEXT, FOUND)
        assert (first.meta, second.meta) == ({"ward": "A"}, {})
        assert (second.id, second.mentions) == ("8", ())


def test_label_studios_table_has_no_annotations_to_choose_from(tmp_path):
    path = write(tmp_path / "x", ["text", "label"], [TEXT, json.dumps(REGIONS)])
    for options in ({"text_key": "text"}, {"annotation": "all"}):
        with pytest.raises(CorpusError, match="found a table, expected JSON"):
            list(read_label_studio(path, **options))


@pytest.mark.parametrize(
    "cell",
    [
        "[[9, 16, 'C'], [9, 16, 'D']]",
        "[(9, 16, 'C'), (9, 16, 'D')]",
        "[{'start': 9, 'end': 16, 'label': 'C'}, {'start': 9, 'end': 16, 'label': 'D'}]",
        '[[9, 16, "C"], [9, 16, "D"]]',
    ],
)
def test_lists_as_python_writes_them(tmp_path, cell):
    path = write(tmp_path / "x", ["sentence", "entities"], [TEXT, cell], ["b", "[]"])
    assert detect_format(path) == "span_table"
    first, second = read_records(path)
    assert (first.id, outline(first)) == ("1", FOUND)
    assert (second.id, second.mentions) == ("2", ())


def test_spans_may_come_after_rows_without_any(tmp_path):
    rows = [[f"text {number}", "[]"] for number in range(20)]
    path = write(tmp_path / "x", ["text", "label"], *rows, [TEXT, json.dumps(REGIONS)])
    assert detect_format(path) == "span_table"
    assert sum(len(record.mentions) for record in read_records(path)) == 2


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (["text", "label"], ["We gave aspirin.", "Drug"], "mimic"),
        (["text", "label"], ["We gave aspirin.", "[1, 2]"], "mimic"),
        (["word", "tag"], ["aspirin", "B-C"], "csv"),
    ],
)
def test_other_tables_stay_what_they_are(tmp_path, header, row, expected):
    assert detect_format(write(tmp_path / "x", header, row)) == expected


def test_malformed_rows_are_an_error_with_their_line_or_left_out(tmp_path):
    path = tmp_path / "x"
    good = '"a\nb","[[0, 1, ""C""]]"\n'
    path.write_text(f'text,label\n{good}only one\n{good}x,"[[0, 1]]"\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="found 1 cells, expected 2 as in the header") as error:
        list(read_span_table(path))
    assert error.value.line == 4
    problems = ReadErrors()
    assert len(list(read_span_table(path, problems=problems))) == 3
    assert problems.skipped == {"document": 1, "annotation": 1}


def test_a_quote_that_is_never_closed_is_named(tmp_path):
    path = tmp_path / "x"
    path.write_text('text,label\na,"[[0, 1, ""C""]]"\n"b,c\nd,e\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="found a malformed row"):
        list(read_span_table(path))
    problems = ReadErrors()
    assert [record.text for record in read_span_table(path, problems=problems)] == ["a"]
    assert problems.skipped == {"file": 1}


def test_other_encodings_and_units_of_offsets(tmp_path):
    pytest.importorskip("charset_normalizer")
    path = tmp_path / "x"
    row = 'Stra\u00dfe caf\u00e9 asthma,"[[12, 18, ""D""]]"\n'
    path.write_bytes(f"text,label\n{row * 8}".encode("latin-1"))
    assert [m.text for m in next(iter(read_records(path))).mentions] == ["asthma"]
    write(path, ["text", "label"], ["\U0001f691 asthma", "[[3, 9, 'D']]"])
    assert [m.text for m in next(iter(read_records(path))).mentions] == ["asthma"]


@pytest.mark.parametrize(
    "content",
    [
        "id,tokens,ner_tags\n"
        "7,\"['We', 'gave', 'aspirin']\",\"['O', 'O', 'B-Drug']\"\n8,\"['No']\",\"['O']\"\n",
        'id;tokens;tags\n7;["We", "gave", "aspirin"];["O", "O", "B-Drug"]\n8;["No"];["O"]\n',
    ],
)
def test_words_and_tags_in_cells_are_read(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")
    assert detect_format(path) == "span_table"
    first, second = read_span_table(path)
    assert (first.id, first.text, second.id, second.text) == ("7", "We gave aspirin", "8", "No")
    assert [(m.start_char, m.end_char, m.label) for m in first.mentions] == [(8, 15, "Drug")]
    assert len(first.words) == 3


def test_numbers_as_tags_in_cells_want_their_names(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("tokens,ner_tags\n\"['aspirin']\",[1]\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="found numbers as 'ner_tags'"):
        list(read_span_table(path))
