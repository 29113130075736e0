"""Recall by kind of mention, by hand."""

import pytest
import spacy
from spacy.tokens import Doc

from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.metrics.stratified_recall import (
    TrainingMentions,
    split_document,
    sum_strata,
)
from spacy_bioner.gold import ANNOTATED_KEY, GOLD_KEY, GoldMention

NLP = spacy.blank("en")
TEXT = "ASA and acetylsalicylic acid, Aspirin or severe acute respiratory syndrome"
GOLD = [
    [0, 3, "Chemical", ["D1"]],
    [8, 28, "Chemical", ["D1"]],
    [30, 37, "Chemical", ["D1"]],
    [41, 74, "Disease", ["D9"]],
    [41, 47, "Disease", []],
]
TRAIN = TrainingMentions(
    [
        GoldMention((0, 7, "Chemical"), "aspirin", ("D1",)),
        GoldMention((0, 7, "Chemical"), "ASPIRIN", ("D1",)),
        GoldMention((0, 3, "Disease"), "ASA", ("D7",)),
    ]
)


def make_docs(found=((0, 3), (30, 37))) -> tuple[Doc, Doc]:
    gold, predicted = NLP.make_doc(TEXT), NLP.make_doc(TEXT)
    gold.user_data[GOLD_KEY] = GOLD
    labels = {(start, end): label for start, end, label, _ in GOLD}
    predicted.ents = [predicted.char_span(*key, label=labels[key]) for key in found]
    return gold, predicted


def split_recall(pairs, train=None) -> list:
    return sum_strata([split_document(pair, compare_docs(*pair), train) for pair in pairs])


def cells(strata, division: str) -> dict:
    return {row.name: (row.found, row.gold) for row in strata if row.division == division}


def test_recall_is_split_four_ways() -> None:
    strata = split_recall([make_docs()], TRAIN)
    assert cells(strata, "novelty") == {
        "seen in training": (1, 1),
        # ASA was seen with another label, which does not help.
        "synonym of a seen concept": (1, 2),
        "unseen concept": (0, 1),
        "unseen, without a concept id": (0, 1),
    }
    assert cells(strata, "frequency") == {
        "not in training": (1, 4),
        "once": (0, 0),
        "2 to 9 times": (1, 1),
        "10 times or more": (0, 0),
    }
    assert cells(strata, "length") == {
        "1 word": (2, 3),
        "2 words": (0, 1),
        "3 words": (0, 0),
        "4 words or more": (0, 1),
    }
    assert cells(strata, "form") == {"short form": (1, 1), "other": (1, 4)}


def test_each_division_has_all_gold_mentions() -> None:
    strata = split_recall([make_docs(), make_docs(())], TRAIN)
    for division in ("novelty", "frequency", "length", "form"):
        rows = cells(strata, division).values()
        assert (sum(row[1] for row in rows), sum(row[0] for row in rows)) == (10, 2)


def test_without_training_data_there_is_no_novelty() -> None:
    assert {row.division for row in split_recall([make_docs()])} == {"length", "form"}


def test_recall_of_nothing_is_not_defined() -> None:
    empty = NLP.make_doc("rats")
    empty.user_data[GOLD_KEY] = []
    assert {row.recall for row in split_recall([(empty, NLP.make_doc("rats"))])} == {None}
    assert split_recall([make_docs()])[0].recall == 2 / 3


def test_labels_that_are_not_annotated_are_left_out() -> None:
    gold, predicted = make_docs()
    gold.user_data[ANNOTATED_KEY] = ["Chemical"]
    assert sum(row.gold for row in split_recall([(gold, predicted)]) if row.division == "form") == 3


def test_texts_that_differ_are_refused() -> None:
    gold, _ = make_docs()
    with pytest.raises(CorpusError, match="differ in their white space"):
        split_recall([(gold, NLP.make_doc(TEXT.replace(" ", "  ")))])


@pytest.mark.parametrize(
    ("surface", "is_short"),
    [("HIV-1", True), ("mRNA", True), ("5-HT", True), ("Naloxone", False), ("aspirin", False),
     ("TNF alpha", False), ("ATPase", False), ("ATPases", False), ("123", False), ("A", False)],
)  # fmt: skip
def test_short_forms(surface, is_short) -> None:
    gold, predicted = NLP.make_doc(surface), NLP.make_doc(surface)
    gold.user_data[GOLD_KEY] = [[0, len(surface), "X", []]]
    assert cells(split_recall([(gold, predicted)]), "form")["short form"] == (0, int(is_short))


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "not in training"), (1, "once"), (2, "2 to 9 times"), (9, "2 to 9 times"),
     (10, "10 times or more")],
)  # fmt: skip
def test_frequencies_by_the_number_in_training(number, name) -> None:
    train = TrainingMentions([GoldMention((0, 5, "Disease"), "fever")] * number)
    assert train.frequency(GoldMention((0, 5, "Disease"), "Fever")) == name


def test_a_mention_of_several_concepts_is_a_synonym_where_one_was_seen() -> None:
    names = [
        TRAIN.novelty(GoldMention((0, 4, "Chemical"), "mixture", ids))
        for ids in (("D1", "D5"), ("D5", "D6"), ())
    ]
    assert names == [
        "synonym of a seen concept", "unseen concept", "unseen, without a concept id"
    ]  # fmt: skip
