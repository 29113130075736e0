"""Linking scores, worked by hand."""

import pytest

from spacy_bioner.evaluation.linking import (
    LabelTally,
    add_tallies,
    score_linking,
    split_ids,
    tally_document,
)
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import GoldMention

TABLE = {"D1", "D2", "D3", "OMIM:4", "D4"}
FIRST = {"D4": "OMIM:4"}


def tally(*rows):
    """Count mentions of one document, given as gold ids and the ids that were found."""
    mentions = [GoldMention((at, at + 1, "D"), "x", gold) for at, (gold, _) in enumerate(rows)]
    return tally_document(
        mentions,
        [found for _, found in rows],
        in_table=lambda key, label: key in TABLE,
        primary=lambda key, label: FIRST.get(key, key),
    )


@pytest.mark.parametrize(
    ("gold", "found", "right", "strict"),
    [
        (("D1",), ("D1",), 1, 1),
        (("MESH:D1",), ("D1",), 1, 1),
        (("D1",), ("D2",), 0, 0),
        (("D1",), (), 0, 0),
        (("D1", "D2"), ("D2", "D1"), 1, 1),
        (("D1+D2",), ("D2", "D1"), 1, 1),
        (("D1", "D2"), ("D1",), 0, 0),
        (("D1",), ("D1", "D2"), 0, 0),
        (("D4",), ("OMIM:4",), 1, 0),
        (("MIM:4",), ("OMIM:4",), 1, 1),
    ],
)
def test_what_counts_as_right(gold, found, right, strict):
    counts = tally((gold, found))["D"]
    assert (counts.right, counts.right_in_table, counts.strict) == (right, right, strict)
    assert (counts.mentions, counts.in_table, counts.linked) == (1, 1, int(bool(found)))


def test_ids_that_the_table_has_not_and_mentions_without_an_id_count_apart():
    counts = tally((("X",), ("X",)), (("D1", "X"), ("D1", "X")), ((), ("D3",)))["D"]
    assert counts == LabelTally(2, 0, 2, 0, 0, 2, 1, Counts(2, 1, 0))


def test_documents_count_distinct_ids():
    counts = tally((("D1",), ("D1",)), (("D1",), ("D2",)), (("D4",), ("OMIM:4",)))["D"]
    assert counts.concepts == Counts(2, 1, 0)


def test_scores_with_intervals():
    documents = [tally((("D1",), ("D1",)), (("D2",), ("D3",))), tally((("X",), ()))]
    scores = score_linking(documents, n_resamples=200, end_to_end=[{"D": Counts(1, 1, 0)}, {}])
    row = scores.rows["D"]
    assert row.total == add_tallies([documents[0]["D"], documents[1]["D"]])
    assert {name: item.value for name, item in row.intervals.items()} == {
        "accuracy in table": 1 / 2,
        "accuracy": 1 / 3,
        "strict ids": 1 / 2,
        "coverage": 2 / 3,
    }
    # D1 right, D3 wrong, D2 and X missed.
    assert {name: item.value for name, item in row.documents.items()} == {
        "precision": 1 / 2,
        "recall": 1 / 3,
        "f_score": 2 / 5,
    }
    assert row.intervals["accuracy"].low == 0.0
    assert row.intervals["accuracy"].high == 1 / 2
    assert scores.end_to_end[""]["precision"].value == 1 / 2
    assert scores.rows[""].total == row.total
    assert scores.to_json()["labels"]["D"]["concepts"]["tp"] == 1


def test_ids_that_need_several_are_split():
    assert split_ids(["MESH:D1+OMIM:2", "D3"]) == {"D1", "OMIM:2", "D3"}
