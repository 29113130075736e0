"""Thresholds that reach a target, by hand-worked counts."""

import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.confidence.predictions import ScoredDocument, judge
from spacy_bioner.evaluation.confidence.thresholds import (
    ScoreTarget,
    choose_thresholds,
    parse_target,
    sweep,
)

# Right, right, wrong, right, wrong, by falling confidence; one mention of A is not found.
GOLD = [(0, 1, "A"), (2, 3, "A"), (6, 7, "A"), (20, 21, "A"), (10, 11, "B")]
FOUND = [(0, 1, "A"), (2, 3, "A"), (4, 5, "A"), (6, 7, "A"), (8, 9, "A"), (10, 11, "B")]
JUDGED = judge([ScoredDocument(GOLD, FOUND, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])])


@pytest.mark.parametrize(
    ("target", "threshold"),
    [
        # 2 of 2; with 3 of 4 recall is higher.
        ("precision=0.9", 0.8),
        ("precision=0.75", 0.6),
        ("precision=0.6", 0.0),
        # 3 of 4 gold mentions are found from 0.6 on, 2 from 0.8 on.
        ("recall=0.75", 0.6),
        ("recall=0.5", 0.8),
        ("recall=0.25", 0.8),
        # Out of reach: the most is 0.75, with the fewest wrong ones.
        ("recall=0.9", 0.6),
    ],
)
def test_a_target_is_reached_at_the_least_price(target, threshold):
    assert choose_thresholds(JUDGED, target=parse_target(target))["A"] == threshold


def test_one_threshold_is_chosen_for_all():
    # All six: 4 of 6 right, 4 of 5 found.
    target = parse_target("recall=0.8")
    assert choose_thresholds(JUDGED, target=target, overall=True) == {None: 0.0}
    assert choose_thresholds(JUDGED, target=parse_target("precision=1"), overall=True) == {
        None: 0.8
    }
    # F1: 2·3/(4 + 5) at 0.6, 2·4/(6 + 5) with all.
    assert choose_thresholds(JUDGED, overall=True) == {None: 0.0}


def test_a_label_without_predictions_reaches_nothing():
    judged = judge([ScoredDocument([(0, 1, "C")], [(2, 3, "A")], [0.9])])
    for measure in ("precision", "recall"):
        target = ScoreTarget(measure, 0.5)
        assert choose_thresholds(judged, target=target) == {"A": 0.0, "C": 0.0}
        assert target.get(sweep(judged, "C").reach(target).counts) == 0.0


def test_targets_are_read_and_written():
    assert parse_target("precision=0.95") == ScoreTarget("precision", 0.95)
    assert str(parse_target("recall=.9")) == "recall=0.9"


@pytest.mark.parametrize(
    "text", ["", "precision", "0.95", "f1=0.9", "recall=", "recall=x", "recall=0", "precision=1.1",
             "precision=95", "recall=nan", "precision=-1"]
)  # fmt: skip
def test_other_targets_are_refused(text):
    with pytest.raises(ConfigError, match=f"found the target '{text}', expected precision or rec"):
        parse_target(text)
