import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.iob_lines import read_iob
from spacy_bioner.errors import CorpusError
from tests import paths

CASES = paths.CASES / "corpora"


def read(tmp_path, text, **settings):
    path = tmp_path / "x.iob"
    path.write_text(text, encoding="utf-8")
    return list(read_iob(path, **settings)), path


def spans(record):
    return [(m.start_char, m.text, m.label) for m in record.mentions]


def test_a_strangers_file_is_detected_and_read():
    path = CASES / "iob_sentence_per_line.iob"
    assert detect_format(path) == "iob"
    (record,) = read_iob(path)
    assert record.text == "I like aspirin ."
    assert spans(record) == [(7, "aspirin", "Chemical")]


@pytest.mark.parametrize(
    ("text", "words", "mentions"),
    [
        ("Renal|B-D failure|I-D .|O\n", "Renal failure .", [(0, "Renal failure", "D")]),
        ("Renal|JJ|I-D failure|NN|I-D\n", "Renal failure", [(0, "Renal failure", "D")]),
        # A bar as a word, and one within a word.
        ("a|O ||O b|B-X\n", "a | b", [(4, "b", "X")]),
        ("||SYM|O a|b|NN|B-X\n", "| a|b", [(2, "a|b", "X")]),
    ],
)
def test_words_with_and_without_a_part_of_speech(tmp_path, text, words, mentions):
    (record,), path = read(tmp_path, text)
    assert detect_format(path) == "iob"
    assert (record.text, spans(record)) == (words, mentions)


def test_document_markers_join_sentences(tmp_path):
    text = "-DOCSTART- -X- O O\n\na|O b|B-X\nc|O d|O\n\n-DOCSTART-|-X-|O\ne|O f|O\n"
    (first, second), _ = read(tmp_path, text)
    assert (first.text, first.sentence_starts, second.text) == ("a b c d", (0, 4), "e f")


def test_one_word_a_line_with_bars_is_a_table(tmp_path):
    path = tmp_path / "x"
    path.write_text("Renal|B-D\nfailure|I-D\n")
    assert detect_format(path) == "csv"


@pytest.mark.parametrize(
    ("word", "message"),
    [("b", "found 'b', expected a word, a bar"), ("b|Q-X", "found tag 'Q-X', .* in 'b|Q-X'")],
)
def test_a_word_without_its_tag_is_an_error_or_left_out(tmp_path, word, message):
    with pytest.raises(CorpusError, match=message) as raised:
        read(tmp_path, f"a|O c|O\na|O {word}\n")
    assert raised.value.line == 2
    problems = ReadErrors()
    (record,), _ = read(tmp_path, f"a|O c|O\na|O {word}\n", problems=problems)
    assert (record.text, problems.skipped) == ("a c", {"document": 1})
