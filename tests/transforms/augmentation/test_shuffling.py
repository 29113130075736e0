import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.shuffling import shuffle_mentions
from tests.transforms.augmentation.strategies import QUICK, assert_labels_kept, contexts, records


def test_two_mentions_swap_texts_and_ids_but_not_attributes():
    negated = (("Negation", "true"),)
    record = Record(
        "1",
        "Asthma, not gout, after aspirin.",
        (
            Mention(0, 6, "Disease", "Asthma", ("C1",)),
            Mention(12, 16, "Disease", "gout", ("C2",), attributes=negated),
            Mention(24, 31, "Chemical", "aspirin", ("C3",)),
        ),
    )
    variant = shuffle_mentions(record, random.Random(0))
    assert variant.text == "Gout, not asthma, after aspirin."
    assert variant.mentions == (
        Mention(0, 4, "Disease", "Gout", ("C2",)),
        Mention(10, 16, "Disease", "asthma", ("C1",), attributes=negated),
        Mention(24, 31, "Chemical", "aspirin", ("C3",)),
    )


def test_mentions_that_say_the_same_stay():
    record = Record("1", "gout and gout", (Mention(0, 4, "D"), Mention(9, 13, "D")))
    assert shuffle_mentions(record, random.Random(0)) is record


def test_mentions_of_different_labels_stay():
    record = Record("1", "gout and rice", (Mention(0, 4, "D"), Mention(9, 13, "S")))
    assert shuffle_mentions(record, random.Random(0)) is record


@QUICK
@given(records(), st.integers(0, 9))
def test_shuffling_keeps_labels_context_and_the_mentions_of_each_label(record, seed):
    variant = shuffle_mentions(record, random.Random(seed))
    assert_labels_kept(record, variant)
    assert contexts(variant) == contexts(record)
    assert _count(variant) == _count(record)


def _count(record):
    return Counter(
        (m.label, record.text[m.start_char : m.end_char].casefold(), m.concept_ids)
        for m in record.mentions
    )
