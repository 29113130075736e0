"""Scores of tokens, by hand and against scikit-learn and seqeval."""

import numpy as np
import pytest

from spacy_bioner.evaluation.metrics.token_level import (
    area_under_roc,
    list_label_columns,
    score_tokens,
    tag_tokens,
)
from spacy_bioner.evaluation.scores import Counts

TOKENS = [(0, 4), (5, 9), (10, 12), (12, 16)]


@pytest.mark.parametrize(
    ("mentions", "tags"),
    [
        ([], ["O", "O", "O", "O"]),
        ([(0, 9, "A")], ["B-A", "I-A", "O", "O"]),
        ([(0, 4, "A"), (5, 9, "A")], ["B-A", "B-A", "O", "O"]),
        # A mention that ends within a token takes it.
        ([(6, 11, "A")], ["O", "B-A", "I-A", "O"]),
        ([(12, 16, "A")], ["O", "O", "O", "B-A"]),
        ([(0, 9, "A"), (5, 9, "B")], ["B-A", "I-A", "O", "O"]),
        # Of those that begin together the longest.
        ([(0, 4, "A"), (0, 9, "B")], ["B-B", "I-B", "O", "O"]),
        ([(4, 5, "A")], ["O", "O", "O", "O"]),
    ],
)
def test_tags(mentions, tags) -> None:
    assert tag_tokens(mentions, TOKENS) == tags


def test_counts_by_tag() -> None:
    scores = score_tokens([(["B-A", "I-A", "O", "O"], ["B-A", "O", "B-A", "O"]), (["O"], ["O"])])
    assert scores.by_tag == {"B-A": Counts(1, 1, 0), "I-A": Counts(0, 0, 1), "O": Counts(2, 1, 1)}
    assert list(scores.by_tag)[-1] == "O"
    assert scores.accuracy == 3 / 5
    assert scores.micro == Counts(1, 1, 1)
    assert score_tokens([]).accuracy is None


def test_figures_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    drawn = np.random.default_rng(0)
    gold, found = (drawn.choice(["O", "B-A", "I-A", "B-B"], size=400).tolist() for _ in range(2))
    scores = score_tokens([(gold, found)])
    wanted = metrics.classification_report(gold, found, output_dict=True)
    for tag, counts in scores.by_tag.items():
        assert counts.precision == pytest.approx(wanted[tag]["precision"])
        assert counts.recall == pytest.approx(wanted[tag]["recall"])
        assert counts.f_score == pytest.approx(wanted[tag]["f1-score"])
    assert scores.accuracy == pytest.approx(wanted["accuracy"])
    values = np.round(drawn.random(400), 1)
    positive = np.array(gold) == "O"
    area = area_under_roc(values, positive)
    assert area == pytest.approx(metrics.roc_auc_score(positive, values))


def test_an_area_needs_both_outcomes() -> None:
    assert area_under_roc(np.array([0.1, 0.9]), np.array([True, True])) is None
    assert area_under_roc(np.array([0.1, 0.9]), np.array([False, True])) == 1.0
    assert area_under_roc(np.array([0.5, 0.5]), np.array([False, True])) == 0.5


def test_tags_of_a_label_belong_together() -> None:
    tags = ["O", "B-B", "I-B", "B-A", "I-A"]
    assert list_label_columns(tags) == {"A": [3, 4], "B": [1, 2]}
    assert list_label_columns(["B-A", "I-A", "L-A", "U-A", "O"]) == {"A": [0, 1, 2, 3]}
