from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.errors import LabelError
from spacy_bioner.tags import (
    SCHEMES,
    convert_tags,
    detect_scheme,
    infer_scheme,
    is_legal,
    legal_ends,
    legal_starts,
    legal_transitions,
    normalize_scheme,
    parse_tag,
    repair,
    spans_to_tags,
    tag_continues,
    tag_set,
    tags_to_spans,
)

SPANS = [(0, 1, "A"), (1, 4, "A"), (5, 7, "B-x")]
TAGS = {
    "IOB1": ["I-A", "B-A", "I-A", "I-A", "O", "I-B-x", "I-B-x", "O"],
    "IOB2": ["B-A", "B-A", "I-A", "I-A", "O", "B-B-x", "I-B-x", "O"],
    "BIOES": ["S-A", "B-A", "I-A", "E-A", "O", "B-B-x", "E-B-x", "O"],
    "BILOU": ["U-A", "B-A", "I-A", "L-A", "O", "B-B-x", "L-B-x", "O"],
}


@st.composite
def span_lists(draw):
    """A sequence length and spans without overlap in it."""
    spans, position = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = position + draw(st.integers(0, 3))
        position = start + draw(st.integers(1, 4))
        spans.append((start, position, draw(st.sampled_from(["A", "B", "C-d"]))))
    return spans, position + draw(st.integers(0, 2))


any_tag = st.sampled_from(tag_set(["A", "B"], "BIOES") + tag_set(["A", "B"], "BILOU"))


@pytest.mark.parametrize("scheme", TAGS)
def test_spans_to_tags_writes_scheme(scheme):
    assert spans_to_tags(SPANS, 8, scheme) == TAGS[scheme]


@pytest.mark.parametrize("scheme", TAGS)
def test_tags_to_spans_reads_scheme(scheme):
    assert tags_to_spans(TAGS[scheme]) == SPANS
    assert tags_to_spans(TAGS[scheme], scheme=scheme, strict=True) == SPANS


def test_spans_to_tags_io_merges_neighbours_of_one_label():
    tags = spans_to_tags([(0, 1, "A"), (1, 2, "A"), (2, 3, "B")], 3, "IO")
    assert tags == ["I-A", "I-A", "I-B"]
    assert tags_to_spans(tags) == [(0, 2, "A"), (2, 3, "B")]


@given(span_lists(), st.sampled_from([scheme for scheme in SCHEMES if scheme != "IO"]))
def test_spans_round_trip_through_every_scheme(case, scheme):
    spans, length = case
    tags = spans_to_tags(spans, length, scheme)
    assert tags_to_spans(tags, scheme=scheme, strict=True) == spans
    assert repair(tags, scheme) == (tags, 0)


@given(st.lists(any_tag, max_size=12), st.sampled_from(SCHEMES))
def test_repair_makes_any_sequence_legal_once_and_for_all(tags, scheme):
    repaired, changed = repair(tags, scheme)
    sequence = [None, *repaired, None]
    assert all(is_legal(left, right, scheme) for left, right in pairwise(sequence))
    assert changed == sum(old != new for old, new in zip(tags, repaired, strict=True))
    assert repair(repaired, scheme) == (repaired, 0)


@given(span_lists(), st.sampled_from(["IOB2", "BIOES", "BILOU"]))
def test_convert_tags_equals_writing_directly(case, scheme):
    spans, length = case
    tags = spans_to_tags(spans, length, "IOB1")
    assert convert_tags(tags, scheme) == spans_to_tags(spans, length, scheme)


@pytest.mark.parametrize(
    ("scheme", "tags", "repaired", "changed"),
    [
        ("IOB2", ["O", "I-A", "I-B"], ["O", "B-A", "B-B"], 2),
        ("IOB1", ["B-A", "I-A", "B-A"], ["I-A", "I-A", "B-A"], 1),
        ("BIOES", ["B-A", "O", "I-A", "E-A"], ["S-A", "O", "B-A", "E-A"], 2),
        ("BIOES", ["S-A", "E-A"], ["S-A", "S-A"], 1),
        ("BILOU", ["B-A", "L-B"], ["U-A", "U-B"], 2),
    ],
)
def test_repair_counts_changed_tags(scheme, tags, repaired, changed):
    assert repair(tags, scheme) == (repaired, changed)


@pytest.mark.parametrize("scheme", TAGS)
def test_detect_scheme_tells_schemes_apart(scheme):
    assert detect_scheme([TAGS[scheme], ["O", "O"]]) == scheme


def test_detect_scheme_without_begin_is_io():
    assert detect_scheme([["I-A", "I-A", "O", "I-B"]]) == "IO"


def test_detect_scheme_without_entities_is_iob2():
    assert detect_scheme([["O"], []]) == "IOB2"


def test_detect_scheme_prefers_fewer_illegal_transitions():
    assert detect_scheme([["O", "B-A", "I-A"], ["O", "B-A"], ["O", "I-A"]]) == "IOB2"


def test_detect_scheme_refuses_mixed_prefixes():
    with pytest.raises(LabelError, match="expected those of one scheme"):
        detect_scheme([["S-A", "U-A"]])


def test_tag_set_keeps_label_order_and_starts_with_outside():
    assert tag_set(["X", "A", "X"], "BIO") == ("O", "B-X", "I-X", "B-A", "I-A")
    assert tag_set(["A"], "BIOES") == ("O", "B-A", "I-A", "E-A", "S-A")
    assert tag_set([], "BILOU") == ("O",)


@pytest.mark.parametrize("scheme", ["IO", "IOB2", "BIOES", "BILOU"])
def test_infer_scheme_reads_tag_set(scheme):
    assert infer_scheme(tag_set(["A"], scheme)) == scheme


def test_legal_transitions_bio_table():
    tags = ("O", "B-A", "I-A", "B-B", "I-B")
    expected = [
        [True, True, False, True, False],
        [True, True, True, True, False],
        [True, True, True, True, False],
        [True, True, False, True, True],
        [True, True, False, True, True],
    ]
    np.testing.assert_array_equal(legal_transitions(tags), np.array(expected))
    assert legal_starts(tags).tolist() == [True, True, False, True, False]
    assert legal_ends(tags).tolist() == [True] * 5


def test_legal_transitions_bioes_table():
    tags = tag_set(["A"], "BIOES")
    outside = [True, True, False, False, True]
    within = [False, False, True, True, False]
    table = legal_transitions(tags)
    assert table.tolist() == [outside, within, within, outside, outside]
    assert legal_starts(tags).tolist() == outside
    assert legal_ends(tags).tolist() == [True, False, False, True, True]


def test_legal_transitions_of_no_tags_is_empty():
    assert legal_transitions(()).shape == (0, 0)


def test_is_legal_iob1_begins_only_behind_same_label():
    assert is_legal("I-A", "B-A", "IOB1")
    assert not is_legal("I-B", "B-A", "IOB1")
    assert not is_legal(None, "B-A", "IOB1")


def test_is_legal_refuses_prefix_of_another_scheme():
    assert not is_legal("O", "S-A", "IOB2")


def test_tags_to_spans_strict_names_illegal_transition():
    with pytest.raises(LabelError, match="found I-A after O at position 1 of IOB2 tags"):
        tags_to_spans(["O", "I-A"], scheme="BIO", strict=True)


@pytest.mark.parametrize("tag", ["", "X-A", "B", "B-", "o", "BA"])
def test_parse_tag_refuses_malformed_tag(tag):
    with pytest.raises(LabelError, match="expected O or one of"):
        parse_tag(tag)


@pytest.mark.parametrize("spans", [[(0, 0, "A")], [(0, 9, "A")], [(-1, 1, "A")], [(0, 1, "")]])
def test_spans_to_tags_refuses_impossible_span(spans):
    with pytest.raises(LabelError, match="expected a labeled one within 0 and 3"):
        spans_to_tags(spans, 3)


def test_spans_to_tags_refuses_overlap():
    with pytest.raises(LabelError, match="expected none to overlap"):
        spans_to_tags([(0, 2, "A"), (1, 3, "B")], 3)


def test_normalize_scheme_knows_aliases():
    names = ["bio", "IOBES", "biluo", "IOB1"]
    assert [normalize_scheme(name) for name in names] == ["IOB2", "BIOES", "BILOU", "IOB1"]
    with pytest.raises(LabelError, match="found tag scheme 'BMEWO'"):
        normalize_scheme("BMEWO")


def test_tag_continues_needs_the_label_and_an_open_span():
    tags = ("O", "B-X", "I-X", "E-X", "S-X", "I-Y")
    table = tag_continues(tags)
    pairs = [(tags[i], tags[j]) for i, j in zip(*table.nonzero())]
    assert pairs == [
        ("B-X", "I-X"),
        ("B-X", "E-X"),
        ("I-X", "I-X"),
        ("I-X", "E-X"),
        ("I-Y", "I-Y"),
    ]


@pytest.mark.parametrize(("scheme", "last"), [("BIOES", "E"), ("BILOU", "L")])
def test_a_span_goes_on_and_ends_with_its_own_label(scheme, last) -> None:
    pairs = [("B-A", f"{last}-A"), ("B-A", f"{last}-B"), ("I-A", "I-B"), ("I-A", f"{last}-A")]
    assert [is_legal(*pair, scheme) for pair in pairs] == [True, False, False, True]
    assert not is_legal("B-A", "O", scheme)
    assert not is_legal("O", f"{last}-A", scheme)
