"""Prodigy and spaCy JSON Lines, doccano, Label Studio, Presidio."""

import json
from dataclasses import replace

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.json_files import doccano, jsonl, label_studio
from spacy_bioner.corpora.formats.json_files.bigbio import read_bigbio
from spacy_bioner.corpora.formats.json_files.doccano import read_doccano, write_doccano
from spacy_bioner.corpora.formats.json_files.europepmc import read_europepmc
from spacy_bioner.corpora.formats.json_files.jsonl import read_jsonl, write_jsonl
from spacy_bioner.corpora.formats.json_files.label_studio import (
    read_label_studio,
    write_label_studio,
)
from spacy_bioner.corpora.formats.json_files.presidio import read_presidio
from spacy_bioner.corpora.formats.json_files.spacy_v2 import read_spacy_v2
from spacy_bioner.corpora.formats.json_files.tokens import read_json_tokens
from spacy_bioner.corpora.formats.json_files.uima_cas import read_uima_cas
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.standoff.span_table import read_span_table
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record
from tests.corpora.strategies import damaged, reads_well, records

FUZZ = settings(max_examples=150, deadline=None, derandomize=True)
TEXT = "Naloxone in rats"
NALOXONE = Mention(0, 8, "Chemical", "Naloxone")
RATS = Mention(12, 16, "Species", "rats")
TASK = {
    "id": 7,
    "data": {"text": TEXT, "ward": "A"},
    "annotations": [
        {"was_cancelled": True, "result": []},
        {
            "result": [
                {
                    "id": "x",
                    "type": "labels",
                    "value": {"start": 0, "end": 8, "text": "Naloxone", "labels": ["Chemical"]},
                },
                {"type": "labels", "value": {"start": 12, "end": 16, "labels": ["Species", "Rat"]}},
                {"type": "relation", "from_id": "x", "to_id": "y"},
                {"type": "choices", "value": {"choices": ["good"]}},
            ]
        },
        {"result": [{"type": "labels", "value": {"start": 12, "end": 16, "labels": ["Other"]}}]},
    ],
    "predictions": [{"result": [{"type": "labels"}]}],
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "x.json"


def write(path, *values, array=False):
    lines = [json.dumps(value) for value in values]
    path.write_text(json.dumps(values) if array else "\n".join(lines), encoding="utf-8")


def strip_lines(record):
    mentions = tuple(replace(mention, line=None) for mention in record.mentions)
    return replace(record, mentions=mentions)


def strip(record):
    return reduce_record(record, FEATURES)


@FUZZ
@given(sample=st.lists(records(), min_size=1, max_size=3))
@pytest.mark.parametrize(
    ("module", "reader", "writer"),
    [
        (jsonl, read_jsonl, write_jsonl),
        (doccano, read_doccano, write_doccano),
        (label_studio, read_label_studio, write_label_studio),
    ],
)
def test_written_records_come_back(path, module, reader, writer, sample):
    assert writer(sample, path) == len(sample)
    expected = [strip(reduce_record(record, module.FORMAT.carried)) for record in sample]
    # doccano repeats no texts: in random ones, another unit may seem to fit better.
    settings = {"offsets": "characters"} if module is doccano else {}
    assert [strip(record) for record in reader(path, **settings)] == expected


@pytest.mark.parametrize("array", [False, True])
def test_prodigy_tasks(path, array):
    task = {
        "text": TEXT,
        "spans": [{"start": 0, "end": 8, "label": "Chemical", "token_start": 0, "token_end": 0}],
        "tokens": [
            {"text": "Naloxone", "start": 0, "end": 8, "id": 0, "ws": True},
            {"text": "in", "start": 9, "end": 11, "id": 1, "ws": True},
        ],
        "meta": {"source": "x", "score": 0.5},
        "_input_hash": 1,
        "answer": "accept",
    }
    write(path, task, {"text": "no", "answer": "reject"}, {"text": "b", "spans": []}, array=array)
    first, second = read_jsonl(path)
    assert first.mentions[0].line == 1
    assert strip_lines(first) == Record(
        "1",
        TEXT,
        (NALOXONE,),
        words=((0, 8), (9, 11)),
        meta={"source": "x", "score": "0.5"},
        reading_notes={"rejected_skipped": 1},
    )
    assert (second.id, second.text) == ("3", "b")


def test_docs_as_spacy_writes_them(path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp("Naloxone  works. Rats live.")
    doc.set_ents([doc.char_span(0, 8, "Chemical")])
    rats = doc.char_span(17, 21, "Species", kb_id="9606")
    doc.spans["sc"] = [doc.char_span(0, 8, "Chemical"), rats]
    write(path, doc.to_json())
    record = strip_lines(next(read_jsonl(path)))
    assert record.mentions == (
        NALOXONE,
        Mention(17, 21, "Species", "Rats", ("9606",)),
    )
    assert record.sentence_starts == (0, 17)
    assert [record.text[a:b] for a, b in record.words] == [
        t.text for t in doc if not t.text.isspace()
    ]


@pytest.mark.parametrize("array", [False, True])
def test_training_tuples(path, array):
    write(path, [TEXT, {"entities": [[0, 8, "Chemical"]]}], ["b", {}], array=array)
    first, second = map(strip_lines, read_jsonl(path))
    assert (first.mentions, second.mentions) == ((NALOXONE,), ())


@pytest.mark.parametrize(
    "spans",
    [
        {"label": [[0, 8, "Chemical"], [12, 16, "Species"]]},
        {"labels": [[0, 8, "Chemical"], [12, 16, "Species"]]},
        {
            "entities": [
                {"id": 1, "label": "Chemical", "start_offset": 0, "end_offset": 8},
                {"id": 2, "label": "Species", "start_offset": 12, "end_offset": 16},
            ]
        },
    ],
)
def test_doccano_spans(path, spans):
    write(path, {"id": 3, "text": TEXT, **spans, "relations": [{"id": 1}], "ward": "A"})
    record = strip_lines(next(read_doccano(path)))
    notes = {"relations_skipped": 1}
    expected = Record("3", TEXT, (NALOXONE, RATS), meta={"ward": "A"}, reading_notes=notes)
    assert record == expected


def test_doccano_labels_of_documents_are_counted(path):
    write(path, {"data": TEXT, "label": ["good", "long"]})
    (record,) = read_doccano(path)
    assert record == Record("1", TEXT, reading_notes={"document_labels_skipped": 2})


def test_label_studio_takes_the_first_annotation_that_was_not_cancelled(path):
    write(path, TASK, array=True)
    record = strip_lines(next(read_label_studio(path)))
    assert record == Record(
        "7",
        TEXT,
        (NALOXONE, RATS, Mention(12, 16, "Rat", "rats")),
        meta={"ward": "A"},
        reading_notes={"annotations_skipped": 2, "relations_skipped": 1, "regions_skipped": 1},
    )


@pytest.mark.parametrize(
    ("annotation", "labels"), [("all", ["Chemical", "Species", "Rat", "Other"]), (2, ["Other"])]
)
def test_label_studio_takes_the_annotation_asked_for(path, annotation, labels):
    write(path, TASK, array=True)
    (record,) = read_label_studio(path, annotation=annotation)
    assert [mention.label for mention in record.mentions] == labels


def test_label_studio_short_form_and_text_key(path):
    label = [{"start": 0, "end": 8, "text": "Naloxone", "labels": ["Chemical"]}]
    write(path, {"id": 2, "note": TEXT, "label": label, "annotator": 1}, array=True)
    record = strip_lines(next(read_label_studio(path, text_key="note")))
    assert record == Record("2", TEXT, (NALOXONE,))


def test_label_studio_offsets_in_utf16_units_are_told_by_the_text(path):
    text = "\U0001f400 rats \U0001f400 rats"
    spans = [(3, 7, "rats"), (11, 15, "rats"), (2, 6, "rats"), (9, 13, "rats"), (8, 12, "cats")]
    regions = [
        {"type": "labels", "value": {"start": a, "end": b, "text": t, "labels": ["S"]}}
        for a, b, t in spans
    ]
    write(path, {"id": 1, "data": {"text": text}, "annotations": [{"result": regions}]}, array=True)
    (record,) = read_label_studio(path)
    assert [(m.start_char, m.end_char) for m in record.mentions] == [
        (2, 6),
        (9, 13),
        (2, 6),
        (9, 13),
        (8, 12),
    ]


def test_label_studio_tasks_without_an_annotation_that_counts_are_left_out(path):
    cancelled = {"data": {"text": "x"}, "annotations": [{"was_cancelled": True, "result": []}]}
    write(path, cancelled, TASK, {"data": {"text": "y"}, "annotations": []}, array=True)
    (record,) = read_label_studio(path)
    assert (record.text, record.reading_notes["rejected_skipped"]) == (TEXT, 2)


@pytest.mark.parametrize(
    ("read", "document"),
    [
        (read_jsonl, {"text": "ab", "spans": [{"start": 0}, {"start": 0, "end": 1, "label": "X"}]}),
        (read_jsonl, ["ab", {"entities": [[0, 1], [0, 1, "X"]]}]),
        (read_doccano, {"text": "ab", "label": [[0, 1, "X"], [0, None, "X"]]}),
        (
            read_label_studio,
            {"text": "ab", "label": [{"start": 0, "end": 1, "labels": ["X"]}, {"labels": 3}]},
        ),
        (
            read_presidio,
            {
                "full_text": "ab",
                "spans": [
                    {"entity_type": "X", "start_position": 0, "end_position": 1},
                    {"entity_type": "X", "start_position": 0},
                ],
            },
        ),
    ],
)
def test_a_malformed_span_is_left_out_alone(path, read, document):
    write(path, document)
    with pytest.raises(CorpusError, match="found"):
        list(read(path))
    problems = ReadErrors()
    (record,) = read(path, problems=problems)
    assert [mention.label for mention in record.mentions] == ["X"]
    assert problems.skipped == {"annotation": 1}


def test_presidio_sentences(data_dir):
    folder = data_dir / "corpora" / "deid_synthetic"
    found = list(read_presidio(folder / "presidio_synth_dataset_v2.json"))
    assert len(found) == 1500
    assert sum(len(record.mentions) for record in found) == 2863
    assert all(
        record.text[m.start_char : m.end_char] == m.text
        for record in found
        for m in record.mentions
    )


READERS = {
    read_jsonl: {"text": "ab", "spans": [{"start": 0, "end": 1, "label": "X"}], "meta": {"a": 1}},
    read_doccano: {"id": 1, "text": "ab", "label": [[0, 1, "X"]], "relations": []},
    read_label_studio: TASK,
    read_presidio: {
        "full_text": "ab",
        "spans": [{"entity_type": "X", "start_position": 0, "end_position": 1}],
    },
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("value", [1, [], {}, {"text": 1}, {"text": "\ud800"}, None, "x"])
def test_what_is_no_document_is_an_error_or_left_out(path, read, value):
    write(path, READERS[read], value, READERS[read])
    if value == {} and read is read_jsonl:
        value = {"text": None}
    with pytest.raises(CorpusError, match="found") as raised:
        list(read(path))
    assert (raised.value.path, raised.value.line) == (str(path), 2)
    problems = ReadErrors()
    assert len(list(read(path, problems=problems))) == 2
    assert problems.skipped == {"document": 1}


MORE_READERS = {
    **READERS,
    read_json_tokens: {"tokens": ["a", "b"], "ner_tags": ["B-X", "O"], "id": "1"},
    read_spacy_v2: {
        "id": 0,
        "paragraphs": [{"raw": "a b", "sentences": [{"tokens": [{"orth": "a", "ner": "U-X"}]}]}],
    },
    read_bigbio: {
        "document_id": "1",
        "passages": [{"type": "t", "text": ["ab"], "offsets": [[0, 2]]}],
        "entities": [{"type": "X", "text": ["a"], "offsets": [[0, 1]], "normalized": []}],
    },
    read_uima_cas: {
        "%FEATURE_STRUCTURES": [
            {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaString": "ab"},
            {"%ID": 2, "%TYPE": "x.NamedEntity", "begin": 0, "end": 1, "value": "X"},
            {"%ID": 3, "%TYPE": "x.Token", "begin": 0, "end": 2},
        ]
    },
    read_europepmc: {"extId": "1", "annotations": [{"exact": "a", "type": "X", "prefix": "b"}]},
}


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("read", MORE_READERS)
def test_any_bytes_give_records_or_an_error(path, read, data):
    line = json.dumps(MORE_READERS[read]).encode()
    samples = (line, line + b"\n" + line, b"[" + line + b",\n" + line + b"]")
    path.write_bytes(data.draw(st.binary(max_size=60) | damaged(*samples)))
    assert reads_well(read(path), path)


# Everything that a key of a document can be by mistake.
ODD = (
    *(None, True, 0, -1, 2.5, "x", "", "\ud800"),
    *([], {}, [[]], [{}], [None], {"a": []}, [0, 1, "X"]),
)


@pytest.mark.parametrize("read", MORE_READERS)
def test_any_value_under_any_key_gives_records_or_an_error(path, read):
    for place in list_places(MORE_READERS[read]):
        for value in ODD:
            write(path, put(MORE_READERS[read], place, value), MORE_READERS[read])
            assert reads_well(read(path), path)
            problems = ReadErrors()
            assert reads_well(read(path, problems=problems), path)


def detect(path):
    yield detect_format(path)


@pytest.mark.parametrize("read", MORE_READERS)
def test_any_value_under_any_key_gives_a_format_or_an_error(path, read):
    for place in list_places(MORE_READERS[read]):
        for value in ODD:
            write(path, put(MORE_READERS[read], place, value))
            assert reads_well(detect(path), path)


@FUZZ
@given(data=st.data())
def test_any_table_gives_records_or_an_error(path, data):
    table = b'text,label\r\nab,"[[0, 1, ""X""]]"\r\n"a\nb","[(0, 1, \'X\')]"\r\n'
    path.write_bytes(data.draw(st.binary(max_size=60) | damaged(table)))
    assert reads_well(read_span_table(path, encoding="utf-8"), path)


def list_places(value, place=()):
    """List the paths of keys to everything in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(*place, key) for key, _ in items]
    for key in list(found):
        inner = value[key[-1]]
        if isinstance(inner, (dict, list)):
            found += list_places(inner, key)
    return found


def put(value, place, new):
    """Return a copy of a value with another at a path of keys."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return copy
