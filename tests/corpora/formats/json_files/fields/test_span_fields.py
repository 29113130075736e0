"""One annotated stretch in the many ways in which JSON files write it."""

from pathlib import Path

import pytest

from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.fields.span_fields import as_offset, read_span
from spacy_bioner.errors import CorpusError

TEXT = "We gave aspirin to rats."
FIELDS = Fields({}, Path("x.json"), 7)


def read(item, group=""):
    return list(read_span(item, FIELDS, TEXT, group))


def outline(item, group=""):
    return [(m.start_char, m.end_char, m.label, m.text) for m in read(item, group)]


@pytest.mark.parametrize(
    "item",
    [
        {"start": 8, "end": 15, "label": "C"},
        {"start_offset": 8, "end_offset": 15, "label": "C", "id": 3},
        {"startOffset": 8, "endOffset": 15, "label": "C"},
        {"start_char": 8, "end_char": 15, "label": "C"},
        {"begin": 8, "end": 15, "type": "C"},
        {"start": 8, "end": 15, "entity_group": "C"},
        {"start": 8, "end": 15, "entity": "C"},
        {"start": 8, "end": 15, "tag": "C"},
        {"start": 8, "end": 15, "tag_name": "C", "tag_id": "77"},
        {"start": 8, "end": 15, "labels": ["C"]},
        {"start": 8, "end": 15, "label": {"id": 4, "name": "C"}},
        {"start_position": 8, "end_position": 15, "entity_type": "C"},
        {"start_idx": 8, "end_idx": 15, "type": "C"},
        {"BeginOffset": 8, "EndOffset": 15, "Type": "C"},
        {"offset": 8, "length": 7, "category": "C"},
        {"startPos": 8, "endPos": 14, "entity": "C"},
        {"span": {"begin": 8, "end": 15}, "obj": "C"},
        {"span": {"start": 8, "end": 15}, "label": "C"},
        {"span": [8, 15], "label": "C"},
        {"span": [{"begin": 8, "end": 15}], "obj": "C"},
        {"offsets": [[8, 15]], "type": "C"},
        {"offsets": [8, 15], "type": "C"},
        {"location": {"offset": 8, "length": 7}, "type": "C"},
        {"points": [{"start": 8, "end": 14}], "label": ["C"]},
        {"points": [{"start": 8, "end": 14, "text": "aspirin"}], "label": ["C"]},
        {"points": [{"start": 8, "end": 15, "text": "aspirin"}], "label": ["C"]},
        {"Start": 8, "End": 15, "Label": "C"},
        {"START_OFFSET": 8, "end-offset": 15, "Entity Type": "C"},
        {"text_extraction": {"text_segment": {"start_offset": 8, "end_offset": 15}}, "type": "C"},
        {"start": 8.0, "end": "15", "label": "C"},
        [8, 15, "C"],
        [8.0, "15", "C"],
        [8, 15, ["C"]],
        ["C", 8, 15],
        ["T1", "C", [[8, 15]]],
        [[8, 15], "C"],
    ],
)
def test_the_same_span_in_any_form(item):
    assert outline(item) == [(8, 15, "C", "")]


@pytest.mark.parametrize(
    ("item", "claim"),
    [
        ({"start": 8, "end": 15, "label": "C", "text": "aspirin"}, "aspirin"),
        ({"start": 8, "end": 15, "label": "C", "mention": "aspirin"}, "aspirin"),
        ({"start": 8, "end": 15, "tag_name": "C", "value": "aspirin"}, "aspirin"),
        ({"start": 8, "end": 15, "type": "C", "entity": "aspirin"}, "aspirin"),
        ([8, 15, "C", "aspirin"], "aspirin"),
        # What is behind the label of a list may be something else, and Rasa's value a synonym.
        ([8, 15, "C", "MESH:D1"], ""),
        ({"start": 8, "end": 15, "entity": "C", "value": "ASA"}, ""),
        # Pieces of words, as models cut them.
        ({"start": 8, "end": 15, "entity_group": "C", "word": "as ##pirin"}, ""),
    ],
)
def test_a_span_may_repeat_its_text(item, claim):
    assert outline(item) == [(8, 15, "C", claim)]


@pytest.mark.parametrize(
    "item",
    [
        [8, 15, "C", "aspirin"],
        [8, 15, "aspirin", "C"],
        ["aspirin", 8, 15, "C"],
        ["C", 8, 15, "aspirin"],
        ["aspirin", "C", 8, 15],
        ["C", "aspirin", 8, 15],
        ["aspirin", 8, 15, "C", ""],
    ],
)
def test_of_two_texts_in_a_list_the_covered_one_is_no_label(item):
    assert outline(item) == [(8, 15, "C", "aspirin")]


def test_the_covered_text_is_told_where_offsets_count_otherwise():
    # One more in UTF-16; the last letter's; and of two words as long, the one that stands there.
    assert outline([9, 16, "aspirin", "C"]) == [(9, 16, "C", "aspirin")]
    assert outline([8, 14, "aspirin", "C"]) == [(8, 14, "C", "aspirin")]
    assert outline([3, 7, "gave", "rats"]) == [(3, 7, "rats", "gave")]


def test_a_label_that_stands_elsewhere_in_the_text_stays_one():
    assert outline([8, 15, "rats", "sure"]) == [(8, 15, "rats", "")]
    assert read([8, 15, "C", "sure"])[0].attributes == (("column4", "sure"),)


def test_several_labels_are_several_mentions_and_several_places_one():
    points = [{"start": 0, "end": 1, "text": "We"}, {"start": 19, "end": 22, "text": "rats"}]
    found = read({"label": ["A", "B"], "points": points})
    assert [m.label for m in found] == ["A", "B"]
    assert {(m.start_char, m.end_char, m.fragments) for m in found} == {(0, 23, ((0, 2), (19, 23)))}
    (mention,) = read(
        {"id": "T1", "span": [{"begin": 19, "end": 23}, {"begin": 0, "end": 2}], "obj": "A"}
    )
    assert mention.fragments == ((0, 2), (19, 23))
    (mention,) = read(["T1", "A", [[0, 2], [19, 23]]])
    assert (mention.start_char, mention.end_char) == (0, 23)


def test_items_without_a_label_have_that_of_their_list():
    assert outline([8, 15], "C") == [(8, 15, "C", "")]
    assert outline({"start": 8, "end": 15}, "C") == [(8, 15, "C", "")]
    assert outline({"start": 8, "end": 15, "label": "D"}, "sc") == [(8, 15, "D", "")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"kb_id": "D001241"}, ("D001241",)),
        ({"cui": "C0004057", "mesh": ["D001241", "-1"]}, ("C0004057", "D001241")),
        ({"concept_ids": ["-", "a b"]}, ("-", "a b")),
        ({"id": ["mesh:D001241"], "obj": "C", "span": {}}, ("mesh:D001241",)),
        ({"id": ["CUI-less"], "obj": "C", "span": {}}, ()),
        ({"id": "mesh:D001241", "obj": "C", "span": {}, "prob": 0.9}, ("mesh:D001241",)),
        ({"normalized": [{"db_name": "MESH", "db_id": "D1"}]}, ("MESH:D1",)),
        ({"normalized": [{"db_name": "MESH", "db_id": "MESH:D1"}, "x"]}, ("MESH:D1", "x")),
        ({"concepts": [{"id": 7}, {"code": "-"}]}, ("7",)),
        # PubAnnotation's id is the annotation's own.
        ({"id": "T1", "obj": "C", "span": {}}, ()),
        ({"id": 7}, ()),
    ],
)
def test_identifiers(more, expected):
    (mention,) = read({"start": 8, "end": 15, "label": "C", **more})
    assert mention.concept_ids == expected


def test_further_plain_values_are_attributes_and_work_of_tools_is_not():
    more = {"prob": 0.9, "negated": False, "token_start": 2, "_id": "x", "note": None, "empty": ""}
    (mention,) = read({"start": 8, "end": 15, "label": "C", **more})
    assert mention.attributes == (("prob", "0.9"), ("negated", "false"))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (3, r"found a number \(3\) as a span, expected \[a number, a number, a text\]"),
        (None, "found null"),
        ([8, 15], "as a span, expected"),
        ([8, 15, None], "as a span, expected"),
        ([8, 15, True], "as a span, expected"),
        (["a", "b", "C"], "as a span, expected"),
        ([8.5, 15, "C"], "as a span, expected"),
        ({"start": 8, "label": "C"}, "found none as 'end' of a span, expected an offset"),
        ({"end": 8, "label": "C"}, "found none as 'start' of a span, expected an offset"),
        ({"start": 8.5, "end": 15, "label": "C"}, r"found a number \(8.5\) as 'start'"),
        ({"start": "8a", "end": 15, "label": "C"}, r'found a text \("8a"\) as \'start\''),
        ({"start": True, "end": 15, "label": "C"}, "found true or false"),
        ({"start": 8, "end": 10**400, "label": "C"}, r"found a number \(1000+\.\.\.\) as 'end'"),
        ({"start": 8, "end": None, "label": "C"}, "found null"),
        ({"start": 8, "end": 15}, "found no label in a span, expected a text under 'label'"),
        ({"start": 8, "end": 15, "label": None}, "found null as 'label' in a span"),
        ({"start": 8, "end": 15, "label": True}, r"found true or false \(true\) as 'label'"),
        ({"start": 8, "end": 15, "label": 0.5}, r"found a number \(0.5\) as 'label'"),
        ({"span": {"begin": 8}, "obj": "C"}, "found none as 'start' of a span"),
    ],
)
def test_what_is_no_span_says_why(item, message):
    with pytest.raises(CorpusError, match=message) as error:
        read(item)
    assert (error.value.path, error.value.line) == ("x.json", 7)


def test_labels_may_be_numbers_and_an_empty_list_is_a_missing_label():
    assert outline({"start": 8, "end": 15, "label": 3}) == [(8, 15, "3", "")]
    assert outline({"start": 8, "end": 15, "label": []}) == [(8, 15, "", "")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (-3, -3),
        (3.0, 3),
        ("3", 3),
        (" -3 ", -3),
        (True, None),
        (3.5, None),
        (float("inf"), None),
        (1e300, None),
        ("3.0", None),
        ("", None),
        ("9" * 30, None),
        (10**18, None),
        (None, None),
        ([3], None),
    ],
)
def test_offsets_in_other_spellings(value, expected):
    assert as_offset(value) == expected


@pytest.mark.parametrize(
    "item",
    [
        {"start": 8, "end": 15, "label": "C"},
        {"start": -8, "end": 15, "label": "", "text": "", "token_start": 1},
        {"start": 8, "end": 15, "label": "C", "text": "aspirin", "concept_ids": ["a", "-"]},
    ],
)
def test_the_short_way_gives_what_the_long_one_gives(item):
    assert read(item) == read({**item, "_": None})
