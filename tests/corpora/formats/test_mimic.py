import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.mimic import (
    FORMAT,
    NoteColumns,
    find_sections,
    read_mimic,
    write_mimic,
)
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from tests.corpora.strategies import damaged, reads_well

HEADER = (
    "ROW_ID,SUBJECT_ID,HADM_ID,CHARTDATE,CHARTTIME,STORETIME,CATEGORY,DESCRIPTION,CGID,ISERROR,TEXT"
)
NOTE = "Admission Date:  [**2151-7-16**]\n\nChief Complaint:\nchest pain; see (a).\nHE: said\n"
ROWS = (
    f"{HEADER}\n"
    f'7,1,2,2151-08-04,,,"Discharge summary ",Report,,,"{NOTE}"\n'
    '8,1,2,2151-08-04,,,Nursing,Report,,1,"wrong patient"\n'
    '9,3,,2151-08-05,,,Nursing,Report,12,,"He said ""no"".\n\n"\n'
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "NOTEEVENTS.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_notes_keep_text_category_and_sections(path):
    first, second = read_mimic(path)
    assert (first.id, first.text, first.mentions) == ("7", NOTE, ())
    assert first.sections == (
        ("admission date", 0, 34),
        ("chief complaint", 34, 72),
        ("he", 72, len(NOTE)),
    )
    assert first.meta == {
        "subject_id": "1",
        "hadm_id": "2",
        "chartdate": "2151-08-04",
        "category": "Discharge summary",
        "description": "Report",
    }
    assert first.reading_notes == {"erroneous_notes_skipped": 1}
    assert second.text == 'He said "no".\n\n'
    assert second.meta["cgid"] == "12"


def test_erroneous_notes_can_be_kept(path):
    assert [record.id for record in read_mimic(path, erroneous=True)] == ["7", "8", "9"]


def test_text_without_headings_has_no_sections():
    assert find_sections("He was well: so he left.\nHTTP://x\nWBC 4") == ()
    assert find_sections("at 10:30 he left.\nA ratio of 1:2.\nhttp://x") == ()
    assert find_sections("") == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Past medical history:\nnone", ["past medical history"]),
        ("Past medical history: none", []),
        ("History of Present Illness: none", ["history of present illness"]),
        ("PHYSICAL EXAM (ON ARRIVAL)\nwell\nVS: ok", ["physical exam (on arrival)", "vs"]),
    ],
)
def test_headings(text, names):
    assert [name for name, _, _ in find_sections(text)] == names


def test_text_before_the_first_heading_is_the_preamble():
    assert find_sections("Dr. X\nPLAN: rest") == (("preamble", 0, 6), ("plan", 6, 16))


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("who,what,part\na,Some text.,PLAN\n,More.,\n")
    columns = NoteColumns(text="What", id="who", section="part")
    first, second = read_mimic(path, columns=columns)
    assert (first.id, first.text, first.sections) == ("a", "Some text.", (("plan", 0, 10),))
    assert (second.id, second.sections) == ("2", ())


@pytest.mark.parametrize(
    ("content", "columns", "line", "message"),
    [
        (b"", {}, 1, "found the columns no header, expected one named 'text'"),
        (b"a,b\n1,2\n", {}, 1, "found the columns a, b, expected one named 'text'"),
        (b"text\nx\n", {"id": "nr"}, 1, "expected one named 'nr'"),
        (b"text\n", {}, 1, "found no note"),
        (b"id,text\n1,a\n2,b,c\n", {}, 3, "found 3 cells, expected 2"),
        (b'id,text\n1,"a\nb"\n2,"c\nd\n', {}, 4, "malformed row"),
        (b"id,text\n1,\xff\n", {}, 2, "found byte 0xff"),
    ],
)
def test_bad_tables_are_errors_with_their_line(tmp_path, content, columns, line, message):
    path = tmp_path / "notes.csv"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message) as raised:
        list(read_mimic(path, columns=NoteColumns(**columns)))
    assert (raised.value.path, raised.value.line) == (str(path), line)


def test_lenient_reading_leaves_out_bad_rows(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text('id,text\n1,a,b\n2,good\n3,"open\n')
    problems = ReadErrors()
    assert [record.id for record in read_mimic(path, problems=problems)] == ["2"]
    # Behind an open quotation mark, nothing of the file is left.
    assert problems.skipped == {"document": 1, "file": 1}


def test_long_notes_pass_the_usual_limit_of_the_csv_module(tmp_path):
    path = tmp_path / "notes.csv"
    before = csv.field_size_limit()
    path.write_text('id,text\n1,"' + "word " * 40_000 + '"\n')
    (record,) = read_mimic(path)
    assert len(record.text) == 200_000
    assert csv.field_size_limit() == before


def test_written_notes_come_back_without_mentions(tmp_path):
    records = [
        Record("1", 'He said: "no",\r\nand left\t.', (Mention(0, 2, "X"),), meta={"category": "N"}),
        Record("2", "", meta={"hadm_id": "4", "ward": "\u03b1"}),
    ]
    path = tmp_path / "out.csv"
    assert write_mimic(records, path) == 2
    read = [reduce_record(record, FEATURES) for record in read_mimic(path)]
    assert read == [reduce_record(record, FORMAT.carried) for record in records]


def test_a_text_that_a_table_cannot_hold_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="document 1: found a NUL"):
        write_mimic([Record("1", "a\0b")], tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "number", "text_starts"),
    [("aci_bench_valid", 20, "CHIEF COMPLAINT"), ("mts_dialog_train", 1201, "The patient is")],
)
def test_real_notes(data_dir, name, number, text_starts):
    records = list(read_mimic(data_dir / "corpora" / "clinical_notes" / f"{name}.csv"))
    assert len(records) == number
    assert records[0].text.startswith(text_starts)
    assert all(record.sections for record in records)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.binary(max_size=60) | damaged(ROWS.encode()))
def test_any_bytes_give_records_or_an_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz-notes.csv"
    path.write_bytes(data)
    assert reads_well(read_mimic(path), path)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("id\ttext\n1\tWe gave aspirin.\n2\tNo drug.\n", ["We gave aspirin.", "No drug."]),
        ("id;text\n1;a, b\n", ["a, b"]),
        ("id|note\n1|a\n", ["a"]),
        ('id\ttext\n1\t"He said"\n2\t"a\nb"\n', ["He said", "a\nb"]),
        # Quotation marks without a partner are text; then all of them are.
        ('id\ttext\n1\t"He said\n2\tsaid" "he"\n3\t"so"\n', ['"He said', 'said" "he"', '"so"']),
    ],
)
def test_tables_of_notes_may_have_other_separators(tmp_path, content, texts):
    path = tmp_path / "notes.tsv"
    path.write_text(content, encoding="utf-8")
    assert detect_format(path) == "mimic"
    assert [record.text for record in read_mimic(path)] == texts


def test_an_identifier_keeps_its_blanks(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text('ROW_ID,TEXT\n"1\t",Well.\n" ",Ill.\n', encoding="utf-8")
    assert [record.id for record in read_mimic(path)] == ["1\t", "2"]
