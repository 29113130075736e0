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
