import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.json_files import reader
from spacy_bioner.corpora.formats.json_files.reader import (
    json_kind,
    stream_items,
    stream_json,
    stream_lines,
)
from spacy_bioner.errors import CorpusError
from tests.corpora.strategies import reads_well

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
FUZZ = settings(max_examples=150, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "x.json"


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(reader, "_CHUNK", 7)


def test_items_come_with_the_line_where_they_start(path, small_chunks):
    path.write_text('\n[1,\n {"a":\n [2]}\n,\n"x\\n"]\n')
    assert list(stream_items(path)) == [(2, 1), (3, {"a": [2]}), (6, "x\n")]


def test_items_under_a_key(path, small_chunks):
    path.write_text('{"source": {"documents": [0]},\n"documents": [12345678901, 2],\n"b": [3]}')
    assert list(stream_items(path, key="documents")) == [(2, 12345678901), (2, 2)]


@FUZZ
@given(values=st.lists(VALUES), indent=st.sampled_from((None, 1)), key=st.booleans())
def test_items_are_those_of_the_standard_decoder(path, values, indent, key):
    reader._CHUNK, before = 5, reader._CHUNK
    try:
        data = {"a": {"k": 1}, "k": values, "z": []} if key else values
        path.write_text(json.dumps(data, indent=indent, ensure_ascii=False), encoding="utf-8")
        assert [v for _, v in stream_items(path, key="k" if key else None)] == values
    finally:
        reader._CHUNK = before


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "found the end of the file, expected an array"),
        ('{"a": 1}', 1, "expected an array"),
        ("[1,\n2", 2, "expected a comma or the end of the array"),
        ("[1,\n2\n3]", 3, "found '3]', expected a comma or the end"),
        ("[1,\n]", 2, "where JSON cannot go on"),
        ('[1,\n"ab', 2, "Unterminated string"),
        ('[{"a":\n\n tru}]', 3, "cannot go on"),
        ("[1]\n[2]", 2, r"found '\[2\]' behind the end"),
        ("[NaN]", 1, "NaN is no JSON value"),
        ("[" + "9" * 5000 + "]", 1, "cannot be read"),
        ("[" * 100_000, 1, "nested too deeply"),
    ],
)
def test_malformed_json_is_an_error_with_its_line(path, text, line, message):
    path.write_text(text)
    with pytest.raises(CorpusError, match=message) as raised:
        list(stream_items(path))
    assert (raised.value.path, raised.value.line) == (str(path), line)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "found no key 'k'"),
        ('{"a": 1}', "found no key 'k'"),
        ('{"k": 1}', "found '1}', expected an array"),
        ('{"k": [1]', "expected the end of the object"),
        ('{"k": [], 1}', "expected a key in quotes"),
        ("{a: 1}", "expected a key in quotes"),
    ],
)
def test_malformed_object_is_an_error(path, text, message):
    path.write_text(text)
    with pytest.raises(CorpusError, match=message):
        list(stream_items(path, key="k"))


def test_bytes_that_are_not_utf8_are_an_error_with_their_line(path, small_chunks):
    path.write_bytes(b'["a",\n"b",\n"\xff"]')
    with pytest.raises(CorpusError, match="found byte 0xff, expected UTF-8") as raised:
        list(stream_items(path))
    assert raised.value.line == 3


def test_malformed_start_of_a_long_file_is_told_at_once(path):
    path.write_text("[oops, " + "1, " * 200_000 + "1]")
    items = stream_items(path)
    with pytest.raises(CorpusError, match="found 'oops"):
        next(items)


def test_lines_skip_blank_ones(path):
    path.write_text('\ufeff{"a": 1}\n\n[2]\r\n', encoding="utf-8")
    assert list(stream_lines(path)) == [(1, {"a": 1}), (3, [2])]


@pytest.mark.parametrize(("text", "line"), [("", 1), ("\n\n", 1), ("1\n{\n", 2), ("1\n2 3\n", 2)])
def test_malformed_lines_are_errors(path, text, line):
    path.write_text(text)
    with pytest.raises(CorpusError) as raised:
        list(stream_lines(path))
    assert (raised.value.path, raised.value.line) == (str(path), line)


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ('[{"a": 1}, {"a": 2}]', "array", [{"a": 1}, {"a": 2}]),
        ('[\n{"a": 1}]', "array", [{"a": 1}]),
        ('{"a":\n1}', "object", [{"a": 1}]),
        ('{"a": 1}', "object", [{"a": 1}]),
        ('{"a": 1}\n{"a": 2}', "lines", [{"a": 1}, {"a": 2}]),
        ('["a", {}]\n["b", {}]', "lines", [["a", {}], ["b", {}]]),
        ('["a", {}]', "object", [["a", {}]]),
    ],
)
def test_values_of_any_kind(path, text, kind, values):
    path.write_text(text)
    assert json_kind(path) == kind
    assert [value for _, value in stream_json(path)] == values


@FUZZ
@given(data=st.binary(max_size=60) | st.text(st.sampled_from('[]{}",:1e.\\u \n')).map(str.encode))
def test_any_bytes_give_values_or_an_error(path, data):
    path.write_bytes(data)
    for read in (stream_json, stream_items, stream_lines):
        assert reads_well(read(path), path)
