from dataclasses import replace

import pytest
from hypothesis import given, settings

from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.standoff.brat import (
    BLANKS,
    read_bionlp,
    read_brat,
)
from spacy_bioner.corpora.formats.standoff.brat_writer import FORMAT, write_brat
from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from tests import paths
from tests.corpora.strategies import records

CASES = paths.CASES / "corpora"
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
    assert record.reading_notes == {"relations_skipped": 4, "notes_skipped": 1}


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
    problems = ReadErrors()
    (record,) = read_brat(folder, problems=problems)
    assert (len(record.mentions), problems.skipped) == (1, {"annotation": 1})


@pytest.mark.parametrize("missing", [".txt", ".ann"])
def test_a_missing_text_is_an_error_and_a_stray_text_is_counted(tmp_path, missing):
    folder = write(tmp_path / "c", "7", "rats", "")
    write(folder, "8", "mice", "")
    (folder / f"7{missing}").unlink()
    problems = ReadErrors()
    (record,) = read_brat(folder, problems=problems)
    assert record.id == "8"
    if missing == ".txt":
        with pytest.raises(CorpusError, match=r"found no file 7\.txt that belongs to it"):
            list(read_brat(folder))
        assert (problems.skipped, record.meta) == ({"file": 1}, {})
    else:
        assert list(read_brat(folder)) == [record]
        assert record.reading_notes["texts_without_annotations_skipped"] == 1
        assert record.reading_notes["texts_without_annotations"] == "7.txt"
        assert record.meta == {}
    with pytest.raises(CorpusError, match=f"found no file 7{missing}"):
        list(read_brat(folder / ("7.ann" if missing == ".txt" else "7.txt")))


def test_texts_without_any_annotation_file_are_an_error(tmp_path):
    (tmp_path / "7.txt").write_text("rats")
    with pytest.raises(CorpusError, match=r"7\.txt:1: found no file 7\.ann"):
        list(read_brat(tmp_path))


@pytest.mark.parametrize(
    ("texts", "annotations", "names"),
    [
        ("corpus/1 corpus/2", "annotations/1 annotations/2", "1 2"),
        ("txt/1", "1", "1"),
        ("train/text/1 test/text/1", "train/ann/1 test/ann/1", "test/1 train/1"),
        ("text/train/1 text/test/1", "brat/train/1 brat/test/1", "test/1 train/1"),
        ("text/1 text/sub/1", "ann/1 ann/sub/1", "1 sub/1"),
        ("a/b/c/1", "x/y/z/1", "a/b/c/1"),
        ("1 raw/2", "1 gold/2", "1 2"),
    ],
)
def test_texts_and_annotations_may_stand_in_folders_of_their_own(
    tmp_path, texts, annotations, names
):
    for ending, places in ((".txt", texts), (".ann", annotations)):
        for place in places.split():
            path = tmp_path / f"{place}{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            end = 1 + texts.split().index(place) if ending == ".txt" else 0
            path.write_text("x" * end if end else "")
    assert [record.id for record in read_brat(tmp_path)] == names.split()


def test_annotations_by_two_people_in_folders_of_their_own_are_refused(tmp_path):
    for place in ("txt/1.txt", "anna/1.ann", "ben/1.ann"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text("")
    with pytest.raises(CorpusError, match=r"anna/1\.ann:1: found no text that is its alone"):
        list(read_brat(tmp_path))


def test_a_single_file_finds_its_text_in_the_folder_of_texts():
    (record,) = read_brat(CASES / "brat_sibling" / "annotations" / "d1.ann")
    assert (record.id, record.text) == ("d1", "Aspirin helps rats.\n")


@pytest.mark.parametrize(
    ("line", "fragments", "claim"),
    [
        # Pieces in another order, overlapping, touching, one within the other.
        ("12 19;0 5\tfailure Acute", ((0, 5), (12, 19)), "Acute failure"),
        ("0 5;12 19\tfailure Acute", ((0, 5), (12, 19)), "failure Acute"),
        ("0 11;6 19\tAcute renal renal failure", (), "Acute renal failure"),
        ("6 19;0 11\trenal failure Acute renal", (), "Acute renal failure"),
        ("0 5;5 11\tAcute renal", (), "Acute renal"),
        ("0 19;6 11\tAcute renal failure renal", (), "Acute renal failure"),
        ("24 28;0 11;6 19\tpain Acute renal renal failure", ((0, 19), (24, 28)), None),
    ],
)
def test_claimed_texts_are_those_of_the_pieces_in_any_order(tmp_path, line, fragments, claim):
    folder = write(tmp_path / "c", "7", TEXT, f"T1\tX {line}\n")
    (record,) = read_brat(folder)
    (mention,) = record.mentions
    assert why_lost(mention, record.text) == ""
    assert mention.fragments == fragments
    assert mention.text == (claim or "Acute renal failure pain")
    write_brat([record], tmp_path / "again")
    assert [strip(r) for r in read_brat(tmp_path / "again")] == [strip(record)]


@pytest.mark.parametrize("claimed", ["failure cute", "Acute Acute failure", "Acute", "renal"])
def test_claims_of_other_pieces_do_not_fit(tmp_path, claimed):
    folder = write(tmp_path / "c", "7", TEXT, f"T1\tX 12 19;0 5\t{claimed}\n")
    (record,) = read_brat(folder)
    assert why_lost(record.mentions[0], record.text) == "text at the offsets differs"


def test_claimed_texts_over_line_breaks_are_joined(tmp_path):
    text = "T1 of the\nTotal\n\nrenal failure"
    ann = (
        "T1\tX 0 31\tT1 of the\nTotal\n\nrenal failure\n"
        "N1\tReference T1 M:1\tT1 of the\nTotal\n\nrenal failure\nT2\tY 10 15\tTotal\n"
    )
    (record,) = read_brat(write(tmp_path / "c", "7", text, ann))
    assert [(m.text, m.line, m.concept_ids) for m in record.mentions] == [
        (text, 1, ("M:1",)),
        ("Total", 9, ()),
    ]


def test_lines_behind_a_whole_claim_are_not_joined(tmp_path):
    folder = write(tmp_path / "c", "7", TEXT, "T1\tX 0 11\tAcute renal\nfailure\n")
    with pytest.raises(CorpusError, match=r"7\.ann:2: found 'failure', expected a line of brat"):
        list(read_brat(folder))


@pytest.mark.parametrize(
    ("line", "label", "better"),
    [
        ("T1\tAdverse reaction 0 5\tAcute", "Adverse reaction", "Adverse_reaction"),
        ("T1\ta  b c 0 5;6 11\tAcute renal", "a  b c", "a_b_c"),
        ("E1\tBad event:T1", "Bad event", "Bad_event"),
    ],
)
def test_a_blank_in_a_label_is_named_as_the_fault(tmp_path, line, label, better):
    folder = write(tmp_path / "c", "7", TEXT, f"{line}\n")
    message = f"found the label {label!r}, expected one without blanks, .* as {better!r}"
    with pytest.raises(CorpusError, match=message):
        list(read_brat(folder))


def test_bionlp_pairs_are_read_with_references_across_the_files(tmp_path):
    (tmp_path / "9.txt").write_text(TEXT)
    (tmp_path / "9.a1").write_text("T1\tSign 0 19\tAcute renal failure\nT2\tSign 24 28\tpain\n")
    (tmp_path / "9.a2").write_text(
        "E1\tHelp:T3 Theme:T1\nT3\tHelp 21 23\tNo\nM1\tNegation E1\n"
        "N1\tOntoBiotope Annotation:T2 Referent:OBT:1\n*\tEquiv T1 T2\n"
    )
    (tmp_path / "8.txt").write_text("rats")
    (tmp_path / "8.a1").write_text("T1\tSpecies 0 4\trats\n")
    first, second = read_bionlp(tmp_path)
    assert (first.id, [m.label for m in first.mentions]) == ("8", ["Species"])
    assert [(m.label, m.attributes, m.concept_ids) for m in second.mentions] == [
        ("Sign", (), ()),
        ("Sign", (), ("OBT:1",)),
        ("Help", (("event", "Help"), ("Negation", "true")), ()),
    ]
    assert second.reading_notes == {"relations_skipped": 2}


def test_bionlp_faults_name_the_file_in_which_they_are(tmp_path):
    (tmp_path / "9.txt").write_text(TEXT)
    (tmp_path / "9.a1").write_text("T1\tSign 0 5\tAcute\n")
    (tmp_path / "9.a2").write_text("\nE1\tHelp:T3\n")
    with pytest.raises(CorpusError, match=r"9\.a2:2: found a reference to T3"):
        list(read_bionlp(tmp_path))
    (tmp_path / "9.a2").write_text("T1\tHelp 0 5\tAcute\n")
    with pytest.raises(CorpusError, match=r"9\.a2:1: found a second line T1"):
        list(read_bionlp(tmp_path))


@pytest.mark.parametrize(
    ("name", "spans"),
    [
        ("a1a2", [(0, 7, "Chemical", "Aspirin"), (8, 13, "Help", "helps")]),
        ("brat_998", [(0, 19, "Disease", "Acute renal\nfailure"), (20, 24, "Other", "seen")]),
        ("brat_readme", [(0, 7, "Chemical", "Aspirin")]),
        ("brat_sibling", [(0, 7, "Chemical", "Aspirin")]),
        ("brat_unordered", [(4, 34, "Variation", "polymorphisms SLCO1B1")]),
    ],
)
def test_strangers_folders_are_read(name, spans):
    read = read_bionlp if name == "a1a2" else read_brat
    (record,) = read(CASES / name)
    assert [(m.start_char, m.end_char, m.label, m.text) for m in record.mentions] == spans
    assert [why_lost(mention, record.text) for mention in record.mentions] == [""] * len(spans)


def test_a_name_that_two_files_have_is_an_error_or_left_out(tmp_path):
    folder = write(tmp_path / "c", "7", "rats", "")
    (folder / "7.txt.ann").write_text("T1\tX 0 4\trats\n")
    with pytest.raises(CorpusError, match=r"found a second \.ann file of document 7"):
        list(read_brat(folder))
    problems = ReadErrors()
    assert [len(record.mentions) for record in read_brat(folder, problems=problems)] == [0]
    assert problems.skipped == {"file": 1}


def test_a_file_of_another_kind_is_refused(tmp_path):
    (write(tmp_path / "c", "7", "rats", "") / "7.csv").write_text("a")
    with pytest.raises(CorpusError, match=r"expected one ending in \.txt or \.ann"):
        list(read_brat(tmp_path / "c" / "7.csv"))


def test_an_empty_folder_is_an_error_even_if_lenient(tmp_path):
    with pytest.raises(CorpusError, match=r"found no \.txt and \.ann files"):
        list(read_brat(tmp_path, problems=ReadErrors()))


@FUZZ
@given(record=records())
def test_written_records_come_back(tmp_path_factory, record):
    folder = tmp_path_factory.mktemp("brat") / "c"
    assert write_brat([record], folder) == 1
    (found,) = read_brat(folder)
    assert one_line_claims(found) == one_line_claims(reduce_record(record, FORMAT.carried))


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
    counts = [record.reading_notes for record in found]
    assert sum(noted.get("notes_skipped", 0) for noted in counts) == 335
    assert sum(noted.get("relations_skipped", 0) for noted in counts) == 16_307 + 2_023
    write_brat(found, tmp_path / "copy")
    assert [strip(r) for r in read_brat(tmp_path / "copy")] == [strip(r) for r in found]
