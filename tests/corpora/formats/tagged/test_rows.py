import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.rows import (
    Sentence,
    document_id,
    find_conflict,
    make_records,
    tagged_words,
)
from spacy_bioner.corpora.formats.tagged.scheme_detection import TagSurvey
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.lines import decode_line, open_lines
from spacy_bioner.tags import detect_scheme


def survey(*sentences):
    found = TagSurvey()
    for tags in sentences:
        found.add(["", *tags.split(), ""])
    return found


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["B-X I-X O", "B-X"], "IOB2"),
        (["I-X B-X O", "I-X"], "IOB1"),
        (["I-X O", "B-X I-X"], "IOB2"),
        (["I-X I-Y O"], "IO"),
        (["B-X E-X O"], "BIOES"),
        (["B-X L-X O"], "BILOU"),
        (["O"], "IOB2"),
    ],
)
def test_tag_survey_tells_the_scheme_as_detect_scheme_does(sentences, scheme):
    assert survey(*sentences).choose_scheme() == scheme
    assert detect_scheme([tags.split() for tags in sentences]) == scheme


def test_tag_survey_lenient_takes_the_scheme_with_fewest_repairs():
    found = survey("B-X L-X", "U-X", "B-X E-X")
    with pytest.raises(LabelError, match="expected those of one scheme"):
        found.choose_scheme()
    assert found.choose_scheme(lenient=True) == "BILOU"


def test_find_conflict_gives_the_line_that_adds_a_foreign_prefix():
    first = Sentence(["a", "b"], ["B-X", "E-X"], [3, 4])
    second = Sentence(["c", "d"], ["O", "L-X"], [6, 8])
    assert find_conflict(["name", first, second]) == 8


def test_decode_line_drops_line_ends_and_names_bad_bytes():
    assert decode_line(b"a\r\r\n") == ("a\r", "")
    text, problem = decode_line(b"caf\xe9\n")
    assert text == "caf\ufffd"
    assert problem.startswith("found byte 0xe9 at column 4, expected UTF-8 text")
    assert decode_line(b"caf\xe9\n", "cp1252") == ("caf\u00e9", "")


def test_open_lines_drops_byte_order_mark_and_refuses_utf16(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfa\n\xef\xbb\xbfb")
    with open_lines(path) as lines:
        assert list(lines) == [b"a\n", b"\xef\xbb\xbfb"]
    path.write_text("a", encoding="utf-16")
    with pytest.raises(CorpusError, match="found UTF-16 text"), open_lines(path):
        pass


def test_make_records_numbers_what_it_leaves_out_as_well():
    bad = Sentence(error=CorpusError("bad", path="x.tsv", line=2))
    items = [Sentence(["a"], ["O"], [1]), bad, Sentence(["b"], ["O"], [4])]
    problems = ReadErrors()
    records = make_records(items, "x.tsv", scheme="IOB2", has_documents=False, problems=problems)
    assert [record.id for record in records] == ["x-1", "x-3"]
    assert problems.messages == ["x.tsv:2: bad"]


def test_make_records_reads_long_mentions():
    tags = ["B-X", *["I-X"] * 40, "O", "B-X"]
    words = [f"w{n}" for n in range(len(tags))]
    sentence = Sentence(words, tags, list(range(1, len(tags) + 1)))
    (record,) = make_records([sentence], "x", scheme="IOB2", has_documents=False, problems=None)
    assert [(m.line, len(m.text.split())) for m in record.mentions] == [(1, 41), (43, 1)]
    assert all(record.text[m.start_char : m.end_char] == m.text for m in record.mentions)


def test_tagged_words_leaves_white_space_out_but_keeps_its_sentence_border():
    words = ["Renal", " ", "failure", "\n", "NaCl", "a\tb"]
    doc = Doc(Vocab(), words=words, sent_starts=[True, False, False, True, False, False])
    doc.set_ents([Span(doc, 0, 3, "D")])
    assert tagged_words(doc, "IOB2", "1") == [
        (True, "Renal", "B-D"),
        (False, "failure", "I-D"),
        (True, "NaCl", "O"),
        (False, "a b", "O"),
    ]


def test_tagged_words_refuses_labels_with_white_space_around():
    doc = Doc(Vocab(), words=["a"])
    doc.set_ents([Span(doc, 0, 1, "D ")])
    with pytest.raises(CorpusError, match="document 7: found label 'D '"):
        tagged_words(doc, "IOB2", "7")


def test_document_id_is_what_align_left_or_the_number():
    doc = Doc(Vocab(), words=["a"])
    assert document_id(doc, 3) == "3"
    doc.user_data["bioner_id"] = "227508"
    assert document_id(doc, 3) == "227508"


ROWS = (
    "We/O gave/O aspirin/B-C ./O It/O did/O not/O help/O E./B-X coli/I-X ./O "
    "The/B-D man/I-D ./I-D The/I-D end/O ./O"
)
SENTENCES = ["We gave aspirin .", "It did not help E. coli .", "The man . The end ."]


def write_rows(tmp_path, separator, header="", rows=ROWS, last="\n"):
    path = tmp_path / ("x.csv" if separator == "," else "x.conll")
    path.write_text(header + rows.replace("/", separator).replace(" ", "\n") + last)
    return path


@pytest.mark.parametrize(
    ("separator", "header"), [(",", "word,tag\n"), (",", ""), ("\t", ""), (" ", "")]
)
@pytest.mark.parametrize("last", ["", "\n", "\n\n\n"])
def test_without_borders_sentences_are_those_of_the_text(tmp_path, separator, header, last):
    if separator == " ":
        path = tmp_path / "x.conll"
        path.write_text("\n".join(ROWS.split(" ")).replace("/", " ") + last)
    else:
        path = write_rows(tmp_path, separator, header, last=last)
    records = list(read_records(path))
    assert [record.text for record in records] == SENTENCES
    # No border parts a mention.
    assert [m.text for r in records for m in r.mentions] == ["aspirin", "E. coli", "The man . The"]
    assert [m.line for r in records for m in r.mentions] == [n + bool(header) for n in (3, 9, 12)]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_with_blank_lines_these_are_the_borders(tmp_path, separator):
    rows = ROWS.replace(" The/B-D", "  The/B-D")
    path = write_rows(tmp_path, separator, "word,tag\n" if separator == "," else "", rows)
    assert [r.text for r in read_records(path)] == [" ".join(SENTENCES[:2]), SENTENCES[2]]


def test_documents_without_borders_of_sentences_get_some(tmp_path):
    path = tmp_path / "x.csv"
    rows = [f"{1 + (n > 10)},{row.replace('/', ',')}" for n, row in enumerate(ROWS.split())]
    path.write_text("doc,word,tag\n" + "\n".join(rows) + "\n")
    first, second = read_records(path)
    assert (first.id, first.sentence_starts) == ("1", (0, 18))
    assert (second.id, second.text, second.sentence_starts) == ("2", SENTENCES[2], (0,))


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_malformed_row_takes_its_own_sentence_only(tmp_path, separator):
    rows = ROWS.replace("did/O", "did/?").replace("end/O", "end/!")
    path = write_rows(tmp_path, separator, "word,tag\n" if separator == "," else "", rows)
    problems = ReadErrors()
    assert [r.text for r in read_records(path, problems=problems)] == SENTENCES[:1]
    assert problems.skipped == {"document": 2}
