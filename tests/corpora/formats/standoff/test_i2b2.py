from pathlib import Path

import pytest

from spacy_bioner.corpora.formats.capabilities import SENTENCES, WORDS, reduce_record
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.standoff.i2b2 import (
    FORMAT,
    INSIDE_TOKENS,
    NO_TOKEN,
    find_i2b2_losses,
    read_i2b2,
    write_i2b2,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

TEXT = (
    'Admission Date :\nThe patient had  Chest "Pain" today .\n\nAspirin was given\nwith water .\n'
)
CON = """\
c="chest "pain"" 2:3 2:4||t="problem"
c="aspirin" 4:0 4:0||t="treatment"
c="given with" 4:2 5:0||t="treatment"
"""
AST = 'c="chest "pain"" 2:3 2:4||t="problem"||a="present"\n'
REL = 'c="aspirin" 4:0 4:0||r="TrAP"||c="chest "pain"" 2:3 2:4\n'


def write(folder, text=TEXT, con=CON):
    folder.mkdir(exist_ok=True)
    (folder / "7.txt").write_text(text)
    (folder / "7.con").write_text(con)
    return folder


def test_concepts_are_read_by_line_and_token(tmp_path):
    (record,) = read_i2b2(write(tmp_path / "c"))
    assert (record.id, record.text) == ("7", TEXT)
    assert [(m.text, m.label, m.line) for m in record.mentions] == [
        ('Chest "Pain"', "problem", 1),
        ("Aspirin", "treatment", 2),
        ("given\nwith", "treatment", 3),
    ]
    assert all(record.text[m.start_char : m.end_char] == m.text for m in record.mentions)
    assert [record.text[a:b] for a, b in record.words] == TEXT.split()
    starts = [record.text[start:].split()[0] for start in record.sentence_starts]
    assert starts == ["Admission", "The", "Aspirin", "with"]


@pytest.mark.parametrize("folders", [("txt", "concept"), ("txt", "concepts"), (".", ".")])
@pytest.mark.parametrize("ending", [".con", ".txt.con"])
def test_layouts_of_the_release(tmp_path, folders, ending):
    for name, content in zip((*folders, "ast", "rel"), (TEXT, CON, AST, REL), strict=True):
        (tmp_path / name).mkdir(exist_ok=True)
        end = {"ast": ".ast", "rel": ".rel"}.get(name, ".txt" if content == TEXT else ending)
        (tmp_path / name / f"7{end}").write_text(content)
    (record,) = read_i2b2(tmp_path)
    assert record.id == "7"
    assert record.mentions[0].attributes == (("assertion", "present"),)
    assert record.reading_notes == {"relations_skipped": 1}


@pytest.mark.parametrize("name", ["txt/7.txt", "concept/7.con", "txt/8.txt", "concept/8.txt.con"])
def test_a_single_file_stands_for_its_pair(tmp_path, name):
    for folder in ("txt", "concept", "ast"):
        (tmp_path / folder).mkdir()
    for number, con in ((7, "7.con"), (8, "8.txt.con")):
        (tmp_path / "txt" / f"{number}.txt").write_text(TEXT)
        (tmp_path / "concept" / con).write_text(CON)
        (tmp_path / "ast" / f"{number}.ast").write_text(AST)
    (record,) = read_i2b2(tmp_path / name)
    assert (record.id, len(record.mentions)) == (Path(name).name[0], 3)
    assert record.mentions[0].attributes == (("assertion", "present"),)


def test_documents_of_two_hospitals_have_names_of_their_own(tmp_path):
    for hospital in ("beth", "partners"):
        for folder, content in (("txt", TEXT), ("concept", CON)):
            (tmp_path / hospital / folder).mkdir(parents=True)
            ending = "con" if folder == "concept" else "txt"
            (tmp_path / hospital / folder / f"7.{ending}").write_text(content)
    assert [record.id for record in read_i2b2(tmp_path)] == ["beth/7", "partners/7"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('c="aspirin" 4:0 4:0||t="treatment"', r'expected c="TEXT" .*\|\|a="VALUE"'),
        ('c="water" 5:1 5:1||t="problem"||a="x"', "found an assertion about 'water', expected a"),
    ],
)
def test_bad_assertions_are_errors_or_left_out(tmp_path, line, message):
    folder = write(tmp_path / "c")
    (folder / "7.ast").write_text(f"{AST}{line}\n")
    with pytest.raises(CorpusError, match=message) as raised:
        list(read_i2b2(folder))
    assert (raised.value.path, raised.value.line) == (str(folder / "7.ast"), 2)
    problems = ReadErrors()
    (record,) = read_i2b2(folder, problems=problems)
    assert (len(record.mentions), problems.skipped) == (3, {"annotation": 1})


def test_line_ends_and_a_byte_order_mark(tmp_path):
    folder = write(tmp_path / "c")
    (folder / "7.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    (record,) = read_i2b2(folder)
    assert record.text == TEXT.replace("\n", "\r\n")
    assert [mention.text for mention in record.mentions][1:] == ["Aspirin", "given\r\nwith"]
    write_i2b2([record], tmp_path / "copy")
    assert list(read_i2b2(tmp_path / "copy")) == [record]


def test_a_claim_of_another_text_is_kept(tmp_path):
    (record,) = read_i2b2(write(tmp_path / "c", con='c="fever" 4:0 4:0||t="problem"\n'))
    assert record.mentions[0].text == "fever"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('c="x" 9:0 9:1||t="problem"', "found line 9 in 9:0, expected 1 to 6"),
        ('c="x" 0:0 1:1||t="problem"', "found line 0 in 0:0"),
        ('c="x" 2:3 2:8||t="problem"', "found token 8 in 2:8, expected one of the 7 in line 2"),
        ('c="x" 4:1 4:0||t="problem"', "expected start first"),
        ('c="x" 2:3||t="problem"', 'expected c="TEXT" LINE:TOKEN LINE:TOKEN'),
        ("T1\tproblem 0 1\tx", 'expected c="TEXT"'),
    ],
)
def test_bad_lines_are_errors_or_left_out(tmp_path, line, message):
    folder = write(tmp_path / "c", con=f"\n{line}\n" + CON)
    with pytest.raises(CorpusError, match=message) as raised:
        list(read_i2b2(folder))
    assert (raised.value.path, raised.value.line) == (str(folder / "7.con"), 2)
    problems = ReadErrors()
    (record,) = read_i2b2(folder, problems=problems)
    assert (len(record.mentions), problems.skipped) == (3, {"annotation": 1})


def test_written_records_come_back(tmp_path):
    (record,) = read_i2b2(write(tmp_path / "c"))
    assert write_i2b2([record], tmp_path / "copy") == 1
    assert (tmp_path / "copy" / "7.con").read_text() == CON
    assert list(read_i2b2(tmp_path / "copy")) == [record]


def test_borders_inside_tokens_are_counted_and_widened(tmp_path):
    record = Record("1", "beta-catenin rose", (Mention(0, 4, "X"), Mention(13, 17, "Y")))
    assert find_i2b2_losses(record) == {INSIDE_TOKENS: 1}
    write_i2b2([record], tmp_path / "c")
    (read,) = read_i2b2(tmp_path / "c")
    assert [(m.start_char, m.end_char) for m in read.mentions] == [(0, 12), (13, 17)]


def test_mentions_without_a_token_are_counted_and_left_out(tmp_path):
    mentions = (Mention(1, 3, "X"), Mention(3, 3, "X"), Mention(3, 4, "X"), Mention(8, 9, "X"))
    record = Record("1", "a  bc", mentions)
    assert find_i2b2_losses(record) == {NO_TOKEN: 3, INSIDE_TOKENS: 1}
    write_i2b2([record], tmp_path / "c")
    (read,) = read_i2b2(tmp_path / "c")
    assert [(m.start_char, m.end_char) for m in read.mentions] == [(3, 5)]


def test_what_the_format_carries_comes_back(tmp_path):
    record = Record(
        "ward 3/7",
        "\ufeffA rat\u2028rat\r\n\n  b\tc ",
        (
            Mention(3, 10, "X||t=Y", "no such text", ("D1",), attributes=(("a", "b"),)),
            Mention(3, 6, "X"),
            Mention(3, 6, "X"),
            Mention(7, 18, "Z", fragments=((7, 10), (17, 18))),
        ),
        sections=(("s", 0, 4),),
        meta={"k": "v"},
    )
    write_i2b2([record], tmp_path / "c")
    (read,) = read_i2b2(tmp_path / "c")
    kept = reduce_record(read, FORMAT.carried)
    assert kept == reduce_record(record, FORMAT.carried)
    assert reduce_record(read, FORMAT.carried | {WORDS, SENTENCES}) != kept


@pytest.mark.parametrize("label", ['a"b', "a\nb", "a\r", " "])
def test_a_label_that_a_line_cannot_have_is_refused(tmp_path, label):
    with pytest.raises(CorpusError, match="document 1: found the label"):
        write_i2b2([Record("1", "a", (Mention(0, 1, label),))], tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_a_folder_of_the_release_would_hide_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="found the document id 'txt/7'"):
        write_i2b2([Record("txt/7", "a")], tmp_path / "c")
