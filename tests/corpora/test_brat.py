from dataclasses import replace

import pytest
from hypothesis import given, settings

from spacy_bioner.corpora.brat import BLANKS, CARRIES, read_brat
from spacy_bioner.corpora.brat_writer import write_brat
from spacy_bioner.corpora.losses import FEATURES, reduce_record
from spacy_bioner.corpora.problems import Problems
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from tests.corpora.strategies import records

FUZZ = settings(max_examples=150, deadline=None, derandomize=True)
TEXT = "Acute renal failure.\nNo pain in \u03b1 and \U0001f400 rats\n"
ANN = """\
T1	Sign_symptom 0 5;12 19	Acute failure
E1	Sign_symptom:T1 Where:T2
T2	Anatomy 6 11	renal
A1	Negation T3
T3	Sign_symptom 24 28	pain
A2	Trend E1 DOWN
N1	Reference T2 UBERON:0002113	kidney
N2	Reference T2 FMA:7203	kidney
R1	MODIFY Arg1:T2 Arg2:E1
*	OVERLAP E1 T3
#1	AnnotatorNotes T1	a note
T4	Species 40 44	rats
A3	Hedged R1
"""


def write(folder, name, text, ann):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode())
    (folder / f"{name}.ann").write_bytes(ann.encode())
    return folder


def strip(record):
    return reduce_record(record, FEATURES)


def one_line_claims(record):
    """Leave out whether fragments are claimed with a line break or a space between them."""
    mentions = [
        replace(m, text=m.text.translate(BLANKS)) if m.fragments else m
        for m in strip(record).mentions
    ]
    return replace(strip(record), mentions=tuple(mentions))


def test_standoff_lines(tmp_path):
    (record,) = read_brat(write(tmp_path / "c", "7", TEXT, ANN))
    assert (record.id, record.text) == ("7", TEXT)
    assert strip(record).mentions == (
        Mention(
            0,
            19,
            "Sign_symptom",
            "Acute failure",
            fragments=((0, 5), (12, 19)),
            attributes=(("event", "Sign_symptom"), ("Trend", "DOWN")),
        ),
        Mention(6, 11, "Anatomy", "renal", ("UBERON:0002113", "FMA:7203")),
        Mention(24, 28, "Sign_symptom", "pain", attributes=(("Negation", "true"),)),
        Mention(40, 44, "Species", "rats"),
    )
    assert [mention.line for mention in record.mentions] == [1, 3, 5, 12]
    # An argument, a relation, an equivalence, and an attribute of the relation.
    assert record.meta == {"relations_skipped": "4", "notes_skipped": "1"}


def test_folders_are_walked_in_order(tmp_path):
    write(tmp_path / "c", "b", "two", "")
    write(tmp_path / "c", "a", "one", "")
    write(tmp_path / "c" / "sub", "a", "three", "")
    write(tmp_path / "c", ".hidden", "no", "")
    found = list(read_brat(tmp_path / "c"))
    assert [(r.id, r.text) for r in found] == [("a", "one"), ("b", "two"), ("sub/a", "three")]


@pytest.mark.parametrize("ending", [".txt", ".ann"])
def test_a_single_file_stands_for_its_pair(tmp_path, ending):
    folder = write(tmp_path / "c", "7", TEXT, ANN)
    (record,) = read_brat(folder / f"7{ending}")
    assert (record.id, len(record.mentions)) == ("7", 4)


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("a\r\nrats", "3 7", "a\r\nrats"),
        ("a\r\nrats", "2 6", "a\nrats"),
        ("\ufeffrats", "0 4", "rats"),
        ("\ufeffrats", "1 5", "\ufeffrats"),
        ("a\r\nrats", "0 1", "a\r\nrats"),
        ("\ufeffa\r\nb\r\nrats", "5 9", "\ufeffa\nb\nrats"),
        ("\ufeffa\r\nb\r\nrats", "6 10", "a\r\nb\r\nrats"),
    ],
)
def test_line_ends_and_byte_order_marks_are_read_as_the_mentions_ask(
    tmp_path, text, span, expected
):
    word = "a" if span == "0 1" else "rats"
    (record,) = read_brat(write(tmp_path / "c", "7", text, f"T1\tX {span}\t{word}\r\n"))
    assert record.text == expected
    (mention,) = record.mentions
    assert record.text[mention.start_char : mention.end_char] == word


def test_a_mention_over_a_line_break_is_spelled_with_it(tmp_path):
    folder = write(tmp_path / "c", "7", "renal\nfailure", "T1\tX 0 13\trenal failure\n")
    (record,) = read_brat(folder)
    assert record.mentions[0].text == "renal\nfailure"


def test_a_mention_that_brat_parted_at_a_line_break_keeps_its_text(tmp_path):
    ann = "T1\tX 0 5;6 13\trenal failure\n"
    (record,) = read_brat(write(tmp_path / "c", "7", "renal\nfailure", ann))
    assert (record.mentions[0].text, record.mentions[0].fragments) == (
        "renal failure",
        ((0, 5), (6, 13)),
    )


def test_the_fragments_over_a_line_break_are_spelled_with_it(tmp_path):
    ann = "T1\tX 0 7;8 14\tliver a kidney\n"
    (record,) = read_brat(write(tmp_path / "c", "7", "liver\na kidney", ann))
    assert (record.mentions[0].text, record.mentions[0].fragments) == (
        "liver\na kidney",
        ((0, 7), (8, 14)),
    )


def test_concept_ids_in_the_form_of_the_shared_task(tmp_path):
    ann = "T1\tX 0 4\trats\nN1\tReference Annotation:T1 Referent:NCBI_Taxonomy:10116\n"
    (record,) = read_brat(write(tmp_path / "c", "7", "rats", ann))
    assert record.mentions[0].concept_ids == ("NCBI_Taxonomy:10116",)


def test_stretches_without_a_gap_are_one(tmp_path):
    folder = write(tmp_path / "c", "7", "renal failure", "T1\tX 6 13;0 6\trenal failure\n")
    (mention,) = next(read_brat(folder)).mentions
    assert (mention.start_char, mention.end_char, mention.fragments) == (0, 13, ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1 X 0 1 a", r"expected T1<TAB>TYPE START END"),
        ("T1\tX 0 b\ta", "expected T1<TAB>TYPE"),
        ("T1\tX 0 1", "expected T1<TAB>TYPE"),
        ("T1\tX 2 1\ta", "expected T1<TAB>TYPE"),
        ("T 1\tX 0 1\ta", "expected T1<TAB>TYPE"),
        ("T0\tX 0 1\ta", "found a second line T0, expected each name once"),
        ("E1\tX", "expected E1<TAB>TYPE:T1"),
        ("A1\tX", "expected A1<TAB>NAME REFERENCE"),
        ("A1\tX T9", "found a reference to T9, expected a T or E line of that name"),
        ("E1\tX:T9", "found a reference to T9"),
        ("A1\tX R9", "found a reference to R9"),
        ("N1\tReference T0", "expected N1<TAB>Reference"),
        ("N1\tReference T0 _:", "expected N1<TAB>Reference"),
        ("?\tx", "expected a line of brat"),
    ],
)
def test_bad_lines_are_errors_or_left_out(tmp_path, line, message):
    folder = write(tmp_path / "c", "7", "rats", f"T0\tX 0 4\trats\n\n{line}\n")
    with pytest.raises(CorpusError, match=message) as raised:
        list(read_brat(folder))
    assert (raised.value.path, raised.value.line) == (str(folder / "7.ann"), 3)
    problems = Problems()
    (record,) = read_brat(folder, problems=problems)
    assert (len(record.mentions), problems.skipped) == (1, {"annotation": 1})


@pytest.mark.parametrize("missing", [".txt", ".ann"])
def test_a_missing_partner_is_an_error_or_left_out(tmp_path, missing):
    folder = write(tmp_path / "c", "7", "rats", "")
    write(folder, "8", "mice", "")
    (folder / f"7{missing}").unlink()
    with pytest.raises(CorpusError, match=f"found no file 7{missing} that belongs to it"):
        list(read_brat(folder))
    problems = Problems()
    assert [record.id for record in read_brat(folder, problems=problems)] == ["8"]
    assert problems.skipped == {"file": 1}
    with pytest.raises(CorpusError, match=f"found no file 7{missing}"):
        list(read_brat(folder / ("7.ann" if missing == ".txt" else "7.txt")))


def test_a_name_that_two_files_have_is_an_error_or_left_out(tmp_path):
    folder = write(tmp_path / "c", "7", "rats", "")
    (folder / "7.txt.ann").write_text("T1\tX 0 4\trats\n")
    with pytest.raises(CorpusError, match=r"found a second \.ann file of document 7"):
        list(read_brat(folder))
    problems = Problems()
    assert [len(record.mentions) for record in read_brat(folder, problems=problems)] == [0]
    assert problems.skipped == {"file": 1}


def test_a_file_of_another_kind_is_refused(tmp_path):
    (write(tmp_path / "c", "7", "rats", "") / "7.csv").write_text("a")
    with pytest.raises(CorpusError, match=r"expected one ending in \.txt or \.ann"):
        list(read_brat(tmp_path / "c" / "7.csv"))


def test_an_empty_folder_is_an_error_even_if_lenient(tmp_path):
    with pytest.raises(CorpusError, match=r"found no \.txt and \.ann files"):
        list(read_brat(tmp_path, problems=Problems()))


@FUZZ
@given(record=records())
def test_written_records_come_back(tmp_path_factory, record):
    folder = tmp_path_factory.mktemp("brat") / "c"
    assert write_brat([record], folder) == 1
    (found,) = read_brat(folder)
    assert one_line_claims(found) == one_line_claims(reduce_record(record, CARRIES))


@pytest.mark.parametrize(
    "text", ["\ufeffrats", "\ufeff\ufeffrats", "a\r\nrats\r", "\n\nrats\n\n", "rats \t\0\x85", ""]
)
def test_every_character_of_a_text_comes_back(tmp_path, text):
    start = text.find("rats")
    mentions = (Mention(start, start + 4, "X", "rats"),) if text else ()
    for number, record in enumerate((Record("1", text), Record("1", text, mentions))):
        write_brat([record], tmp_path / str(number))
        assert [strip(r) for r in read_brat(tmp_path / str(number))] == [record]


def test_an_id_without_a_resource_gets_a_mark_that_reading_takes_off(tmp_path):
    ids = ("D003", "MESH:D003", "_:x", "a b")
    record = Record("1", "rats", (Mention(0, 4, "X", "rats", ids),))
    write_brat([record], tmp_path / "c")
    lines = (tmp_path / "c" / "1.ann").read_text().splitlines()
    found = [line.split("\t")[1] for line in lines[1:]]
    assert found == [f"Reference T1 {i}" for i in ("_:D003", "MESH:D003", "_:_:x", "_:a b")]
    assert [strip(r) for r in read_brat(tmp_path / "c")] == [record]


@pytest.mark.parametrize("name", ["7", "a/b", "7.txt", "7.ann", "7.", "a b", "caf\u00e9"])
def test_ids_come_back(tmp_path, name):
    write_brat([Record("0", "x"), Record(name, "a")], tmp_path / "c")
    assert sorted(record.id for record in read_brat(tmp_path / "c")) == sorted(("0", name))


def test_a_folder_without_a_name_of_its_own_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "c").mkdir()
    monkeypatch.chdir(tmp_path / "c")
    write_brat([Record("1", "x")], ".")
    assert (tmp_path / "c" / "1.txt").read_text() == "x"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record("../x", "a"), "found the document id '../x'"),
        (Record("/x", "a"), "found the document id '/x'"),
        (Record("", "a"), "found the document id ''"),
        (Record("a\0b", "a"), "found the document id"),
        (Record(".x", "a"), "found the document id '.x'"),
        (Record("a/.x/b", "a"), "found the document id"),
        (Record("0.txt/x", "a"), "found the document id '0.txt/x'"),
        (Record("\ud800", "a"), "found the document id"),
        (Record("x" * 201, "a"), "found the document id"),
        (Record("/".join(["x" * 99] * 7), "a"), "found the document id"),
        (Record("1", "a\r\nab", (Mention(2, 4, "X", "ab"),)), "only with other line ends"),
        (Record("1", "ab", (Mention(0, 1, "Sign symptom"),)), "found the name 'Sign symptom'"),
        (Record("1", "a", (Mention(0, 1, "X", attributes=(("N", "a\tb"),)),)), "found the value"),
        (Record("1", "a", (Mention(0, 1, "X", concept_ids=(" D1",)),)), "found the value ' D1'"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, record, message):
    with pytest.raises(CorpusError, match=message):
        write_brat([Record("0", "x"), record], tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="found document a twice"):
        write_brat([Record("A", "x"), Record("a", "y")], tmp_path / "c")


def test_a_folder_with_files_is_not_overwritten(tmp_path):
    folder = write(tmp_path / "c", "7", TEXT, ANN)
    with pytest.raises(CorpusError, match="found files there"):
        write_brat([Record("1", "x")], folder)
    assert (folder / "7.txt").exists()


def test_maccrobat(data_dir, tmp_path):
    found = list(read_brat(data_dir / "corpora" / "maccrobat2020"))
    mentions = [mention for record in found for mention in record.mentions]
    assert (len(found), len(mentions)) == (200, 25_189)
    assert sum(bool(mention.fragments) for mention in mentions) == 44
    assert len({mention.label for mention in mentions}) == 41
    assert sum(name == "event" for m in mentions for name, _ in m.attributes) == 14_368
    assert sum(int(record.meta.get("notes_skipped", 0)) for record in found) == 335
    assert sum(int(record.meta.get("relations_skipped", 0)) for record in found) == 16_307 + 2_023
    write_brat(found, tmp_path / "copy")
    assert [strip(r) for r in read_brat(tmp_path / "copy")] == [strip(r) for r in found]
