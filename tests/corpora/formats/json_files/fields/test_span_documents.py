"""Documents of JSON: texts and spans under many names, and what else stands in them."""

import json

import pytest

from spacy_bioner.corpora.formats.json_files.fields.span_documents import find_words
from spacy_bioner.corpora.formats.json_files.jsonl import read_jsonl
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import ReadingNotes, list_counts
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError

TEXT = "We gave aspirin to rats."
SPAN = {"start": 8, "end": 15, "label": "C"}
ROWS = [[8, 15, "C"], [19, 23, "S"]]


def read(tmp_path, value, **options):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    (record,) = read_records(path, options=options, notes=ReadingNotes())
    return record


def labels(record):
    return [(mention.text, mention.label) for mention in record.mentions]


BOTH = [("aspirin", "C"), ("rats", "S")]


@pytest.mark.parametrize(
    "key",
    [
        "text",
        "sentence",
        "content",
        "raw",
        "data",
        "body",
        "document",
        "full_text",
        "note",
        "input",
    ],
)
def test_texts_under_many_names(tmp_path, key):
    record = read(tmp_path, {key: TEXT, "entities": [SPAN]})
    assert (record.text, labels(record)) == (TEXT, [("aspirin", "C")])


@pytest.mark.parametrize(
    "key",
    [
        "spans",
        "entities",
        "ents",
        "label",
        "labels",
        "annotations",
        "annotation",
        "denotations",
        "mentions",
        "ner",
        "named_entities",
        "spans_of_my_own",
    ],
)
@pytest.mark.parametrize("rows", [False, True])
def test_spans_under_many_names(tmp_path, key, rows):
    spans = ROWS if rows else [{"start": a, "end": b, "label": label} for a, b, label in ROWS]
    assert labels(read(tmp_path, {"text": TEXT, key: spans})) == BOTH


@pytest.mark.parametrize(
    "value",
    [
        [TEXT, {"entities": ROWS}],
        [TEXT, ROWS],
        {"text": TEXT, "annotations": {"entities": ROWS}},
        {"text": TEXT, "entities": {"C": [[8, 15]], "S": [{"start": 19, "end": 23}]}},
        {"text": TEXT, "annotation": [["C", 8, 15], ["S", 19, 23]], "tokens": TEXT.split()},
        {"text": TEXT, "entities": [["T1", "C", [[8, 15]]], ["T2", "S", [[19, 23]]]]},
        {
            "source": TEXT,
            "job": {
                "annotations": {
                    "entities": [
                        {"startOffset": 8, "endOffset": 15, "label": "C"},
                        {"startOffset": 19, "endOffset": 23, "label": "S"},
                    ]
                }
            },
        },
        {
            "document": TEXT,
            "tokens": [
                {"text": "aspirin", "start": 8, "end": 15, "entityLabel": "C"},
                {"text": "rats", "start": 19, "end": 23, "entityLabel": "S"},
            ],
        },
        {
            "text_snippet": {"content": TEXT},
            "annotations": [
                {
                    "text_extraction": {"text_segment": {"start_offset": a, "end_offset": b}},
                    "display_name": label,
                }
                for a, b, label in ROWS
            ],
        },
        {
            "text": TEXT,
            "annotations": {"entities": ROWS, "relations": [{"head": 0}], "version": 2},
        },
        {
            "text": TEXT,
            "entities": {
                "T1": {"start": 8, "end": 15, "label": "C"},
                "T2": {"begin": 19, "end": 23, "type": "S"},
            },
        },
        {
            "Text": TEXT,
            "Annotations": [
                {"Start": 8, "End": 15, "Label": "C"},
                {"START_OFFSET": 19, "end-offset": 23, "entity type": "S"},
            ],
        },
        {
            "text": TEXT,
            "entities": ROWS[:1],
            "spans": [SPAN, {"start": 19, "end": 23, "label": "S"}],
        },
    ],
)
def test_documents_of_many_tools(tmp_path, value):
    assert labels(read(tmp_path, value)) == BOTH


def test_bern2_as_it_came_and_with_what_it_has_since(tmp_path):
    annotations = [
        {"id": ["CUI-less"], "is_neural_normalized": False, "prob": 0.5, "mention": "aspirin",
         "obj": "drug", "span": {"begin": 8, "end": 15}},
        {"id": ["NCBITaxon:10116"], "mention": "rats", "obj": "species", "prob": 0.9,
         "mutationType": "x", "normalizedName": "Rattus", "span": {"begin": 19, "end": 23}},
    ]  # fmt: skip
    value = {"_id": {"$oid": "ff"}, "pmid": "12", "text": TEXT, "annotations": annotations}
    record = read(tmp_path, value)
    assert record.id == "12"
    assert [m.concept_ids for m in record.mentions] == [(), ("NCBITaxon:10116",)]
    assert record.mentions[1].attributes == (
        ("prob", "0.9"),
        ("mutationType", "x"),
        ("normalizedName", "Rattus"),
    )


PUBANNOTATION = {
    "target": "https://pubannotation.org/docs/sourcedb/PubMed/sourceid/123",
    "sourcedb": "PubMed",
    "sourceid": "123",
    "text": TEXT,
    "project": "trial",
    "denotations": [
        {"id": "T1", "span": {"begin": 8, "end": 15}, "obj": "C"},
        {"id": "T2", "span": [{"begin": 0, "end": 2}, {"begin": 19, "end": 23}], "obj": "S"},
    ],
    "attributes": [{"id": "A1", "subj": "T1", "pred": "negated", "obj": True}],
    "modifications": [{"id": "M1", "pred": "Speculation", "obj": "T2"}],
    "relations": [{"id": "R1", "pred": "to", "subj": "T1", "obj": "T2"}],
    "blocks": [{"id": "B1", "span": {"begin": 0, "end": 24}, "obj": "sentence"}],
    "namespaces": [{"prefix": "_base", "uri": "https://example.org"}],
}


def test_pubannotation(tmp_path):
    record = read(tmp_path, PUBANNOTATION)
    assert record.id == "123"
    first, second = record.mentions
    assert first.attributes == (("negated", "true"),)
    assert (second.fragments, second.attributes) == (((0, 2), (19, 23)), (("Speculation", "true"),))
    assert record.meta == {"project": "trial"}
    assert list_counts(record) == {"relations_skipped": 1, "blocks_skipped": 1}


def test_pubannotation_with_tracks_keeps_ids_of_each_apart(tmp_path):
    def track(name, start, end, label):
        span = {"begin": start, "end": end}
        return {
            "project": name,
            "denotations": [{"id": "T1", "span": span, "obj": label}],
            "attributes": [{"subj": "T1", "pred": "by", "obj": name}],
            "relations": [{"id": "R1"}],
        }

    value = {"sourcedb": "PMC", "sourceid": "9", "divid": 3, "text": TEXT}
    record = read(tmp_path, {**value, "tracks": [track("a", 8, 15, "C"), track("b", 19, 23, "S")]})
    assert (record.id, labels(record)) == ("PMC:9-3", BOTH)
    assert record.mentions[1].attributes == (("track", "b"), ("by", "b"))
    assert list_counts(record) == {"relations_skipped": 2}


def test_relations_beside_the_spans_are_counted(tmp_path):
    value = {"text": TEXT, "annotations": {"entities": ROWS, "relations": [{"head": 0}, {}]}}
    record = read(tmp_path, value)
    assert labels(record) == BOTH
    assert list_counts(record) == {"relations_skipped": 2}


def test_tags_of_pieces_instead_of_mentions_are_warned_of(tmp_path):
    pieces = [
        {"entity": "B-Drug", "word": "as", "start": 8, "end": 10},
        {"entity": "I-Drug", "word": "##pirin", "start": 10, "end": 15},
    ]
    notes = ReadingNotes()
    notes.add(read(tmp_path, {"text": TEXT, "entities": pieces}))
    assert any(warning.startswith("labels are tags") for warning in notes.list_warnings())


def test_argilla_gives_the_first_answer_and_counts_the_others(tmp_path):
    def answer(start, end, label):
        return {"value": [{"start": start, "end": end, "label": label}], "user_id": "u"}

    responses = {
        "spans": [answer(8, 15, "C"), answer(19, 23, "S")],
        "more": [answer(19, 23, "S")],
        "quality": [{"value": "good"}],
    }
    value = {"id": "a", "fields": {"text": TEXT}, "responses": responses, "suggestions": {"x": 1}}
    record = read(tmp_path, value)
    assert (record.id, record.text, labels(record)) == ("a", TEXT, BOTH)
    assert list_counts(record) == {"annotations_skipped": 1}


def test_relations_and_labels_of_documents_are_counted_and_other_keys_named(tmp_path):
    value = {
        "text": TEXT,
        "spans": [SPAN],
        "relations": [{"head": 1}, {"head": 2}],
        "cats": {"x": 1.0, "y": 0.0},
        "accept": ["x"],
        "options": [{"id": "x"}],
        "deep": {"a": 1},
        "empty": [],
        "ward": "A",
        "_input_hash": 7,
        "answer": "accept",
    }
    record = read(tmp_path, value)
    assert record.meta == {"ward": "A"}
    assert list_counts(record) == {
        "relations_skipped": 2,
        "document_labels_skipped": 3,
        "not read: options": 1,
        "not read: deep": 1,
    }


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        ({"label": "positive"}, "keys not read: label"),
        ({"label": ["positive"]}, "left out: labels of documents 1"),
        ({"cats": {"a": 1.0}}, "left out: labels of documents 1"),
        ({"label": {"name": {"aspirin": [[8, 14]]}}}, "keys not read: label"),
        ({"stuff": {"a": [1]}, "other": [2]}, "keys not read: other, stuff"),
        ({"entities": {"Drug": ["aspirin"]}}, "keys not read: entities"),
        ({"entities": ["aspirin"]}, "left out: labels of documents 1"),
        ({"entities": "[(8, 15, 'Drug')]"}, "keys not read: entities"),
    ],
)
def test_a_file_without_any_mention_is_warned_of(tmp_path, more, warning):
    notes = ReadingNotes()
    notes.add(read(tmp_path, {"text": TEXT, **more}))
    assert notes.list_warnings() == [f"no mention in any document: {warning}"]


@pytest.mark.parametrize("more", [{}, {"spans": []}, {"spans": None}, {"date": "2020"}])
def test_texts_alone_are_not_warned_of(tmp_path, more):
    notes = ReadingNotes()
    notes.add(read(tmp_path, {"text": TEXT, **more}))
    assert notes.list_warnings() == []


def test_one_mention_is_enough_for_no_warning(tmp_path):
    rows = [{"text": TEXT, "label": "x"}, {"text": TEXT, "entities": [SPAN]}]
    (tmp_path / "x").write_text("\n".join(map(json.dumps, rows)))
    notes = ReadingNotes()
    for record in read_records(tmp_path / "x"):
        notes.add(record)
    assert notes.list_warnings() == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"id": 7}, "7"),
        ({"_id": "a"}, "a"),
        ({"_id": {"$oid": "ff"}}, "ff"),
        ({"pmid": 12}, "12"),
        ({"id": "", "doc_id": "d"}, "d"),
        ({"id": None}, "1"),
        ({}, "1"),
        ({"sourceid": "9", "sourcedb": "PMC"}, "PMC:9"),
        ({"sourceid": "9", "sourcedb": "PubMed", "divid": 0}, "9"),
    ],
)
def test_identifiers_of_documents(tmp_path, value, expected):
    assert read(tmp_path, {"text": TEXT, "spans": [], **value}).id == expected


def test_identifiers_that_are_none_are_an_error(tmp_path):
    with pytest.raises(CorpusError, match=r"found a list \(\[1\]\) as 'id' of a document"):
        read(tmp_path, {"text": TEXT, "spans": [], "id": [1]})


def test_words_in_a_list_are_found_in_the_text(tmp_path):
    value = {"text": TEXT, "spans": [SPAN], "tokens": ["We", "gave", "aspirin", "to", "rats", "."]}
    record = read(tmp_path, value)
    assert [record.text[a:b] for a, b in record.words] == value["tokens"]
    assert find_words("a b", ["b", "a"]) == ()
    assert find_words("", []) == ()
    assert find_words("a\0b", ["a", "\0", "b"]) == ((0, 1), (1, 2), (2, 3))


def test_texts_with_nul_and_line_ends_of_windows_are_kept(tmp_path):
    text = "a\0b\r\nhas asthma"
    record = read(tmp_path, {"text": text, "entities": [[9, 15, "D"]]})
    assert (record.text, labels(record)) == (text, [("asthma", "D")])


def test_ends_that_name_the_last_character_are_told_by_claimed_texts(tmp_path):
    spans = [
        {"start_idx": 8, "end_idx": 14, "type": "C", "entity": "aspirin"},
        {"start_idx": 19, "end_idx": 22, "type": "S", "entity": "rats"},
    ]
    record = read(tmp_path, {"text": TEXT, "entities": spans})
    assert [(m.start_char, m.end_char, m.text) for m in record.mentions] == [
        (8, 15, "aspirin"),
        (19, 23, "rats"),
    ]
    notes = ReadingNotes()
    notes.add(record)
    assert notes.list_warnings()[0].startswith("ends were taken as those of the last character")
    spans[1]["end_idx"] = 23
    record = read(tmp_path, {"text": TEXT, "entities": spans})
    assert [m.end_char for m in record.mentions] == [14, 23]


def test_offsets_of_another_text_are_warned_of(tmp_path):
    record = read(tmp_path, {"text": "IL-2 &lt; 5 in asthma", "entities": [[12, 18, "D"]]})
    notes = ReadingNotes()
    notes.add(record)
    assert notes.list_warnings()[0].startswith("most mentions of the file cut words")


def test_a_malformed_span_and_a_malformed_document_are_left_out_alone(tmp_path):
    rows = [
        {"text": TEXT, "entities": [SPAN, {"start": 8.5, "end": 9, "label": "C"}]},
        {"text": None, "entities": [SPAN]},
        {"text": TEXT, "entities": [SPAN]},
    ]
    (tmp_path / "x").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(CorpusError, match=r"found a number \(8.5\) as 'start'"):
        list(read_jsonl(tmp_path / "x"))
    problems = ReadErrors()
    found = list(read_jsonl(tmp_path / "x", problems=problems))
    assert [len(record.mentions) for record in found] == [1, 1]
    assert problems.skipped == {"annotation": 1, "document": 1}


@pytest.mark.parametrize(("start", "end"), [(-100, 34), (9, 8)])
def test_a_section_whose_offsets_are_none_is_refused(tmp_path, start, end):
    sections = [{"name": "abstract", "start": start, "end": end}]
    with pytest.raises(CorpusError, match=f"found a section from {start} to {end}"):
        read(tmp_path, {"text": TEXT, "spans": [SPAN], "sections": sections})
