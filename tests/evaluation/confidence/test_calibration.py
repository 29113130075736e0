"""Confidences held against outcomes, by hand and against scikit-learn's figures."""

import numpy as np
import pytest

from spacy_bioner.architectures.decoding import scale_confidences
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.confidence.calibration import calibrate, fit_scaling
from spacy_bioner.evaluation.confidence.predictions import Judged, ScoredDocument, judge
from spacy_bioner.evaluation.confidence.thresholds import choose_thresholds, sweep
from spacy_bioner.evaluation.scores import Counts

A, B = "Chemical", "Disease"


def make(values, right, labels=None, gold=None) -> Judged:
    labels = labels or [A] * len(values)
    outcome = np.array(right, dtype=bool)
    return Judged(
        tuple(labels), np.array(values, dtype=float), outcome, np.zeros(len(values), dtype=int),
        gold or {A: int(outcome.sum())}, 1, {},
    )  # fmt: skip


def test_predictions_are_judged_strictly() -> None:
    documents = [
        ScoredDocument([(0, 4, A), (5, 9, B)], [(0, 4, A), (0, 4, A), (5, 9, A)], [0.9, 0.8, 0.7]),
        ScoredDocument([(0, 4, B), (0, 4, B)], [(0, 4, B), (6, 9, B)], [0.6, None]),
    ]
    judged = judge(documents)
    assert judged.right.tolist() == [True, False, False, True]
    assert judged.documents.tolist() == [0, 0, 0, 1]
    assert (judged.gold, judged.n_docs, judged.n_without) == ({A: 1, B: 2}, 2, 1)
    alone = judged.select(B)
    assert (alone.labels, alone.gold, alone.right.tolist()) == ((B,), {B: 2}, [True])


def test_a_system_without_confidences_is_refused() -> None:
    with pytest.raises(ConfigError, match="found 1 predictions without a confidence"):
        judge([ScoredDocument([], [(0, 4, A)], [None])])
    with pytest.raises(ConfigError, match=r"found the confidence 1\.5, expected 0 to 1"):
        judge([ScoredDocument([], [(0, 4, A)], [1.5])])


def test_the_error_by_hand() -> None:
    # 0.95, 0.95 in the last of ten bins, one right; 0.25 in the third, wrong; 1.0 counts as last.
    found = calibrate(make([0.95, 0.95, 0.25, 1.0], [True, False, False, True]))
    last = found.bins[-1]
    assert (last.n, last.right) == (3, pytest.approx(2 / 3))
    assert last.confidence == pytest.approx(2.9 / 3)
    assert found.error == pytest.approx(3 / 4 * (2.9 - 2) / 3 + 1 / 4 * 0.25)
    assert found.greatest == pytest.approx(0.3)
    assert found.brier == pytest.approx((0.05**2 + 0.95**2 + 0.25**2) / 4)
    assert sum(item.n for item in found.bins) == found.n == 4


def test_nothing_predicted_has_no_error() -> None:
    found = calibrate(make([], []))
    assert (found.error, found.greatest, found.brier, found.log_loss, found.n) == (*[None] * 4, 0)


def test_figures_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    drawn = np.random.default_rng(0)
    values = drawn.random(500)
    right = drawn.random(500) < values**2
    found = calibrate(make(values, right))
    assert found.brier == pytest.approx(metrics.brier_score_loss(right, values))
    assert found.log_loss == pytest.approx(metrics.log_loss(right, values), rel=1e-4)
    swept = sweep(make(values, right))
    wanted = metrics.average_precision_score(right, values)
    assert swept.average_precision == pytest.approx(wanted)
    precision, recall, limits = metrics.precision_recall_curve(right, values)
    assert [p.threshold for p in swept.points[1:]] == pytest.approx(limits.tolist())
    assert [p.counts.precision for p in swept.points[1:]] == pytest.approx(precision[:-1].tolist())
    assert [p.counts.recall for p in swept.points[1:]] == pytest.approx(recall[:-1].tolist())


def test_the_temperature_that_made_confidences_too_sure_is_found() -> None:
    drawn = np.random.default_rng(1)
    honest = drawn.random(40_000)
    right = drawn.random(40_000) < honest
    too_sure = make(scale_confidences(honest, 0.4), right)
    temperature, bias = fit_scaling(too_sure)
    assert temperature == pytest.approx(2.5, rel=0.05)
    assert bias == pytest.approx(0.0, abs=0.03)
    assert calibrate(too_sure, temperature=temperature, bias=bias).error < 0.02
    assert calibrate(too_sure).error > 0.08


def test_the_bias_that_made_confidences_too_sure_is_found() -> None:
    drawn = np.random.default_rng(2)
    honest = drawn.random(40_000)
    right = drawn.random(40_000) < honest
    too_sure = make(scale_confidences(honest, 0.5, 1.5), right)
    temperature, bias = fit_scaling(too_sure)
    # Twice the log-odds and 1.5 more: half of them, less 0.75.
    assert temperature == pytest.approx(2.0, rel=0.05)
    assert bias == pytest.approx(-0.75, abs=0.04)
    assert calibrate(too_sure, temperature=temperature, bias=bias).error < 0.02


def test_few_predictions_that_are_told_apart_do_not_become_certain() -> None:
    temperature, bias = fit_scaling(make([0.6, 0.7, 0.8, 0.9], [False, False, True, True]))
    scaled = scale_confidences([0.6, 0.9], temperature, bias)
    # Two of a kind count as 3 of 4.
    assert 0.1 < scaled[0] < 0.5 < scaled[1] < 0.9


def test_scaling_keeps_the_order_and_one_half() -> None:
    values = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    scaled = scale_confidences(values, 3.0)
    assert (np.diff(scaled) > 0).all()
    assert scaled[2] == 0.5
    assert scale_confidences(values, 1.0).tolist() == values.tolist()


def test_temperatures_above_one_make_confidences_more_modest() -> None:
    # Odds of 4 to 1 become 2 to 1, or 16 to 1.
    assert scale_confidences([0.8, 0.2], 2.0) == pytest.approx([2 / 3, 1 / 3])
    assert scale_confidences([0.8, 0.2], 0.5) == pytest.approx([16 / 17, 1 / 17])


def test_a_bias_multiplies_the_odds() -> None:
    # Odds of 4 to 1 become 2 to 1, and those of 1 to 1 become 1 to 2.
    assert scale_confidences([0.8, 0.5], 1.0, -np.log(2.0)) == pytest.approx([2 / 3, 1 / 3])
    # The temperature comes first: 16 to 1, then 4 to 1, then 8 to 1.
    assert scale_confidences([16 / 17], 2.0, np.log(2.0)) == pytest.approx([8 / 9])


@pytest.mark.parametrize("right", [[], [True, True], [False, False]])
def test_no_temperature_is_fitted_on_one_outcome(right) -> None:
    with pytest.raises(ConfigError, match="expected both right and wrong ones"):
        fit_scaling(make([0.5] * len(right), right))


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="found 0 bins"):
        calibrate(make([0.5], [True]), n_bins=0)
    with pytest.raises(ConfigError, match="temperature 0, expected"):
        calibrate(make([0.5], [True]), temperature=0.0)


def test_a_sweep_by_hand() -> None:
    judged = make([0.9, 0.6, 0.6, 0.3], [True, True, False, False], gold={A: 3})
    swept = sweep(judged)
    assert [(p.threshold, p.counts) for p in swept.points] == [
        (0.0, Counts(2, 2, 1)),
        (0.3, Counts(2, 2, 1)),
        (0.6, Counts(2, 1, 1)),
        (0.9, Counts(1, 0, 2)),
    ]
    assert swept.best().threshold == 0.6
    assert swept.average_precision == pytest.approx(1 / 3 * 1.0 + 1 / 3 * 2 / 3)


def test_thresholds_are_chosen_by_label() -> None:
    judged = make(
        [0.9, 0.2, 0.8, 0.4], [True, False, True, True], [A, A, B, B], gold={A: 1, B: 2, "C": 4}
    )
    assert choose_thresholds(judged) == {A: 0.9, B: 0.0, "C": 0.0}


def test_a_label_without_predictions_has_one_point() -> None:
    swept = sweep(make([], [], gold={A: 2}), A)
    assert [(p.threshold, p.counts) for p in swept.points] == [(0.0, Counts(0, 0, 2))]
    assert swept.average_precision == 0.0


def test_predictions_without_a_confidence_are_kept_at_every_threshold() -> None:
    documents = [
        ScoredDocument([(0, 4, A), (5, 9, A), (10, 14, A)], [(0, 4, A), (5, 9, A)], [None, 0.6]),
        ScoredDocument([], [(0, 4, A)], [0.9]),
    ]
    found = sweep(judge(documents))
    assert found.points[0].counts == Counts(2, 1, 1)
    assert [(p.threshold, p.counts) for p in found.points[1:]] == [
        (0.6, Counts(2, 1, 1)),
        (0.9, Counts(1, 1, 2)),
    ]
    # The kept one ranks first: a third of the gold at precision 1; then 1/3 more at 2/3.
    assert found.average_precision == pytest.approx(1 / 3 + 2 / 9)


def test_wrong_predictions_without_a_confidence_lower_the_precision_everywhere() -> None:
    gold = [(0, 4, A), (5, 9, A)]
    found = sweep(judge([ScoredDocument(gold, [(0, 4, A), (20, 24, A)], [0.6, None])]))
    assert [(p.threshold, p.counts) for p in found.points] == [
        (0.0, Counts(1, 1, 1)),
        (0.6, Counts(1, 1, 1)),
    ]
    # Half of the gold at a precision of one half.
    assert found.average_precision == pytest.approx(1 / 4)


def test_mentions_without_a_label_have_a_sweep_of_their_own() -> None:
    documents = [ScoredDocument([(0, 7, ""), (8, 9, A)], [(8, 9, A)], [0.9])]
    judged = judge(documents)
    assert sweep(judged, "").points[0].counts == Counts(0, 0, 1)
    assert sweep(judged).points[0].counts == Counts(1, 0, 1)


def test_bins_are_of_equal_width_and_begin_with_their_low_end() -> None:
    values = [0.0, 0.125, 0.249, 0.25, 0.375, 0.5, 0.75, 0.99, 1.0]
    found = calibrate(make(values, [value > 0.3 for value in values]), n_bins=4)
    assert [(item.low, item.high, item.n) for item in found.bins] == [
        (0.0, 0.25, 3),
        (0.25, 0.5, 2),
        (0.5, 0.75, 1),
        (0.75, 1.0, 3),
    ]
    assert [item.right for item in found.bins] == [0.0, 0.5, 1.0, 1.0]


def test_each_tenth_has_its_own_bin() -> None:
    values = [place / 10 + step for place in range(10) for step in (0.02, 0.05, 0.08)]
    found = calibrate(make(values, [True] * 30))
    assert [item.n for item in found.bins] == [3] * 10
    assert [item.confidence for item in found.bins] == pytest.approx(
        [place / 10 + 0.05 for place in range(10)]
    )
    # Mixed up, halves of two neighbours would come nearer to 1 together.
    assert found.greatest == pytest.approx(0.95)
    assert found.error == pytest.approx(0.5)
