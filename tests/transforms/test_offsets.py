from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.offsets import Edit, OffsetChain, OffsetMap, apply_edits

QUICK = settings(max_examples=200, derandomize=True, deadline=None)
WORDS = st.text(alphabet="ab \n.é", max_size=30)


@st.composite
def edited_texts(draw):
    """A text and edits of it, without overlap, insertions among them."""
    text = draw(WORDS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    edits = []
    for start, end in zip(cuts[::2], cuts[1::2]):
        edits.append(Edit(start, end, draw(st.sampled_from(["", "X", "YZ", "long form"]))))
    taken = {(edit.start, edit.end) for edit in edits}
    for position in draw(st.lists(st.integers(0, len(text)), max_size=2, unique=True)):
        inside = any(edit.start < position < edit.end for edit in edits)
        if not inside and (position, position) not in taken:
            edits.append(Edit(position, position, "+i+"))
    return text, draw(st.permutations(edits))


@st.composite
def edited_intervals(draw):
    text, edits = draw(edited_texts())
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text, edits, start, end


def edit_by_hand(text, edits):
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


@QUICK
@given(edited_texts())
def test_apply_replaces_each_stretch(case):
    text, edits = case
    assert OffsetMap(edits).apply(text) == edit_by_hand(text, edits)


def has_counterpart(start, end, gone):
    """The places of an interval that are not in a stretch without counterpart."""
    return {at for at in range(start, end) if not any(a <= at < b for a, b in gone)}


@QUICK
@given(edited_intervals())
def test_to_old_of_to_new_covers_all_that_was_not_deleted(case):
    text, edits, start, end = case
    offsets = OffsetMap(edits)
    new = offsets.to_new(start, end)
    assert 0 <= new[0] <= new[1] <= len(offsets.apply(text))
    deleted = [(edit.start, edit.end) for edit in edits if not edit.new]
    assert has_counterpart(start, end, deleted) <= set(range(*offsets.to_old(*new)))


@QUICK
@given(edited_texts(), st.data())
def test_to_new_of_to_old_covers_all_that_was_not_inserted(case, data):
    text, edits = case
    offsets = OffsetMap(edits)
    places = st.integers(0, len(offsets.apply(text)))
    start, end = sorted((data.draw(places), data.draw(places)))
    old = offsets.to_old(start, end)
    assert 0 <= old[0] <= old[1] <= len(text)
    inserted, shift = [], 0
    for edit in offsets.edits:
        if edit.start == edit.end:
            inserted.append((edit.start + shift, edit.start + shift + len(edit.new)))
        shift += len(edit.new) - (edit.end - edit.start)
    assert has_counterpart(start, end, inserted) <= set(range(*offsets.to_new(*old)))


@QUICK
@given(edited_intervals())
def test_an_interval_keeps_its_text_but_for_the_edits_inside(case):
    text, edits, start, end = case
    if any(e.start < at < e.end for e in edits for at in (start, end)) or start == end:
        return
    inside = [
        Edit(e.start - start, e.end - start, e.new)
        for e in edits
        if start <= e.start and e.end <= end and (e.start < e.end or start < e.start < end)
    ]
    offsets = OffsetMap(edits)
    new_start, new_end = offsets.to_new(start, end)
    assert offsets.apply(text)[new_start:new_end] == edit_by_hand(text[start:end], inside)


@QUICK
@given(edited_intervals(), st.data())
def test_a_smaller_interval_stays_inside_a_larger_one(case, data):
    _, edits, start, end = case
    inner = sorted((data.draw(st.integers(start, end)), data.draw(st.integers(start, end))))
    offsets = OffsetMap(edits)
    outer_new, inner_new = offsets.to_new(start, end), offsets.to_new(*inner)
    if inner_new[0] < inner_new[1]:
        assert outer_new[0] <= inner_new[0]
        assert inner_new[1] <= outer_new[1]


@QUICK
@given(edited_texts(), st.data())
def test_a_chain_is_its_maps_one_after_the_other(case, data):
    text, edits = case
    first = OffsetMap(edits)
    middle = first.apply(text)
    second = OffsetMap([Edit(0, len(middle) // 2, "Q")] if len(middle) > 1 else [])
    chain = OffsetChain((first, second))
    places = st.integers(0, len(text))
    start, end = sorted((data.draw(places), data.draw(places)))
    assert chain.to_new(start, end) == second.to_new(*first.to_new(start, end))
    start, end = chain.to_new(start, end)
    assert chain.to_old(start, end) == first.to_old(*second.to_old(start, end))


@QUICK
@given(edited_intervals())
def test_every_mention_is_kept_or_lost_and_claims_what_stands_there(case):
    text, edits, start, end = case
    mentions = (Mention(start, end, "A", text[start:end]), Mention(0, len(text), "B", text))
    edited = apply_edits(Record("1", text, mentions), edits)
    assert len(edited.record.mentions) + len(edited.lost) == 2
    for mention in edited.record.mentions:
        assert mention.text == edited.record.text[mention.start_char : mention.end_char]


def test_to_new_grows_to_the_replacement_that_it_touches():
    offsets = OffsetMap([Edit(4, 6, "versus")])
    assert offsets.to_new(5, 9) == (4, 13)
    assert offsets.to_new(0, 4) == (0, 4)
    assert offsets.to_new(6, 9) == (10, 13)


def test_to_new_is_empty_where_all_was_deleted():
    assert OffsetMap([Edit(2, 5, "")]).to_new(3, 5) == (2, 2)


def test_insertion_at_a_border_stays_outside():
    offsets = OffsetMap([Edit(2, 2, "xx"), Edit(5, 5, "yy")])
    assert offsets.to_new(2, 5) == (4, 7)
    assert offsets.to_new(1, 6) == (1, 10)


def test_overlapping_edits_are_refused():
    with pytest.raises(ValueError, match="overlapping edits"):
        OffsetMap([Edit(0, 3, ""), Edit(2, 4, "")])
    with pytest.raises(ValueError, match="overlapping edits"):
        OffsetMap([Edit(2, 2, "a"), Edit(2, 2, "b")])


def test_no_edit_gives_the_same_record():
    record = Record("1", "text")
    assert apply_edits(record, []).record is record


def test_a_chain_without_maps_changes_nothing():
    assert OffsetChain().to_new(3, 5) == (3, 5)
    assert OffsetChain().to_old(3, 5) == (3, 5)


def test_a_mention_that_was_empty_before_is_not_lost():
    record = Record("1", "a  b", (Mention(1, 1, "A"),))
    edited = apply_edits(record, [Edit(0, 1, "")])
    assert edited.record.mentions == (Mention(0, 0, "A"),)
    assert edited.lost == ()


def test_a_wrong_claim_stays_as_the_corpus_makes_it():
    record = Record("1", "a  b", (Mention(3, 4, "A", "other"), Mention(3, 4, "A")))
    edited = apply_edits(record, [Edit(1, 2, "")])
    assert edited.record.mentions == (Mention(2, 3, "A", "other"), Mention(2, 3, "A"))


def test_a_discontinuous_mention_claims_its_parts():
    text = "right  and left atrium"
    mention = Mention(0, 22, "A", "right atrium", fragments=((0, 5), (16, 22)))
    edited = apply_edits(Record("1", text, (mention,)), [Edit(0, 1, "R"), Edit(5, 6, "")])
    moved = edited.record.mentions[0]
    assert moved.fragments == ((0, 5), (15, 21))
    assert moved.text == "Right atrium"


def test_parts_that_one_replacement_joins_become_one():
    mention = Mention(0, 7, "A", "ab fg", fragments=((0, 2), (5, 7)))
    edited = apply_edits(Record("1", "abcdefg", (mention,)), [Edit(1, 6, "-")])
    assert edited.record.mentions == (Mention(0, 3, "A", "a-g"),)


def test_sections_keep_the_separator_that_went_into_a_run_of_spaces():
    record = Record("1", "Title.   Text", sections=(("title", 0, 6), ("abstract", 7, 13)))
    edited = apply_edits(record, [Edit(6, 8, "")])
    assert edited.record.text == "Title. Text"
    assert edited.record.sections == (("title", 0, 6), ("abstract", 7, 11))


def test_sections_give_up_the_white_space_at_the_end_for_a_separator():
    record = Record("1", "Title.  Text", sections=(("title", 0, 7), ("abstract", 8, 12)))
    edited = apply_edits(record, [Edit(7, 8, "")])
    assert edited.record.sections == (("title", 0, 6), ("abstract", 7, 11))


def test_adjacent_sections_stay_adjacent():
    record = Record("1", "A\nB\nC", sections=(("one", 0, 2), ("two", 2, 5)))
    edited = apply_edits(record, [Edit(4, 5, "see")])
    assert edited.record.sections == (("one", 0, 2), ("two", 2, 7))


def test_sentence_starts_move_to_what_follows_and_end_with_the_text():
    record = Record("1", "One.  Two. \x00", sentence_starts=(0, 6, 11))
    edited = apply_edits(record, [Edit(4, 5, ""), Edit(11, 12, "")])
    assert edited.record.sentence_starts == (0, 5)


def test_words_are_left_out_where_their_number_changes():
    record = Record("1", "c/o pain", words=((0, 3), (4, 8)))
    assert apply_edits(record, [Edit(0, 3, "for")]).record.words == ((0, 3), (4, 8))
    assert apply_edits(record, [Edit(0, 3, "complains of")]).record.words == ()


def test_meta_and_ids_stay():
    record = Record("7", "a b", (Mention(2, 3, "A", "b", ("X:1",), line=4),), meta={"k": "v"})
    edited = apply_edits(record, [Edit(0, 1, "long")]).record
    assert (edited.id, edited.meta) == ("7", {"k": "v"})
    assert edited.mentions == (replace(record.mentions[0], start_char=5, end_char=6),)
