"""spaCy's training JSON before version 3."""

import json

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files.spacy_v2 import read_spacy_v2
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import ReadingNotes, list_counts
from spacy_bioner.errors import CorpusError

RAW = "Aspirin helps. Renal  failure."


def sentence(*pairs):
    tokens = [{"id": i, "orth": orth, "ner": ner} for i, (orth, ner) in enumerate(pairs)]
    return {"tokens": tokens, "brackets": []}


FIRST = sentence(("Aspirin", "U-C"), ("helps", "O"), (".", "O"))
SECOND = sentence(("Renal", "B-D"), ("failure", "L-D"), (".", "O"))


def write(tmp_path, *documents):
    (tmp_path / "x.json").write_text(json.dumps(documents))
    assert detect_format(tmp_path / "x.json") == "spacy_v2"
    return tmp_path / "x.json"


def outline(record):
    return [(m.start_char, m.end_char, m.label, m.text) for m in record.mentions]


def test_tags_are_read_in_the_raw_text(tmp_path):
    paragraph = {"raw": RAW, "sentences": [FIRST, SECOND], "cats": [{"label": "a", "value": 1}]}
    (record,) = read_spacy_v2(write(tmp_path, {"id": 5, "paragraphs": [paragraph]}))
    assert (record.id, record.text) == ("5", RAW)
    assert outline(record) == [(0, 7, "C", "Aspirin"), (15, 29, "D", "Renal  failure")]
    assert record.sentence_starts == (0, 15)
    assert len(record.words) == 6
    assert list_counts(record) == {"document_labels_skipped": 1}


def test_paragraphs_are_documents_of_their_own(tmp_path):
    paragraphs = [{"sentences": [FIRST]}, {"raw": None, "sentences": [SECOND]}]
    path = write(tmp_path, {"id": "a", "paragraphs": paragraphs}, {"id": "b", "paragraphs": []})
    found = list(read_spacy_v2(path))
    assert [(r.id, r.text) for r in found] == [
        ("a-1", "Aspirin helps ."),
        ("a-2", "Renal failure ."),
    ]


def test_entities_are_read_where_no_token_has_a_tag(tmp_path):
    untagged = {"tokens": [{"orth": word} for word in ("Aspirin", "helps", ".")]}
    rows = [[0, 7, "C"], {"start": 15, "end": 29, "label": "D"}]
    paragraphs = [{"raw": RAW, "entities": rows}, {"raw": RAW[:14], "sentences": [untagged]}]
    first, second = read_spacy_v2(write(tmp_path, {"id": 0, "paragraphs": paragraphs}))
    assert outline(first) == [(0, 7, "C", "Aspirin"), (15, 29, "D", "Renal  failure")]
    assert (second.mentions, list_counts(second)) == ((), {})


def test_tokens_that_were_not_annotated_are_counted(tmp_path):
    partly = sentence(("Aspirin", "U-C"), ("helps", "-"), (".", None))
    (record,) = read_spacy_v2(write(tmp_path, {"id": 0, "paragraphs": [{"sentences": [partly]}]}))
    assert outline(record) == [(0, 7, "C", "Aspirin")]
    assert list_counts(record) == {"tags_missing": 2}


def test_words_of_another_text_are_joined_and_warned_of(tmp_path):
    paragraph = {"raw": "Something else.", "sentences": [FIRST]}
    (record,) = read_spacy_v2(write(tmp_path, {"id": "d", "paragraphs": [paragraph]}))
    assert record.text == "Aspirin helps ."
    notes = ReadingNotes()
    notes.add(record)
    assert notes.list_warnings()[0].endswith("(document d)")


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([{"orth": 3}], "found a number .* as 'orth' of a token"),
        ([{"ner": "O"}], "found none as 'orth'"),
        ([3], "found a number .* as a token"),
        ([{"orth": "a", "ner": "X-"}], "found tag 'X-'"),
    ],
)
def test_a_malformed_token_takes_its_document_with_it(tmp_path, tokens, message):
    good = {"id": 0, "paragraphs": [{"sentences": [FIRST]}]}
    path = write(tmp_path, good, {"id": 1, "paragraphs": [{"sentences": [{"tokens": tokens}]}]})
    with pytest.raises(CorpusError, match=message):
        list(read_spacy_v2(path))
    problems = ReadErrors()
    assert [record.id for record in read_spacy_v2(path, problems=problems)] == ["0"]
    assert problems.skipped == {"document": 1}
