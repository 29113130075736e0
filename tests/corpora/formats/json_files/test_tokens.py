"""JSON of words with tags, or with stretches of words."""

import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files.tokens import read_json_tokens
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import list_counts
from spacy_bioner.errors import CorpusError

WORDS = ["Renal", "failure", "in", "rats", "."]
TAGS = ["B-D", "I-D", "O", "B-S", "O"]
FOUND = [(0, 13, "D", "Renal failure"), (17, 21, "S", "rats")]
NAMES = ["O", "B-D", "I-D", "B-S", "I-S"]
NUMBERS = [1, 2, 0, 3, 0]


def write(path, *values, lines=True):
    path.write_text("\n".join(map(json.dumps, values)) if lines else json.dumps(values[0]))
    assert detect_format(path) == "json_tokens"
    return path


def outline(record):
    return [(m.start_char, m.end_char, m.label, m.text) for m in record.mentions]


@pytest.mark.parametrize(
    "value",
    [
        {"tokens": WORDS, "ner_tags": TAGS},
        {"words": WORDS, "ner": TAGS},
        {"tokens": WORDS, "tags": TAGS, "pos_tags": [1, 2, 3, 4, 5]},
        {"words": WORDS, "labels": TAGS},
        {"sentence": WORDS, "labels": TAGS},
        {"text": WORDS, "label": TAGS},
        {"tokens": WORDS, "ner_tags": ["B-D", "E-D", "O", "S-S", "O"]},
        {"tokens": WORDS, "ner_tags": ["B-D", "L-D", "O", "U-S", "O"]},
        {"tokens": WORDS, "ner_tags": ["I-D", "I-D", "O", "I-S", "O"]},
        {"tokens": WORDS, "ner_tags": ["D", "D", "O", "S", "O"]},
        {"data": [{"tokens": WORDS, "ner_tags": TAGS}]},
        {"names": NAMES, "data": [{"tokens": WORDS, "ner_tags": NUMBERS}]},
        {"id2label": dict(enumerate(NAMES)), "data": [{"tokens": WORDS, "ner_tags": NUMBERS}]},
        {
            "label2id": {n: i for i, n in enumerate(NAMES)},
            "x": [{"tokens": WORDS, "tags": NUMBERS}],
        },
        {
            "features": {"ner_tags": {"feature": {"names": NAMES}, "_type": "Sequence"}},
            "data": [{"tokens": WORDS, "ner_tags": NUMBERS}],
        },
        {
            "features": [{"name": "ner_tags", "type": {"feature": {"names": NAMES}}}],
            "rows": [{"row_idx": 0, "row": {"tokens": WORDS, "ner_tags": NUMBERS}}],
        },
        {"tokens": WORDS, "ner_tags": NUMBERS, "label_names": NAMES},
        {"tokens": [WORDS], "ner_tags": [TAGS]},
        {"tokens": [WORDS], "ner_tags": [NUMBERS], "names": NAMES},
        {"tokenized_text": WORDS, "ner": [[0, 1, "D"], [3, 3, "S"]]},
        {"sentences": [WORDS], "ner": [[[0, 1, "D"], [3, 3, "S"]]], "doc_key": "1"},
        {
            "tokens": WORDS,
            "entities": [{"type": "D", "start": 0, "end": 2}, {"type": "S", "start": 3, "end": 4}],
        },
        {"sentence": WORDS, "ner": [{"index": [0, 1], "type": "D"}, {"index": [3], "type": "S"}]},
    ],
)
def test_words_with_tags_or_spans_in_any_form(tmp_path, value):
    (record,) = read_json_tokens(write(tmp_path / "x", value))
    assert (record.text, outline(record)) == (" ".join(WORDS), FOUND)
    assert [record.text[a:b] for a, b in record.words] == WORDS


def test_numbers_without_names_are_refused(tmp_path):
    path = write(tmp_path / "x", {"tokens": WORDS, "ner_tags": NUMBERS})
    message = r"found numbers as 'ner_tags' \(a list \(\[1, 2, 0, 3, 0\]\)\), expected the names"
    for problems in (None, ReadErrors()):
        with pytest.raises(CorpusError, match=message):
            list(read_json_tokens(path, problems=problems))


def test_numbers_may_be_spelled_as_texts(tmp_path):
    value = {"tokens": WORDS, "ner_tags": [str(number) for number in NUMBERS]}
    with pytest.raises(CorpusError, match="found numbers as 'ner_tags'"):
        list(read_json_tokens(write(tmp_path / "x", value)))
    (record,) = read_json_tokens(write(tmp_path / "x", {**value, "label_names": NAMES}))
    assert outline(record) == FOUND


def test_a_number_that_has_no_name(tmp_path):
    value = {"tokens": ["a"], "ner_tags": [9], "names": NAMES}
    with pytest.raises(CorpusError, match=r"found tag a number \(9\), expected one of 5 names"):
        list(read_json_tokens(write(tmp_path / "x", value)))


def test_words_stand_in_the_text_of_the_file_or_as_its_blanks_say(tmp_path):
    text = "Renal  failure\nin rats."
    value = {"id": 3, "text": text, "tokens": WORDS, "ner_tags": TAGS}
    (record,) = read_json_tokens(write(tmp_path / "x", value))
    assert (record.id, record.text) == ("3", text)
    assert outline(record) == [(0, 14, "D", "Renal  failure"), (18, 22, "S", "rats")]
    spaces = [True, True, True, False, False]
    value = {"document": 7, "tokens": WORDS, "trailing_whitespace": spaces, "labels": TAGS}
    (record,) = read_json_tokens(write(tmp_path / "x", value))
    assert (record.text, outline(record)) == ("Renal failure in rats.", FOUND)


def test_sentences_and_relations_of_scierc(tmp_path):
    value = {
        "doc_key": "k",
        "sentences": [["a", "b"], ["c", "d"]],
        "ner": [[[0, 0, "X"]], [[2, 3, "Y"]]],
        "relations": [[], [[0, 0, 2, 3, "R"]]],
        "clusters": [[[0, 0]]],
    }
    (record,) = read_json_tokens(write(tmp_path / "x", value))
    assert (record.id, record.text, record.sentence_starts) == ("k", "a b c d", (0, 4))
    assert outline(record) == [(0, 1, "X", "a"), (4, 7, "Y", "c d")]
    assert list_counts(record) == {"relations_skipped": 2, "not read: clusters": 1}


def test_words_apart_make_a_discontinuous_mention(tmp_path):
    value = {"sentence": WORDS, "ner": [{"index": [0, 3, 4], "type": "D"}]}
    (record,) = read_json_tokens(write(tmp_path / "x", value))
    assert record.mentions[0].fragments == ((0, 5), (17, 23))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"tokens": WORDS, "ner_tags": ["O"]}, "found 1 tags for 5 words, expected as many"),
        ({"tokenized_text": ["a"], "ner": [[0, 3, "x"]]}, "found a span of words 0 to 3, expected"),
        ({"tokenized_text": ["a"], "ner": [[0, "x"]]}, "as a span of words, expected"),
        ({"tokenized_text": ["a"], "ner": [[1, 0, "x"]]}, "found a span of words 1 to 0"),
    ],
)
def test_what_does_not_fit_the_words_is_an_error_or_left_out(tmp_path, value, message):
    path = write(tmp_path / "x", {"tokens": WORDS, "ner_tags": TAGS}, value)
    with pytest.raises(CorpusError, match=message) as error:
        list(read_json_tokens(path))
    assert error.value.line == 2
    problems = ReadErrors()
    first, *rest = read_json_tokens(path, problems=problems)
    assert outline(first) == FOUND
    assert sum(problems.skipped.values()) == 1
    assert all(record.mentions == () for record in rest)


def test_sentences_without_words_are_kept(tmp_path):
    path = write(tmp_path / "x", {"tokens": WORDS, "tags": TAGS}, {"tokens": [], "tags": []})
    assert [record.text for record in read_json_tokens(path)] == [" ".join(WORDS), ""]
