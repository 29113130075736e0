"""Formats of JSON files are told by their documents, however the file is laid out."""

import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files import containers as json_containers
from spacy_bioner.corpora.formats.json_files.containers import (
    Container,
    find_container,
    stream_documents,
)
from spacy_bioner.corpora.formats.json_files.shapes import (
    SAMPLE,
    detect_json,
    rank_document,
    recognize,
)
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import find_format
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError

TEXT = "We gave aspirin to rats."
ROWS = [[8, 15, "C"], [19, 23, "S"]]
OBJECTS = [{"start": 8, "end": 15, "label": "C"}, {"start": 19, "end": 23, "label": "S"}]
SENTENCES = [{"tokens": [{"orth": "We", "ner": "O"}]}]
PASSAGE = {"offset": 0, "infons": {"type": "title"}, "text": TEXT, "annotations": []}
REGION = {"type": "labels", "value": {"start": 8, "end": 15, "text": "aspirin", "labels": ["C"]}}
DOCUMENTS = {
    "jsonl": {"text": TEXT, "spans": OBJECTS},
    "doccano": {"text": TEXT, "label": ROWS},
    "json_tokens": {"tokens": ["We", "gave"], "ner_tags": ["O", "O"]},
    "label_studio": {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": [REGION]}]},
    "presidio": {"full_text": TEXT, "spans": []},
    "spacy_v2": {"id": 0, "paragraphs": [{"raw": "We", "sentences": SENTENCES}]},
    "bioc_json": {"id": "1", "passages": [PASSAGE]},
    "bigbio": {
        "id": "0",
        "passages": [{"type": "title", "text": [TEXT], "offsets": [[0, 24]]}],
        "entities": [],
    },
    "uima_cas": {"%FEATURE_STRUCTURES": [{"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaString": TEXT}]},
    "europepmc": {
        "source": "MED",
        "extId": "1",
        "annotations": [{"prefix": "", "exact": "a", "postfix": "", "type": "Chemicals"}],
    },
}
LAYOUTS = {
    "lines": lambda one: "\n".join([json.dumps(one)] * 2),
    "lines, blank ones between": lambda one: "\n\n" + "\n\n".join([json.dumps(one)] * 2) + "\n\n",
    "line ends of Windows": lambda one: "\r\n".join([json.dumps(one)] * 2),
    "byte order mark": lambda one: "\ufeff" + "\n".join([json.dumps(one)] * 2),
    "compact array": lambda one: json.dumps([one, one]),
    "indented array": lambda one: json.dumps([one, one], indent=2),
    "array, one a line": lambda one: f"[\n{json.dumps(one)},\n{json.dumps(one)}\n]\n",
    "array after blanks": lambda one: " \n\t" + json.dumps([one, one], indent="\t"),
    "values one after the other": lambda one: "\n".join([json.dumps(one, indent=2)] * 2),
}
WRAPPED = {
    "documents": lambda one: json.dumps({"documents": [one, one]}),
    "behind other keys": lambda one: json.dumps(
        {"version": "1", "labels": ["C", "S"], "info": {"a": [1]}, "data": [one, one]}
    ),
    "indented": lambda one: json.dumps({"examples": [one, one], "relations": []}, indent=2),
    "two levels": lambda one: json.dumps({"a": {"b": {"items": [one, one]}}}),
    "null first": lambda one: json.dumps({"annotations": [None, one, one]}),
    "beside a text": lambda one: json.dumps({"text": "What it is.", "docs": [one, one]}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_format_is_told_in_any_layout(tmp_path, name, layout):
    path = tmp_path / "x"
    path.write_bytes(LAYOUTS[layout](DOCUMENTS[name]).encode())
    assert detect_format(path) == name


@pytest.mark.parametrize("small", [0, 1 << 20], ids=["walked", "parsed"])
@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "bioc_json"])
def test_documents_within_an_object_are_found(tmp_path, monkeypatch, name, wrap, small):
    monkeypatch.setattr(json_containers, "_SMALL", small)
    path = tmp_path / "x"
    path.write_text(WRAPPED[wrap](DOCUMENTS[name]))
    assert detect_format(path) == name
    container = find_container(path, rank_document)
    assert container.kind == "list"
    found = [value for _, value in stream_documents(path, container) if value is not None]
    assert found == [DOCUMENTS[name]] * 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_told_is_read(tmp_path, layout):
    for name in ("jsonl", "doccano", "json_tokens", "label_studio", "spacy_v2", "bigbio"):
        path = tmp_path / name
        path.write_bytes(LAYOUTS[layout](DOCUMENTS[name]).encode())
        assert len(list(read_records(path))) == 2


TUPLES = [[TEXT, {"entities": ROWS}], ["b", {"entities": []}]]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TUPLES),
        json.dumps(TUPLES, indent=2),
        json.dumps(TUPLES, indent=None, separators=(",", ":")),
        "\n".join(map(json.dumps, TUPLES)),
        "[" + ",\n".join(map(json.dumps, TUPLES)) + "]",
        json.dumps({"classes": ["C"], "annotations": TUPLES}),
        json.dumps({"classes": ["C"], "annotations": TUPLES}, indent=4),
    ],
)
def test_training_tuples_in_any_indentation(tmp_path, text):
    (tmp_path / "x").write_text(text)
    assert detect_format(tmp_path / "x") == "jsonl"
    first, second = read_records(tmp_path / "x")
    assert [mention.text for mention in first.mentions] == ["aspirin", "rats"]
    assert (second.text, second.mentions) == ("b", ())


def test_one_tuple_over_several_lines_is_one_document(tmp_path):
    (tmp_path / "x").write_text(json.dumps(TUPLES[0], indent=1))
    (record,) = read_records(tmp_path / "x")
    assert (record.text, len(record.mentions)) == (TEXT, 2)


def test_texts_that_nobody_annotated_are_null_and_counted(tmp_path):
    (tmp_path / "x").write_text(json.dumps({"annotations": [None, TUPLES[0], None]}))
    (record,) = read_records(tmp_path / "x")
    assert record.reading_notes == {"rejected_skipped": 2}


def test_documents_by_their_names_get_them_as_ids(tmp_path):
    (tmp_path / "x").write_text(json.dumps({"a": DOCUMENTS["jsonl"], "b": DOCUMENTS["jsonl"]}))
    assert find_container(tmp_path / "x", rank_document) == Container("map")
    assert [record.id for record in read_records(tmp_path / "x")] == ["a", "b"]


def test_a_document_with_texts_in_its_annotations_is_no_list(tmp_path):
    claimed = [{"text": "aspirin", "start": 8, "end": 15, "label": "C"}]
    for value in ({"annotations": claimed, "text": TEXT}, {"text": TEXT, "entities": claimed}):
        (tmp_path / "x").write_text(json.dumps(value, indent=1))
        assert find_container(tmp_path / "x", rank_document) == Container("values")
        (record,) = read_records(tmp_path / "x")
        assert [mention.text for mention in record.mentions] == ["aspirin"]


def test_a_large_object_is_looked_at_without_holding_it(tmp_path, monkeypatch):
    monkeypatch.setattr(json_containers, "_SMALL", 100)
    held = []
    take = json_containers.JsonSource.take_value

    def note(source):
        value = take(source)
        held.append(len(json.dumps(value)))
        return value

    monkeypatch.setattr(json_containers.JsonSource, "take_value", note)
    many = [DOCUMENTS["jsonl"]] * 3000
    (tmp_path / "x").write_text(json.dumps({"a": 1, "docs": many, "b": {"c": many}}))
    assert find_container(tmp_path / "x", rank_document) == Container("list", ("docs",))
    assert len(held) < 10
    assert max(held) < 300


def test_bare_texts_in_front_do_not_hide_the_format(tmp_path):
    lines = [{"text": "x"}] * (SAMPLE - 1) + [DOCUMENTS["doccano"]]
    (tmp_path / "x").write_text("\n".join(map(json.dumps, lines)))
    assert detect_json(tmp_path / "x") == "doccano"


def test_a_broken_line_does_not_hide_the_format(tmp_path):
    (tmp_path / "x").write_text("{broken\n" + json.dumps(DOCUMENTS["jsonl"]))
    (tmp_path / "y").write_text('{"a": \n' + json.dumps(DOCUMENTS["jsonl"]))
    assert detect_json(tmp_path / "x") == "jsonl"
    problems = ReadErrors()
    assert len(list(read_records(tmp_path / "x", "jsonl", problems=problems))) == 1
    assert problems.skipped == {"document": 1}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "found JSON with the keys a, expected a format that is known"),
        ({"messages": [{"role": "user", "content": "x"}]}, "found JSON with the keys messages"),
        ({"data": [{"paragraphs": [{"context": "c c", "qas": []}]}]}, "with the keys data"),
        ([{"data": {"text": "x"}}], "found JSON with the keys data"),
        ([], "found an empty list, expected a format that is known, with objects for documents"),
        ([1, 2], r"found a number \(1\), expected a format that is known"),
        (["a", "b"], r'found a list \(\["a", "b"\]\), expected a format that is known'),
        ({}, "found JSON with the keys none"),
        (
            {"Entities": [{"BeginOffset": 8, "EndOffset": 15, "Text": "a", "Type": "C"}]},
            r"found annotations without their text \(keys: Entities\)",
        ),
        (
            {"documents": [{"id": "1", "entities": [{"offset": 8, "length": 7, "category": "C"}]}]},
            r"found annotations without their text \(keys: documents\)",
        ),
        (
            [{"entity_group": "C", "start": 0, "end": 3, "word": "x"}],
            "found annotations without their text",
        ),
        (
            {"document": "1.txt", "entities": [{"start": 0, "end": 3, "label": "C"}]},
            "found annotations without their text",
        ),
        ({"text": None, "spans": OBJECTS}, "found annotations without their text"),
    ],
)
def test_json_of_no_known_format_says_what_is_in_it(tmp_path, value, message):
    (tmp_path / "x").write_text(json.dumps(value))
    with pytest.raises(CorpusError, match=message) as error:
        detect_format(tmp_path / "x")
    assert (error.value.path, error.value.line) == (str(tmp_path / "x"), 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"text": "a", "spans": [{"st', "where JSON cannot go on"),
        ('{"text": "a", "text": "b"}', "key 'text' with two values in one object"),
        ('{"text": "a", "n": ' + "9" * 5000 + "}", "a value that cannot be read"),
        ('{"text": "a\\ud800"}', "found half a character"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_named(tmp_path, text, message):
    (tmp_path / "x").write_text(text)
    with pytest.raises(CorpusError, match=message):
        detect_format(tmp_path / "x")


def test_columns_may_start_with_a_bracket(tmp_path):
    (tmp_path / "x").write_text("[\tO\naspirin\tB-C\n]\tO\n")
    assert detect_format(tmp_path / "x") == "conll"
    (tmp_path / "x").write_text("{\tO\naspirin\tB-C\n}\tO\n")
    assert detect_format(tmp_path / "x") == "conll"


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], [1, {}], ["x"], {"text": 3}])
def test_what_is_no_document(value):
    assert recognize(value) == ""
    assert rank_document(value) == 0


@pytest.mark.parametrize("name", ["bern2", "pubannotation", "dataturks", "lighttag", "json"])
def test_formats_of_tools_have_their_names(name):
    assert find_format(name).name == "jsonl"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"full_text": TEXT, "spans": OBJECTS}, "jsonl"),
        ({"full_text": TEXT, "spans": []}, "presidio"),
        ({"id": "0", "passages": [], "entities": []}, "bigbio"),
        ({"id": "0", "passages": []}, "bioc_json"),
        ({"text": TEXT, "tokens": ["We"], "label": ["x"], "entities": OBJECTS}, "jsonl"),
        ({"text": TEXT, "tokens": [{"text": "We", "start": 0, "end": 2}]}, "jsonl"),
    ],
)
def test_twins_are_told_apart(value, name):
    assert recognize(value) == name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_format_that_is_told_can_be_read(name):
    assert find_format(name).reader


def read_wrapped(tmp_path, value):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(value, indent=1))
    return list(read_records(path))


FIRST, SECOND = {"text": TEXT, "spans": OBJECTS[:1]}, {"text": TEXT, "spans": OBJECTS[1:]}


@pytest.mark.parametrize(
    "value",
    [
        {"train": [FIRST], "test": [SECOND]},
        {"train": {"data": [FIRST]}, "test": {"data": [SECOND]}},
        {"v": 1, "data": {"a": {"items": [FIRST]}, "n": 2, "b": {"items": [SECOND]}}},
        {"train": [FIRST], "labels": [{"id": 1, "text": "C"}], "none": [], "test": [SECOND]},
        {"train": [[TEXT, {"entities": ROWS[:1]}]], "dev": [[TEXT, {"entities": ROWS[1:]}]]},
    ],
)
def test_all_splits_of_a_file_are_read(tmp_path, value):
    records = read_wrapped(tmp_path, value)
    assert [[m.label for m in record.mentions] for record in records] == [["C"], ["S"]]


def test_splits_of_words_and_tags_are_read(tmp_path):
    rows = [{"tokens": ["We"], "ner_tags": ["O"]}, {"tokens": ["rats"], "ner_tags": ["B-S"]}]
    records = read_wrapped(tmp_path, {"train": rows[:1], "test": rows[1:]})
    assert [record.text for record in records] == ["We", "rats"]


def test_annotated_texts_behind_bare_ones_are_read(tmp_path):
    records = read_wrapped(tmp_path, {"raw": [{"text": "Rats"}], "done": [FIRST]})
    assert [len(record.mentions) for record in records] == [0, 1]


def test_lists_of_something_else_beside_the_documents_are_none(tmp_path):
    labels = [{"text": "C", "id": 1, "color": "red"}]
    records = read_wrapped(tmp_path, {"documents": [FIRST], "labels": labels, "x": [[TEXT]]})
    assert [record.text for record in records] == [TEXT]
