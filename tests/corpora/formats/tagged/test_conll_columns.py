import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.tagged.conll import ConllLayout, read_conll
from spacy_bioner.corpora.formats.tagged.conll_columns import (
    find_columns,
    looks_like_conll,
    sample_rows,
)
from spacy_bioner.errors import CorpusError


def read(tmp_path, text, **layout):
    path = tmp_path / "x.conll"
    path.write_text(text, encoding="utf-8")
    return list(read_conll(path, ConllLayout(**layout))), path


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Aspirin B-C +", "helps O +", "rats O -", ". O +"], (0, 1, 2)),
        # The mark for a space before the tag, and behind more columns.
        (["Aspirin + B-C", "helps - O"], (0, 2, 1)),
        (["Aspirin NN B-C +", "helps VB O +"], (0, 2, 3)),
        # Running numbers, from 0 or 1, in front.
        (["1 Aspirin B-C", "2 helps O", "", "1 No O"], (1, 2, None)),
        (["0 Aspirin NN B-C +", "1 helps VB O +"], (1, 3, 4)),
        # Names or numbers of documents and sentences in front.
        (["d1 Aspirin B-C", "d1 helps O", "d1 . O"], (1, 2, None)),
        (["1 Aspirin B-C", "1 helps O", "", "2 No O", "2 use O"], (1, 2, None)),
        (["d 1 1 We NN O", "d 1 2 do VB O", "", "d 2 1 So NN O", "d 2 2 do VB O"], (3, 5, None)),
        # A word that comes twice names nothing.
        (["so RB O", "so RB O"], (0, -1, None)),
        (["so RB O", "so RB O", "it PR O", "is VB O"], (0, -1, None)),
        # Tags in front.
        (["B-C Aspirin", "O helps"], (1, 0, None)),
        (["EU NNP B-NP B-ORG", "rejects VBZ B-VP O"], (0, -1, None)),
        # Hyphens alone are no marks; numbers that do not count are words.
        (["a - O", "b - B-C"], (0, -1, None)),
        (["1 NN O", "7 NN O"], (0, -1, None)),
        (["a O", "b NN O"], (0, -1, None)),
    ],
)
def test_columns_are_told_by_all_lines(lines, expected):
    word, tag, space = find_columns(sample_rows(lines))
    width = len(lines[0].split())
    assert (word, tag % width, space) == (expected[0], expected[1] % width, expected[2])


def test_the_mark_of_spaces_makes_the_text(tmp_path):
    text = "Renal\tB-D\t+\nfailure\tI-D\t-\n.\tO\t+\n\nIL\tB-G\t-\n-\tI-G\t-\n2\tI-G\t-\n"
    (first, second), path = read(tmp_path, text)
    assert detect_format(path) == "conll"
    assert (first.text, second.text) == ("Renal failure.", "IL-2")
    assert [m.text for r in (first, second) for m in r.mentions] == ["Renal failure", "IL-2"]
    assert first.words == ((0, 5), (6, 13), (13, 14))


def test_the_mark_of_spaces_counts_at_the_end_of_sentences_too(tmp_path):
    text = "# doc_id = 7\nA\tO\t+\n.\tO\t-\n\nB\tB-X\t-\n.\tO\t+\n"
    (record,), _ = read(tmp_path, text)
    assert record.text == "A .B."
    assert record.sentence_starts == (0, 3)
    assert [(m.start_char, m.end_char) for m in record.mentions] == [(3, 4)]


def test_another_mark_of_spaces_is_an_error(tmp_path):
    lines = "a\tO\t+\n" * 1000
    with pytest.raises(CorpusError, match=r":1001: found '\?' in the column of spaces"):
        read(tmp_path, f"{lines}b\tO\t?\n")


def test_named_columns_are_taken_as_they_are(tmp_path):
    (record,), _ = read(tmp_path, "1 a O\n2 b B-X\n", word_column=0)
    assert record.text == "1 2"
    (record,), _ = read(tmp_path, "a B-X +\nb O -\n", tag_column=1)
    assert (record.text, [m.text for m in record.mentions]) == ("a b", ["a"])


@pytest.mark.parametrize(
    ("text", "is_conll"),
    [
        ("a\tO\n", True),
        ("-DOCSTART- -X- O\n", True),
        ("a O +\nb O -\n", True),
        ("a b c\n", False),
        ("a\tO\t+ -\n", False),
        ("word\n", False),
    ],
)
def test_detection_and_reader_have_one_idea(text, is_conll):
    assert looks_like_conll(text.splitlines()) == is_conll


@pytest.mark.parametrize(
    "heading",
    [
        "# id 52-39\tdomain=en",
        "# doc 1",
        "#begin document (a/b); part 000",
        "# Sentence 1",
        "## Text",
    ],
)
def test_lines_that_name_what_follows_are_no_tokens(tmp_path, heading):
    records, path = read(tmp_path, f"{heading}\nAspirin B-C\nhelps O\n\n{heading}\n\nNo O\n")
    assert [record.text for record in records] == ["Aspirin helps", "No"]
    assert detect_format(path) == "conll"


def test_a_number_sign_with_a_tag_is_a_token(tmp_path):
    records, _ = read(tmp_path, "# SYM O\nid NN O\n\n#id B-C\n")
    assert [record.text for record in records] == ["# id", "#id"]
