from dataclasses import replace

import pytest

from spacy_bioner.corpora.pubtator import read_pubtator, split_concept_ids, write_pubtator
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
    return replace(record, mentions=mentions, meta={})


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
    meta = read(tmp_path, GOOD)[0].meta
    assert meta["line3.column7"] == "renal toxicity|auditory toxicity"
    assert meta["relations_skipped"] == "1"


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
    assert record.meta == {"relations_skipped": "1"}


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
    with pytest.raises(CorpusError, match="found no document"):
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
