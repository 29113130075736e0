import pytest
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bioner.components.gold_tags import UNKNOWN, gold_tag_ids

TAGS = ("O", "B-Gene", "I-Gene")


@pytest.fixture
def predicted() -> Doc:
    words = ["IL", "-", "2", "rose"]
    return Doc(Vocab(), words=words, spaces=[False, False, True, False])


def _reference(predicted: Doc, words, spaces) -> Doc:
    return Doc(predicted.vocab, words=words, spaces=spaces)


def test_gold_tags_follow_entities_of_other_tokens(predicted):
    reference = _reference(predicted, ["IL-2", "rose"], [True, False])
    reference.set_ents([Span(reference, 0, 1, label="Gene")], default="outside")
    assert gold_tag_ids(Example(predicted, reference), TAGS, "BIO").tolist() == [1, 2, 2, 0]


def test_gold_tags_of_an_unannotated_reference_are_unknown(predicted):
    reference = _reference(predicted, ["IL-2", "rose"], [True, False])
    ids = gold_tag_ids(Example(predicted, reference), TAGS, "BIO")
    assert ids.tolist() == [UNKNOWN] * 4


def test_gold_tags_of_an_entity_within_a_token_are_unknown(predicted):
    # Gold "ro" is a part of the token "rose": neither an entity nor outside of all.
    reference = _reference(predicted, ["IL-2", "ro", "se"], [True, False, False])
    reference.set_ents([Span(reference, 1, 2, label="Gene")], default="outside")
    ids = gold_tag_ids(Example(predicted, reference), TAGS, "BIO")
    assert ids.tolist() == [0, 0, 0, UNKNOWN]
