import pytest

from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.editing import (
    edit_record,
    find_context,
    find_free_mentions,
    find_groups,
)
from spacy_bioner.transforms.offsets import Edit

TEXT = "acute renal failure and asthma"


def make_record(*mentions, text=TEXT):
    return Record("1", text, tuple(Mention(*mention) for mention in mentions))


def test_mentions_that_overlap_form_one_group_that_is_not_free():
    record = make_record((24, 30, "D"), (0, 19, "D"), (6, 19, "D"))
    assert [(g.start, g.end, g.members, g.is_free) for g in find_groups(record)] == [
        (0, 19, (1, 2), False),
        (24, 30, (0,), True),
    ]


def test_mentions_that_touch_are_groups_of_their_own():
    assert find_free_mentions(make_record((6, 11, "D"), (0, 6, "D"))) == [0]
    assert len(find_groups(make_record((6, 11, "D"), (0, 6, "D")))) == 2


def test_discontinuous_mention_is_not_free_and_covers_what_is_between():
    record = make_record((0, 19, "D", "acute failure", (), ((0, 5), (12, 19))), (6, 11, "A"))
    assert find_free_mentions(record) == []
    assert find_context(record) == [(19, 30)]


@pytest.mark.parametrize("mention", [(5, 11, "D"), (24, 31, "D"), (24, 30, "D", "cough")])
def test_mention_that_does_not_fit_its_text_is_not_free(mention):
    assert find_free_mentions(make_record(mention)) == []


def test_context_is_what_no_mention_covers():
    assert find_context(make_record((6, 19, "D"), (24, 30, "D"))) == [(0, 6), (19, 24)]
    assert find_context(make_record()) == [(0, 30)]
    assert find_context(Record("1", "")) == []


def test_edit_changes_texts_and_ids():
    record = make_record((6, 19, "D", "renal failure", ("C1",)), (24, 30, "D"))
    edited = edit_record(record, [Edit(6, 19, "kidney stone"), Edit(0, 5, "An")], {0: ("C2",)})
    assert edited.text == "An kidney stone and asthma"
    assert edited.mentions == (
        Mention(3, 15, "D", "kidney stone", ("C2",)),
        Mention(20, 26, "D"),
    )


def test_edit_that_changes_nothing_gives_the_record_itself():
    record = make_record((24, 30, "D", "", ("C1",)))
    assert edit_record(record, [Edit(24, 30, "asthma")], {0: ("C1",)}) is record


@pytest.mark.parametrize("edit", [Edit(20, 26, "x"), Edit(24, 30, " ")])
def test_edit_that_spoils_a_mention_is_refused(edit):
    with pytest.raises(ValueError, match="expected edits within mentions or outside"):
        edit_record(make_record((24, 30, "D")), [edit])


def test_edit_may_take_the_end_of_a_mention():
    edited = edit_record(make_record((24, 30, "D")), [Edit(28, 30, "")])
    assert edited.mentions == (Mention(24, 28, "D"),)


def test_edit_that_takes_a_mention_away_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        edit_record(make_record((24, 30, "D")), [Edit(24, 30, "")])
