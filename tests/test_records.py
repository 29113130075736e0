from dataclasses import FrozenInstanceError

import pytest

from spacy_bioner.records import Concept, Mention, Record


def test_record_defaults_are_empty_and_not_shared():
    first, second = Record("1", "text"), Record("2", "text")
    assert first.mentions == first.sections == first.words == first.sentence_starts == ()
    assert first.meta == {}
    assert first.meta is not second.meta


@pytest.mark.parametrize("item", [Record("1", "t"), Mention(0, 1, "A"), Concept("MESH:D003920")])
def test_records_are_frozen(item):
    name = next(iter(vars(item)))
    with pytest.raises(FrozenInstanceError):
        setattr(item, name, "other")


def test_mentions_with_equal_fields_are_equal():
    assert Mention(0, 3, "A", concept_ids=("D1",)) == Mention(0, 3, "A", concept_ids=("D1",))
    assert Mention(0, 3, "A") != Mention(0, 3, "B")


@pytest.mark.parametrize(
    ("mention", "pieces", "covered"),
    [
        (Mention(0, 5, "A"), ((0, 5),), "renal"),
        (Mention(0, 17, "A", fragments=((0, 5), (10, 17))), ((0, 5), (10, 17)), "renal failure"),
    ],
)
def test_pieces_of_a_mention_are_what_it_covers(mention, pieces, covered):
    assert mention.pieces == pieces
    assert mention.covered("renal and failure") == covered


def test_the_key_of_a_mention_is_its_place_and_label():
    fragments = ((0, 5), (10, 16))
    mention = Mention(0, 16, "A", "renal failure", ("D1",), fragments, 3)
    assert mention.key == (0, 16, "A", fragments) == Mention(0, 16, "A", fragments=fragments).key
    assert mention.key != Mention(0, 16, "A").key


def test_a_mention_with_another_label_is_otherwise_the_same():
    mention = Mention(0, 5, "A", "renal", ("D1",), line=3)
    assert mention.labeled("B") == Mention(0, 5, "B", "renal", ("D1",), line=3)
    assert mention.labeled("A") is mention
