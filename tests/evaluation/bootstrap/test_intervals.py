import numpy as np
import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import (
    Interval,
    bootstrap_scores,
    count_documents,
    make_interval,
)
from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.runner import evaluate_documents
from spacy_bioner.evaluation.scores import Counts

COUNTS = [Counts(3, 1, 0), Counts(1, 2, 2), Counts(0, 0, 0), Counts(5, 0, 1)]


def test_values_are_those_of_the_summed_counts():
    scores = bootstrap_scores(COUNTS, seed=1)
    total = sum(COUNTS, Counts())
    assert scores.precision.value == total.precision
    assert scores.recall.value == total.recall
    assert scores.f_score.value == total.f_score
    assert scores.f_score.low <= scores.f_score.value <= scores.f_score.high


def test_interval_is_that_of_resampling_in_a_loop():
    scores = bootstrap_scores(COUNTS, seed=7, n_resamples=200, level=0.9)
    drawn = np.random.default_rng(7).integers(4, size=(200, 4))
    sums = [sum((COUNTS[i] for i in row), Counts()) for row in drawn]
    known = [item.f_score for item in sums if item.f_score is not None]
    low, high = np.percentile(known, [5, 95])
    assert (scores.f_score.low, scores.f_score.high) == pytest.approx((low, high))


def test_same_seed_gives_the_same_interval_and_blocks_do_not_matter(monkeypatch):
    whole = bootstrap_scores(COUNTS, seed=3)
    monkeypatch.setattr("spacy_bioner.evaluation.bootstrap.resampling.MAX_CELLS", 10)
    assert bootstrap_scores(COUNTS, seed=3) == whole
    assert bootstrap_scores(COUNTS, seed=4) != whole


def test_equal_documents_have_an_interval_without_width():
    scores = bootstrap_scores([Counts(1, 1, 0)] * 5)
    assert scores.precision == Interval(0.5, 0.5, 0.5)


def test_undefined_scores_have_no_interval():
    nothing = Interval(None, None, None)
    assert bootstrap_scores([]).f_score == nothing
    missed = bootstrap_scores([Counts(0, 0, 2)])
    assert (missed.precision, missed.f_score) == (nothing, Interval(0.0, 0.0, 0.0))


@pytest.mark.parametrize("settings", [{"n_resamples": 0}, {"level": 1.0}, {"level": 0.0}])
def test_impossible_settings_are_an_error(settings):
    with pytest.raises(ConfigError, match="expected 1 or more and a level between 0 and 1"):
        bootstrap_scores(COUNTS, **settings)


def test_unannotated_documents_are_not_counted():
    gold = Comparison([(0, 1, "A"), (2, 3, "B")], [(0, 1, "A"), (2, 3, "A")], 5)
    assert count_documents([gold, Comparison(None, [], 5)]) == [Counts(1, 1, 1)]


def test_evaluation_of_documents_has_counts_of_each(trained_nlp, make_example):
    known = make_example("hypertension in rats", [(0, 12, "Disease")]).reference
    wrong = make_example("hypertension in rats", [(0, 12, "Chemical")]).reference
    evaluation = evaluate_documents(trained_nlp, [known, wrong])
    assert evaluation.counts == (Counts(1, 0, 0), Counts(0, 1, 1))
    assert evaluation.scores.micro == Counts(1, 1, 1)
    assert evaluation.pace.n_words == 6


def ends(interval):
    return pytest.approx((interval.low, interval.high))


def test_nineteen_of_twenty_resamples_lie_between_the_ends():
    # 0 to 1,000: a fortieth of them is below 25, and a fortieth above 975.
    assert ends(make_interval(500.0, np.arange(1001.0))) == (25.0, 975.0)
    assert ends(make_interval(500.0, np.arange(1001.0), 0.8)) == (100.0, 900.0)
    assert (bootstrap_scores(COUNTS).level, bootstrap_scores(COUNTS).n_resamples) == (0.95, 1000)
    assert bootstrap_scores(COUNTS) == bootstrap_scores(COUNTS, level=0.95)


def test_resamples_in_which_a_score_is_not_defined_do_not_count():
    resampled = np.concatenate([np.full(500, np.nan), np.arange(1001.0)])
    assert ends(make_interval(500.0, resampled)) == (25.0, 975.0)
    # Two documents, one of them empty: in a quarter of the resamples there is no recall.
    assert bootstrap_scores([Counts(1, 0, 0), Counts()]).recall == Interval(1.0, 1.0, 1.0)
