import gzip
import hashlib
import json
import lzma
from pathlib import Path

import pytest

from spacy_bioner.apps.annotation.documents import LeftOut
from spacy_bioner.apps.annotation.sources import LINES, TEXT, InputSettings, TextSource
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Record

PUBTATOR = "1|t|Asthma.\n1|a|It is bad.\n1\t0\t6\tAsthma\tDisease\n\n2|t|Pain.\n2|a|\n\n"
PACKERS = {"": lambda data: data, ".gz": gzip.compress, ".xz": lzma.compress}


def read(path, scratch, **settings):
    scratch.mkdir(exist_ok=True)
    return list(TextSource(path, InputSettings(**settings), scratch).read())


def texts_of(items):
    return [(item.id, item.text) for item in items if isinstance(item, Record)]


def put(path, text, packed=""):
    path = Path(f"{path}{packed}")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PACKERS[packed](text.encode()))
    return path


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "One\r\ntwo.\n", [("a", "One\r\ntwo.\n")]),
        ("a.txt", PUBTATOR, [("1", "Asthma. It is bad."), ("2", "Pain.")]),
        ("a.jsonl", '{"text": "One."}\n{"id": "b", "text": "Two."}\n',
         [("1", "One."), ("b", "Two.")]),
        ("a.csv", 'id,text,year\nx,"One, two.",2001\n', [("x", "One, two.")]),
        ("a.csv", "text\nOne.\n", [("1", "One.")]),
        ("a.tsv", "id\tnote\nx\tOne.\n", [("x", "One.")]),
    ],
)  # fmt: skip
def test_a_file_is_told_by_its_content(tmp_path, packed, name, content, expected):
    path = put(tmp_path / name, content, packed)
    assert texts_of(read(path, tmp_path / "scratch")) == expected


@pytest.mark.parametrize("packed", PACKERS)
def test_lines_are_documents(tmp_path, packed):
    path = put(tmp_path / "a.txt", "\ufeffOne.\r\n\n  \nTwo\u2028lines.\nThree", packed)
    assert texts_of(read(path, tmp_path / "scratch", format=LINES)) == [
        ("1", "One."),
        ("4", "Two\u2028lines."),
        ("5", "Three"),
    ]


def test_a_folder_of_texts_is_read_in_the_order_of_its_paths(tmp_path):
    folder = tmp_path / "in"
    for name, packed in (("b.txt", ""), ("a.txt", ".gz"), (".hidden.txt", "")):
        put(folder / name, name, packed)
    put(folder / "sub" / "c.txt", "c.txt", ".xz")
    found = texts_of(read(folder, tmp_path / "scratch"))
    assert found == [("a", "a.txt"), ("b", "b.txt"), ("sub/c", "c.txt")]


def test_documents_without_ids_are_named_after_their_file(tmp_path):
    folder = tmp_path / "in"
    put(folder / "a.jsonl", '{"text": "One."}\n', ".gz")
    put(folder / "b.jsonl", '{"text": "Two."}\n{"id": "x", "text": "Three."}\n')
    assert texts_of(read(folder, tmp_path / "scratch")) == [
        ("a.jsonl-1", "One."),
        ("b.jsonl-1", "Two."),
        ("x", "Three."),
    ]


def test_a_folder_of_brat_is_one_corpus(tmp_path):
    folder = tmp_path / "in"
    put(folder / "a.txt", "Asthma.")
    put(folder / "a.ann", "T1\tDisease 0 6\tAsthma\n")
    assert texts_of(read(folder, tmp_path / "scratch")) == [("a", "Asthma.")]


def test_a_folder_of_several_kinds_needs_a_format(tmp_path):
    folder = tmp_path / "in"
    put(folder / "a.txt", "One.")
    put(folder / "b.jsonl", '{"text": "Two."}\n')
    with pytest.raises(CorpusError, match=r"several endings \(.jsonl, .txt\), expected one kind"):
        TextSource(folder, InputSettings(), tmp_path)
    assert texts_of(read(folder, tmp_path / "scratch", format=TEXT)) == [("a", "One.")]
    found = texts_of(read(folder, tmp_path / "scratch", format="jsonl"))
    assert found == [("1", "Two.")]


def test_columns_are_named(tmp_path):
    path = put(tmp_path / "a.csv", "key,body\nx,One.\n")
    found = read(path, tmp_path / "scratch", text_column="body", id_column="key")
    assert texts_of(found) == [("x", "One.")]
    path = put(tmp_path / "a.jsonl", '{"text": "One."}\n')
    with pytest.raises(CorpusError, match="found columns for an input of format jsonl"):
        TextSource(path, InputSettings(text_column="body"), tmp_path)


@pytest.mark.parametrize("packed", PACKERS)
def test_a_text_in_another_encoding_is_left_out(tmp_path, packed):
    path = Path(f"{tmp_path / 'a.txt'}{packed}")
    path.write_bytes(PACKERS[packed](b"caf\xe9"))
    assert read(path, tmp_path / "scratch") == [
        LeftOut(f"{path}: found byte 0xe9 at offset 3, expected UTF-8 text", "a")
    ]
    path.write_bytes(PACKERS[packed](b"One.\ncaf\xe9\nTwo.\n"))
    first, second, third = read(path, tmp_path / "scratch", format=LINES)
    assert (first.text, third.text) == ("One.", "Two.")
    assert second.id == "2"
    assert second.reason.startswith(f"{path}:2: found byte 0xe9 at column 4, expected UTF-8 text")


@pytest.mark.parametrize("packed", [".gz", ".xz"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_packed_file_that_was_cut_is_told(tmp_path, packed, name):
    rows = [{"text": f"Text {number * 7919}."} for number in range(5_000)]
    content = "\n".join(map(json.dumps, rows)).encode()
    path = tmp_path / f"{name}{packed}"
    path.write_bytes(PACKERS[packed](content)[:-2_000])
    settings = InputSettings(LINES if name == "a.txt" else "auto")
    with pytest.raises(CorpusError, match=rf"{name}{packed}: found a damaged {packed} file"):
        list(TextSource(path, settings, tmp_path / "a").read() if name == "a.txt" else
             read(path, tmp_path / "scratch"))  # fmt: skip


def test_faults_in_what_was_unpacked_name_the_packed_file(tmp_path):
    path = put(tmp_path / "a.jsonl", '{"text": "One."}\n{"id": 2}\n', ".xz")
    # A reader may look at what comes next before it yields.
    left_out, _ = read(path, tmp_path / "scratch")
    assert left_out.reason.startswith(f"{path}:2: found none as 'text'")
    path = put(tmp_path / "b.jsonl", '{"id": 2}\n', ".xz")
    with pytest.raises(CorpusError) as error:
        read(path, tmp_path / "scratch")
    assert "scratch" not in str(error.value)


def test_faults_of_gold_annotation_cost_nothing(tmp_path):
    path = put(tmp_path / "a.pubtator", PUBTATOR.replace("\t0\t6", "\tx\t6"))
    found = read(path, tmp_path / "scratch")
    assert texts_of(found) == [("1", "Asthma. It is bad."), ("2", "Pain.")]
    assert len(found) == 2


def test_one_file_of_several_that_cannot_be_read_is_left_out(tmp_path):
    folder = tmp_path / "in"
    put(folder / "a.jsonl", '{"text": "One."}\n')
    put(folder / "b.jsonl", "[]\n")
    first, second = read(folder, tmp_path / "scratch")
    assert first.text == "One."
    assert second.reason.startswith(f"{folder / 'b.jsonl'}:1: found no document")


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(CorpusError, match="none: no such file or folder"):
        TextSource(tmp_path / "none", InputSettings(), tmp_path)
    (tmp_path / "in").mkdir()
    with pytest.raises(CorpusError, match="in: found an empty folder"):
        TextSource(tmp_path / "in", InputSettings(), tmp_path)
    with pytest.raises(CorpusError, match=r"in: found a folder without \.txt files"):
        TextSource(tmp_path / "in", InputSettings(TEXT), tmp_path)
    with pytest.raises(CorpusError, match="found format 'odd', expected one of"):
        TextSource(tmp_path / "in", InputSettings("odd"), tmp_path)


def test_a_change_is_told_once_a_file_was_read(tmp_path):
    folder = tmp_path / "in"
    for name in "abc":
        put(folder / f"{name}.txt", name)
    source = TextSource(folder, InputSettings(), tmp_path)
    items = source.read()
    next(items)
    put(folder / "b.txt", "other")
    source.check_unchanged()
    next(items)
    with pytest.raises(CorpusError, match=r"b.txt: found that it was changed while it was read"):
        source.check_unchanged()


def test_a_file_that_is_gone_counts_as_changed(tmp_path):
    folder = tmp_path / "in"
    for name in "ab":
        put(folder / f"{name}.txt", name)
    source = TextSource(folder, InputSettings(), tmp_path)
    (folder / "b.txt").unlink()
    assert [type(item) for item in source.read()] == [Record, LeftOut]
    with pytest.raises(CorpusError, match=r"b.txt: found that it was changed"):
        source.check_unchanged()


def test_a_digest_is_of_the_file_as_it_is(tmp_path):
    path = put(tmp_path / "a.txt", "One.", ".gz")
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert TextSource(path, InputSettings(), tmp_path).digest() == expected
