"""Small JSON files and tables as other tools write them, each one member of a kind."""

import pytest

from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.reading_notes import ReadingNotes, list_counts
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError
from tests import paths

CASES = paths.CASES / "corpora"
ASPIRIN = (8, 15, "Chemical", "aspirin")


def read(name):
    path = CASES / name
    return detect_format(path), list(read_records(path, notes=ReadingNotes()))


def outline(record):
    return [(m.start_char, m.end_char, m.label, m.text) for m in record.mentions]


@pytest.mark.parametrize(
    ("name", "format", "mentions"),
    [
        ("acharya_spacy.json", "jsonl", [(8, 15, "CHEMICAL", "aspirin")]),
        ("annotations_key.jsonl", "jsonl", [ASPIRIN]),
        ("bern2.json", "jsonl", [(8, 15, "drug", "aspirin")]),
        ("bigbio_kb.json", "bigbio", [ASPIRIN]),
        ("dataturks.json", "jsonl", [ASPIRIN]),
        ("doccano4.jsonl", "doccano", [ASPIRIN]),
        ("doccano_grapheme.jsonl", "doccano", [(13, 19, "D", "asthma")]),
        (
            "doccano_utf16.jsonl",
            "doccano",
            [(15, 21, "Disease", "asthma"), (27, 37, "Chemical", "salbutamol")],
        ),
        (
            "doccano_utf16_many.jsonl",
            "doccano",
            [(22, 28, "Disease", "asthma"), (34, 44, "Chemical", "salbutamol")],
        ),
        ("ents_dicts.jsonl", "jsonl", [ASPIRIN]),
        ("europepmc.json", "europepmc", [(8, 15, "Chemicals", "aspirin")]),
        ("gliner.json", "json_tokens", [(8, 15, "chemical", "aspirin")]),
        ("hf_tokens.jsonl", "json_tokens", [ASPIRIN]),
        ("kaggle_corona2.json", "jsonl", [(8, 15, "Medicine", "aspirin")]),
        ("ls_export.csv", "span_table", [ASPIRIN]),
        ("ls_hypertext.json", "label_studio", []),
        ("ls_min_texts.json", "label_studio", [ASPIRIN]),
        ("prodigy_emoji.jsonl", "jsonl", [(2, 8, "D", "asthma")]),
        ("prodigy_rel.jsonl", "jsonl", [(8, 15, "C", "aspirin"), (19, 23, "S", "rats")]),
        ("sentence_key.jsonl", "jsonl", [ASPIRIN]),
        ("spacy_v2.json", "spacy_v2", [ASPIRIN]),
        ("training_compact.json", "jsonl", [ASPIRIN]),
        ("training_pretty.json", "jsonl", [ASPIRIN]),
    ],
)
def test_a_file_of_another_tool_is_told_and_read(name, format, mentions):
    found, (record,) = read(name)
    assert (found, outline(record)) == (format, mentions)


def test_what_else_the_files_say_is_kept():
    (bern2,) = read("bern2.json")[1]
    assert bern2.mentions[0].concept_ids == ("mesh:D001241",)
    assert bern2.mentions[0].attributes == (("is_neural_normalized", "false"), ("prob", "0.99"))
    assert bern2.meta == {"timestamp": "Thu Jan 01 00:00:00 2026"}
    assert read("kaggle_corona2.json")[1][0].id == "18c2"
    assert read("bigbio_kb.json")[1][0].id == "d1"
    assert read("europepmc.json")[1][0].text == "We gave aspirin to rats"
    counts = {"relations_skipped": 1, "document_labels_skipped": 2}
    assert list_counts(read("prodigy_rel.jsonl")[1][0]) == counts


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("doccano_1795.jsonl", "found JSON with the keys id, data, label, expected a format"),
        ("pubtator3_error.json", "found JSON with the keys detail, expected a format"),
        (
            "ls_predictions_only.json",
            "1 with predictions, but no task has an annotation that counts; predictions are not",
        ),
        ("ls_hypertext_labels.json", "found a text .* as 'start' of a region, expected a number"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(name, message):
    with pytest.raises(CorpusError, match=message) as error:
        read(name)
    assert (error.value.path, error.value.line) == (str(CASES / name), 1)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("textcat.csv", "no mention in any document: keys not read: label"),
        (
            "ls_hypertext.json",
            "no mention in any document: left out: regions that are no text spans 1",
        ),
        ("europepmc.json", "the file has no texts: each mention is a document made of"),
        ("doccano_grapheme.jsonl", "offsets were taken as grapheme clusters, which fit the text"),
    ],
)
def test_what_may_be_wrong_is_warned_of(name, warning):
    notes = ReadingNotes()
    for record in read(name)[1]:
        notes.add(record)
    (found,) = notes.list_warnings()
    assert found.startswith(warning)
