from dataclasses import replace

import pytest

from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.concept_ids import split_concept_ids
from spacy_bioner.corpora.formats.pubtator import FORMAT, read_pubtator, write_pubtator
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.truncation import ends_within_line
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

GOOD = (
    "1|t|Renal or auditory toxicity.\n"
    "1|a|Seen with μg doses.\n"
    "1\t0\t26\tRenal or auditory toxicity\tDisease\tD1|D2\trenal toxicity|auditory toxicity\n"
    "1\t38\t40\tμg\tUnit\t-1\n"
    "1\tCID\tD1\tD2\n"
    "\n"
    "2|t|No abstract\n"
    "2|a|\n"
    "2\t3\t11\tabstract\tThing\n"
)


def write(tmp_path, text):
    path = tmp_path / "corpus.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(tmp_path, text):
    return list(read_pubtator(write(tmp_path, text)))


def without_lines(record):
    mentions = tuple(replace(mention, line=None) for mention in record.mentions)
    return replace(record, mentions=mentions, reading_notes={})


def test_read_pubtator_joins_title_and_abstract_by_one_space(tmp_path):
    record = read(tmp_path, GOOD)[0]
    assert record.id == "1"
    assert record.text == "Renal or auditory toxicity. Seen with μg doses."
    assert record.sections == (("title", 0, 27), ("abstract", 28, 47))


def test_read_pubtator_gives_mentions_with_their_lines(tmp_path):
    first, second = read(tmp_path, GOOD)[0].mentions
    assert first == Mention(
        0, 26, "Disease", "Renal or auditory toxicity", concept_ids=("D1", "D2"), line=3
    )
    assert second == Mention(38, 40, "Unit", "μg", line=4)


def test_read_pubtator_keeps_seventh_column_and_counts_relations(tmp_path):
    record = read(tmp_path, GOOD)[0]
    assert record.meta == {}
    assert record.reading_notes["line3.column7"] == "renal toxicity|auditory toxicity"
    assert record.reading_notes["relations_skipped"] == 1


def test_read_pubtator_empty_abstract_leaves_the_title(tmp_path):
    record = read(tmp_path, GOOD)[1]
    assert record.text == "No abstract"
    assert record.sections == (("title", 0, 11), ("abstract", 11, 11))
    assert record.mentions[0].concept_ids == ()


def test_read_pubtator_without_abstract_line(tmp_path):
    assert read(tmp_path, "7|t|Only a title\n")[0].text == "Only a title"


def test_read_pubtator_needs_no_blank_lines_and_takes_crlf_and_bom(tmp_path):
    text = "\ufeff1|t|One\r\n1|a|x\r\n1\t0\t3\tOne\tA\tD1\r\n2|t|Two\r\n2|a|y\r\n"
    records = read(tmp_path, text)
    assert [(record.id, record.text) for record in records] == [("1", "One x"), ("2", "Two y")]
    assert records[0].mentions == (Mention(0, 3, "A", "One", ("D1",), line=3),)


def test_read_pubtator_keeps_repeated_identifiers(tmp_path):
    records = read(tmp_path, "1|t|a\n1|a|b\n\n1|t|a\n1|a|b\n")
    assert [record.id for record in records] == ["1", "1"]


def test_read_pubtator_does_not_break_at_unicode_line_separators(tmp_path):
    record = read(tmp_path, "1|t|a\u2028b\x85c\n1|a|d|e\n")[0]
    assert record.text == "a\u2028b\x85c d|e"


def test_read_pubtator_skips_relations_of_five_columns(tmp_path):
    record = read(tmp_path, "1|t|a\n1|a|b\n1\tAssociation\t3175\tD003924\tNovel\n")[0]
    assert record.mentions == ()
    assert record.reading_notes == {"relations_skipped": 1}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("1\t0\t3\tabc\tA\tD1\n", 1, "expected a title line"),
        ("junk\n", 1, "found 'junk', expected a title line"),
        ("1|t|abc\n1|a|d\n1\t0\t3\n", 3, "found 3 columns, expected 5 to 7"),
        ("1|t|abc\n1|a|d\n1\t0\tx\tabc\tA\tD1\n", 3, "found end offset 'x', expected a number"),
        ("1|t|abc\n1|a|d\n1\tx\t3\tabc\tA\tD1\n", 3, "found start offset 'x', expected a number"),
        ("1|t|abc\n1|a|d\n1\t-1\t3\tabc\tA\tD1\n", 3, "found start offset '-1'"),
        ("1|t|abc\n1|a|d\n2\t0\t3\tabc\tA\tD1\n", 3, "found a line of document '2', expected"),
        ("1|t|abc\n2|a|d\n", 2, "found a line of document '2'"),
        ("1|t|abc\n1|a|d\n1|a|e\n", 3, "found a second abstract of document 1"),
        ("1|t|abc\n1|a|d\n1\t0\t3\tabc\tA\tD1\tx\ty\n", 3, "found 8 columns"),
        ("1|t|abc\n1|a|d\n1\t" + "9" * 5000 + "\t3\tabc\tA\n", 3, "found start offset '999"),
        ("1|t|abc\n1|a|d\n2|a|e\n", 3, "found '2|a|e', expected a title line"),
        (" |t|abc\n", 1, "expected a title line"),
    ],
)
def test_read_pubtator_names_malformed_line(tmp_path, text, line, message):
    path = write(tmp_path, text)
    with pytest.raises(CorpusError, match=message) as caught:
        list(read_pubtator(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_read_pubtator_names_line_that_is_not_utf8(tmp_path):
    with pytest.raises(CorpusError, match=r"txt:2: found byte 0xb5 at column 6, expected UTF-8"):
        read(tmp_path, b"1|t|abc\n1|a|5\xb5g\n")


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_read_pubtator_refuses_empty_file(tmp_path, text):
    with pytest.raises(CorpusError, match="txt:1: found no document"):
        read(tmp_path, text)


def test_read_pubtator_refuses_folder_and_missing_file(tmp_path):
    with pytest.raises(CorpusError, match="found a folder, expected a corpus file"):
        list(read_pubtator(tmp_path))
    with pytest.raises(CorpusError, match="no such file"):
        list(read_pubtator(tmp_path / "absent.txt"))


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("D003924", ("D003924",)),
        (" D008661", ("D008661",)),
        ("D003110|D009369", ("D003110", "D009369")),
        ("26413,26417", ("26413", "26417")),
        ("2,4;6", ("2", "4", "6")),
        ("D002|-1", ("D002",)),
        ("-1", ()),
        ("-", ()),
        ("", ()),
        ("OMIM:300322+OMIM:102600", ("OMIM:300322+OMIM:102600",)),
        ("8772(Tax:9606),55588(tax:7227)", ("8772", "55588")),
        ("c|SUB|G|1201|C", ("c|SUB|G|1201|C",)),
        ("|INS|118_119|A", ("|INS|118_119|A",)),
        ("c|DEL888|C", ("c|DEL888|C",)),
        ("p|Allele|R|9", ("p|Allele|R|9",)),
        ("c|SUB|G|Ex2+860|C;Gene:3577;RS#:2234671;VariantGroup:0", ("c|SUB|G|Ex2+860|C",)),
        ("c|DUP|-120||;Gene:1815;Disease:D012559;VariantGroup:0", ("c|DUP|-120||",)),
        ("rs2234671;VariantGroup:0", ("rs2234671",)),
        ("UMLS:C0010674", ("UMLS:C0010674",)),
        ("CVCL_0224", ("CVCL_0224",)),
    ],
)
def test_split_concept_ids(column, ids):
    assert split_concept_ids(column) == ids


def test_write_pubtator_repeats_what_was_read(tmp_path):
    source = write(tmp_path, GOOD)
    target = tmp_path / "copy.txt"
    assert write_pubtator(read_pubtator(source), target) == 2
    expected = GOOD.replace("1\tCID\tD1\tD2\n", "") + "\n"
    assert target.read_text(encoding="utf-8") == expected


def test_write_pubtator_puts_other_records_into_the_title(tmp_path):
    record = Record("x", "one\ntwo\tthree", (Mention(4, 7, "A", concept_ids=("D1", "D2")),))
    target = tmp_path / "out.txt"
    write_pubtator([record], target)
    assert target.read_text() == "x|t|one two three\nx|a|\nx\t4\t7\ttwo\tA\tD1|D2\n\n"


def test_write_pubtator_failing_leaves_the_old_file(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")

    def records():
        yield Record("1", "text")
        raise CorpusError("broken")

    with pytest.raises(CorpusError, match="broken"):
        write_pubtator(records(), target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_write_pubtator_refuses_folder(tmp_path):
    with pytest.raises(CorpusError, match="expected the name of an output file"):
        write_pubtator([], tmp_path)


@pytest.mark.parametrize("name", ["bc5cdr", "ncbi_disease", "biored", "gnormplus"])
def test_real_pubtator_files_round_trip(data_dir, tmp_path, name):
    source = data_dir / "corpora" / name / "test.pubtator.txt"
    records = list(read_pubtator(source))
    target = tmp_path / "copy.txt"
    write_pubtator(records, target)
    assert [without_lines(record) for record in read_pubtator(target)] == [
        without_lines(record) for record in records
    ]


AIONER = (
    "43047311009|t|COS-7 clone E1 cells were fixed.\n"
    "43047311009|a|Scale bar = 10 m.\n"
    "43047311009\t0\t5\tCOS-7\tCellLine\tCVCL_0224\n"
    "\n"
    "47728541026|t|Sequencing of BRAF c.1799T>A.\n"
    "47728541026|a|\n"
    "47728541026\t19\t28\tc.1799T>A\tDNAMutation\tc|SUB|T|1799|A;Gene:673;VariantGroup:0\n"
    "47728541026\t14\t18\tBRAF\tGene\t673,7157\n"
)
MEDMENTIONS = (
    "25763772|t|DCTN4 as a modifier of cystic fibrosis\n"
    "25763772|a|Patients are ill.\n"
    "25763772\t0\t5\tDCTN4\tT116,T123\tC4308010\n"
    "25763772\t23\t38\tcystic fibrosis\tT047\tUMLS:C0010674\n"
    "25763772\t39\t47\tPatients\tUnknownType\tC9999999\n"
)


def facts(record):
    mentions = record.mentions
    return [(m.start_char, m.end_char, m.text, m.label, m.concept_ids) for m in mentions]


def test_read_pubtator_aioner_style(tmp_path):
    first, second = read(tmp_path, AIONER)
    assert facts(first) == [(0, 5, "COS-7", "CellLine", ("CVCL_0224",))]
    assert facts(second) == [
        (19, 28, "c.1799T>A", "DNAMutation", ("c|SUB|T|1799|A",)),
        (14, 18, "BRAF", "Gene", ("673", "7157")),
    ]


def test_read_pubtator_medmentions_style(tmp_path):
    (record,) = read(tmp_path, MEDMENTIONS)
    assert facts(record) == [
        (0, 5, "DCTN4", "T116,T123", ("C4308010",)),
        (23, 38, "cystic fibrosis", "T047", ("UMLS:C0010674",)),
        (39, 47, "Patients", "UnknownType", ("C9999999",)),
    ]
    assert all(record.text[m.start_char : m.end_char] == m.text for m in record.mentions)


def test_read_pubtator_keeps_documents_of_one_identifier_that_follow_each_other(tmp_path):
    text = "1|t|a\n1|a|b\n1\t0\t1\ta\tX\n1|t|c\n1|a|d\n1\t2\t3\td\tX\n"
    first, second = read(tmp_path, text)
    assert (first.text, second.text) == ("a b", "c d")
    assert (first.mentions[0].text, second.mentions[0].text) == ("a", "d")


def read_leniently(tmp_path, text):
    problems = ReadErrors()
    return list(read_pubtator(write(tmp_path, text), problems=problems)), problems


def test_lenient_read_pubtator_skips_malformed_mentions(tmp_path):
    text = b"1|t|abc\n1|a|d\n1\t0\tx\tabc\tA\n1\t0\t3\tabc\tA\n1\t0\t3\t\xff\tA\n9\t0\t3\tabc\tA\n"
    records, problems = read_leniently(tmp_path, text)
    assert [facts(record) for record in records] == [[(0, 3, "abc", "A", ())]]
    assert problems.skipped == {"annotation": 3}
    assert [message.split(": ")[0][-1] for message in problems.messages] == ["3", "5", "6"]


@pytest.mark.parametrize(
    "broken",
    [
        "junk\nmore junk\n1\t0\t3\tabc\tA\n",
        "1|t|abc\n1|a|d\n1|a|e\n1\t0\t3\tabc\tA\n",
        "1|t|abc\n2|a|d\n2\t0\t3\tabc\tA\n",
        b"1|t|ab\xff\n1|a|d\n1\t0\t3\tabc\tA\n",
    ],
)
def test_lenient_read_pubtator_skips_documents_with_malformed_header(tmp_path, broken):
    broken = broken.encode() if isinstance(broken, str) else broken
    records, problems = read_leniently(tmp_path, broken + b"7|t|x\n7|a|y\n")
    assert [record.id for record in records] == ["7"]
    assert problems.skipped == {"document": 1}


def test_lenient_read_pubtator_keeps_whole_document_before_stray_abstract(tmp_path):
    records, problems = read_leniently(tmp_path, "1|t|a\n1|a|b\n2|a|d\n2\t0\t1\td\tA\n")
    assert [(record.id, record.text) for record in records] == [("1", "a b")]
    assert problems.skipped == {"document": 1}


def test_lenient_read_pubtator_refuses_file_without_document(tmp_path):
    with pytest.raises(CorpusError, match="txt:1: found no document"):
        read_leniently(tmp_path, "junk\n")


def test_write_pubtator_gives_back_what_the_format_carries(tmp_path):
    record = Record(
        "a b",
        "Title of\nit. Body\r of it ",
        (
            Mention(0, 5, "A", "other", ("D1", "D2")),
            Mention(0, 5, "A", "other", ("D1", "D2")),
            Mention(0, 14, "B", "", fragments=((0, 5), (12, 14)), attributes=(("n", "v"),)),
            Mention(90, 99, "", ""),
        ),
        sections=(("title", 0, 12), ("abstract", 13, 25)),
        meta={"journal": "J"},
    )
    target = tmp_path / "out.txt"
    write_pubtator([record], target)
    expected = reduce_record(record, FORMAT.carried)
    assert [reduce_record(one, FEATURES) for one in read_pubtator(target)] == [
        replace(
            expected,
            mentions=tuple(
                replace(mention, text=mention.text.replace("\n", " "))
                for mention in expected.mentions
            ),
        )
    ]


def test_write_pubtator_keeps_text_behind_an_empty_abstract(tmp_path):
    record = Record("1", "Title ", sections=(("title", 0, 5), ("abstract", 6, 6)))
    target = tmp_path / "out.txt"
    write_pubtator([record], target)
    assert [one.text for one in read_pubtator(target)] == ["Title "]


def test_write_pubtator_keeps_letters_between_sections(tmp_path):
    record = Record("1", "TitlexBody", sections=(("title", 0, 5), ("abstract", 6, 10)))
    target = tmp_path / "out.txt"
    write_pubtator([record], target)
    assert [one.text for one in read_pubtator(target)] == ["TitlexBody"]


def test_write_pubtator_takes_ids_of_the_record_not_of_a_line_elsewhere(tmp_path):
    mention = Mention(0, 1, "A", "x", ("D2",), line=3)
    record = Record("1", "x", (mention,), reading_notes={"line3.column6": "D1;-1"})
    target = tmp_path / "out.txt"
    write_pubtator([record], target)
    assert next(read_pubtator(target)).mentions[0].concept_ids == ("D2",)


@pytest.mark.parametrize("name", ["", "a|b", "a\tb", "a\nb", " a", "a "])
def test_write_pubtator_refuses_identifier(tmp_path, name):
    with pytest.raises(CorpusError, match="expected an identifier without"):
        write_pubtator([Record(name, "x")], tmp_path / "out.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("mention", "message"),
    [
        (Mention(0, 1, "A\tB"), "found label"),
        (Mention(0, 1, " A"), "found label"),
        (Mention(0, 1, "A", concept_ids=("D1;D2",)), "document 1: found concept ids 'D1;D2'"),
        (Mention(0, 1, "A", concept_ids=("-1",)), "found concept ids '-1'"),
        (Mention(0, 1, "A", concept_ids=("D1|D2", "D3")), "found concept ids"),
        (Mention(-1, 1, "A"), "found offsets -1 and 1"),
    ],
)
def test_write_pubtator_refuses_what_would_be_read_otherwise(tmp_path, mention, message):
    with pytest.raises(CorpusError, match=message):
        write_pubtator([Record("1", "x", (mention,))], tmp_path / "out.txt")


@pytest.mark.parametrize(
    ("name", "documents", "mentions"),
    [("BC5CDR_TrainDev.PubTator", 1000, 18974), ("BC5CDR_Test.PubTator", 500, 9796)],
)
def test_real_aioner_files(data_dir, name, documents, mentions):
    records = list(read_pubtator(data_dir / "corpora" / "downloads" / name))
    assert len(records) == documents
    found = [(record.text, mention) for record in records for mention in record.mentions]
    assert len(found) == mentions
    assert all(text[m.start_char : m.end_char] == m.text for text, m in found)


WHOLE = (
    "1|t|Heart disease\n1|a|x\n"
    "1\t0\t13\tHeart disease\tDisease\tD006331\n1\t0\t5\tHeart\tOrgan\tD006321\n"
)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("1\t6\t13\tdisease\tDis", "found 5 columns and no line end, expected 6 or more as in"),
        ("1\t6\t13\tdisease\t", "found 5 columns and no line end, expected 6 or more as in"),
        ("1\t6\t13\tdisease\tDis\tD", "found label 'Dis' and no line end, expected 'Disease'"),
    ],
)
def test_a_mention_that_was_cut_is_an_error_or_left_out(tmp_path, last, message):
    path = tmp_path / "cut.pubtator"
    path.write_text(WHOLE + last)
    with pytest.raises(CorpusError, match=message) as raised:
        list(read_pubtator(path))
    assert raised.value.line == 5
    problems = ReadErrors()
    (record,) = read_pubtator(path, problems=problems)
    assert (len(record.mentions), problems.skipped) == (2, {"annotation": 1})


@pytest.mark.parametrize("last", ["1\t6\t13\tdisease\tDisease\tD1", "1\t6\t13\tdisease\tSign\tD1"])
def test_a_last_mention_without_line_end_may_be_whole(tmp_path, last):
    path = tmp_path / "whole.pubtator"
    path.write_text(WHOLE + last)
    (record,) = read_pubtator(path)
    assert len(record.mentions) == 3


def test_a_line_end_says_that_a_mention_is_whole(tmp_path):
    path = tmp_path / "whole.pubtator"
    path.write_text(WHOLE + "1\t6\t13\tdisease\tDis\n")
    (record,) = read_pubtator(path)
    assert record.mentions[2].label == "Dis"


def test_real_files_end_with_a_line_end(data_dir):
    files = sorted((data_dir / "corpora").rglob("*.pubtator.txt"))
    assert len(files) == 15
    assert [path for path in files if ends_within_line(path)] == []
