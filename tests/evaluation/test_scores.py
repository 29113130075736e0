import json

import pytest

from spacy_bioner.evaluation.scores import Average, Counts, Metric, Scores


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f_score"),
    [
        (Counts(tp=3, fp=1, fn=2), 3 / 4, 3 / 5, 6 / 9),
        (Counts(tp=0, fp=4, fn=2), 0.0, 0.0, 0.0),
        (Counts(tp=5, fp=0, fn=0), 1.0, 1.0, 1.0),
        (Counts(tp=0, fp=0, fn=3), None, 0.0, 0.0),
        (Counts(tp=0, fp=3, fn=0), 0.0, None, 0.0),
        (Counts(), None, None, None),
    ],
)
def test_counts_give_scores_and_none_for_empty_denominators(counts, precision, recall, f_score):
    assert (counts.precision, counts.recall, counts.f_score) == (precision, recall, f_score)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (Metric("", "exact"), "exact"),
        (Metric("partial", "f_score"), "partial f_score"),
        (Metric("tokens", "recall", "O"), "tokens recall of 'O'"),
        (Metric("concepts", "precision", ""), "concepts precision of ''"),
        (Metric("length", "1 word"), "length: 1 word"),
    ],
)
def test_metrics_have_their_words(metric, words):
    assert metric.words == words


def test_counts_add_up():
    assert Counts(1, 2, 3) + Counts(10, 20, 30) == Counts(11, 22, 33)


def test_micro_sums_types_of_equal_counts():
    scores = Scores(by_type={"Chemical": Counts(2, 1, 1), "Disease": Counts(2, 1, 1)})
    assert scores.micro == Counts(4, 2, 2)


def test_micro_of_no_type_is_empty():
    assert Scores().micro == Counts()


def test_counts_to_json_writes_null_for_empty_denominator():
    assert json.dumps(Counts(fn=1).to_json()) == (
        '{"precision": null, "recall": 0.0, "f_score": 0.0, "accuracy": 0.0, "gold": 1, '
        '"predicted": 0, "tp": 0, "fp": 0, "fn": 1}'
    )


def test_scores_survive_json():
    scores = Scores(
        by_type={"Disease": Counts(1, 2, 3), "Gene": Counts(0, 0, 4)},
        n_docs=7,
        n_exact=5,
        n_unannotated=1,
        n_duplicates=2,
        n_unreachable=3,
        labels_unknown_to_model=("Gene",),
        labels_unknown_to_gold=("Species",),
    )
    assert Scores.from_json(json.loads(json.dumps(scores.to_json()))) == scores


def test_scores_to_json_orders_types_by_name():
    scores = Scores(by_type={"Gene": Counts(1), "Chemical": Counts(2)})
    assert list(scores.to_json()["by_type"]) == ["Chemical", "Gene"]


def test_averages_are_over_the_types_of_gold() -> None:
    # Equal counts in two types, one without predictions, one that gold does not have.
    equal = Counts(2, 1, 1)
    scores = Scores(by_type={"A": equal, "B": equal, "C": Counts(0, 0, 6), "D": Counts(0, 4, 0)})
    assert scores.macro.n_types == 3
    assert scores.macro.precision == pytest.approx(2 * (2 / 3) / 3)
    assert scores.macro.f_score == pytest.approx(2 * (2 / 3) / 3)
    assert scores.weighted.recall == pytest.approx((3 * 2 / 3 + 3 * 2 / 3 + 0) / 12)
    assert Scores(by_type={"D": Counts(0, 4, 0)}).macro == Average(None, None, None, 0)


def test_weighted_recall_is_micro_recall() -> None:
    scores = Scores(by_type={"A": Counts(5, 2, 1), "B": Counts(1, 7, 9)})
    assert scores.weighted.recall == pytest.approx(scores.micro.recall)


def test_entity_accuracy_has_no_true_negatives() -> None:
    assert Counts(2, 1, 1).accuracy == 0.5
    assert Counts().accuracy is None


def test_exact_rate_counts_documents_without_a_mistake() -> None:
    assert Scores(n_docs=4, n_exact=3).exact_rate == 0.75
    assert Scores().exact_rate is None
