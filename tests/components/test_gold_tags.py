import pytest
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bioner.components.gold_tags import allowed_tags
from spacy_bioner.errors import LabelError
from spacy_bioner.gold import ANNOTATED_KEY

TAGS = ("O", "B-Gene", "I-Gene")


@pytest.fixture
def predicted() -> Doc:
    words = ["IL", "-", "2", "rose"]
    return Doc(Vocab(), words=words, spaces=[False, False, True, False])


def known(example: Example, tags=TAGS) -> list:
    """The allowed tags of each token, joined."""
    allowed = allowed_tags(example, tags, "BIO")
    return [" ".join(tag for tag, flag in zip(tags, row) if flag) for row in allowed]


def _reference(predicted: Doc, words, spaces) -> Doc:
    return Doc(predicted.vocab, words=words, spaces=spaces)


def test_gold_tags_follow_entities_of_other_tokens(predicted):
    reference = _reference(predicted, ["IL-2", "rose"], [True, False])
    reference.set_ents([Span(reference, 0, 1, label="Gene")], default="outside")
    assert known(Example(predicted, reference)) == ["B-Gene", "I-Gene", "I-Gene", "O"]


def test_gold_tags_of_an_unannotated_reference_are_unknown(predicted):
    reference = _reference(predicted, ["IL-2", "rose"], [True, False])
    assert known(Example(predicted, reference)) == ["O B-Gene I-Gene"] * 4


def test_gold_tags_of_an_entity_within_a_token_are_unknown(predicted):
    # Gold "ro" is a part of the token "rose": neither an entity nor outside of all.
    reference = _reference(predicted, ["IL-2", "ro", "se"], [True, False, False])
    reference.set_ents([Span(reference, 1, 2, label="Gene")], default="outside")
    assert known(Example(predicted, reference)) == ["O", "O", "O", "O B-Gene I-Gene"]


def test_outside_of_a_corpus_with_some_labels_may_be_any_other(predicted):
    reference = _reference(predicted, ["IL", "-", "2", "rose"], [False, False, True, False])
    reference.set_ents([Span(reference, 0, 3, label="Gene")], default="outside")
    reference.user_data[ANNOTATED_KEY] = ["Gene"]
    tags = (*TAGS, "B-Disease", "I-Disease")
    found = known(Example(predicted, reference), tags)
    assert found == ["B-Gene", "I-Gene", "I-Gene", "O B-Disease I-Disease"]


def test_an_entity_of_a_label_that_is_not_annotated_is_refused(predicted):
    reference = _reference(predicted, ["IL-2", "rose"], [True, False])
    reference.set_ents([Span(reference, 0, 1, label="Gene")], default="outside")
    reference.user_data[ANNOTATED_KEY] = ["Disease"]
    with pytest.raises(LabelError, match=r"labeled Gene in a document .* annotate Disease only"):
        allowed_tags(Example(predicted, reference), TAGS, "BIO")


def test_gold_tags_of_tokens_that_are_no_words_are_unknown(predicted):
    tokens = ["\n", "IL", "\n", "-", "\t", "2", "\u200b\n", "rose"]
    doc = Doc(predicted.vocab, words=tokens, spaces=[False] * 8)
    gold = doc.copy()
    gold.set_ents([Span(gold, 0, 7, label="Gene")], default="outside")
    unknown = "O B-Gene I-Gene"
    assert known(Example(doc, gold)) == [
        unknown, "B-Gene", unknown, "I-Gene", unknown, "I-Gene", unknown, "O"
    ]  # fmt: skip


def test_gold_tags_of_an_entity_within_a_word_are_unknown(predicted):
    doc = Doc(
        predicted.vocab, words=["kid", "\u00ad", "ney", "rose"], spaces=[False, False, True, False]
    )
    gold = doc.copy()
    gold.set_ents([Span(gold, 0, 1, label="Gene")], default="outside")
    assert known(Example(doc, gold))[0::3] == ["O B-Gene I-Gene", "O"]
    gold.set_ents([Span(gold, 0, 3, label="Gene")], default="outside")
    assert known(Example(doc, gold))[0::3] == ["B-Gene", "O"]


def test_gold_tags_of_an_entity_of_white_space_are_those_of_nothing(predicted):
    doc = Doc(predicted.vocab, words=["\n", "rose"], spaces=[False, False])
    gold = doc.copy()
    gold.set_ents([Span(gold, 0, 1, label="Gene")], default="outside")
    assert known(Example(doc, gold)) == ["O B-Gene I-Gene", "O"]
