"""Intervals of shares: their values are those of the figures, their ends those of resamples."""

import numpy as np
import pytest
from spacy.tokens import Span

from spacy_bioner.evaluation.bootstrap.ratios import (
    bootstrap_calibration_error,
    bootstrap_shares,
)
from spacy_bioner.evaluation.bootstrap.resampling import draw_documents
from spacy_bioner.evaluation.confidence.calibration import calibrate
from spacy_bioner.evaluation.confidence.predictions import ScoredDocument, judge
from spacy_bioner.evaluation.evaluation import measure
from spacy_bioner.evaluation.scores import (
    ACCURACY,
    BRIER,
    CALIBRATION_ERROR,
    EXACT,
    LOG_LOSS,
    TOKEN_ACCURACY,
    Counts,
    Metric,
)
from spacy_bioner.gold import GOLD_KEY
from tests.evaluation.test_evaluation import PAIRS, make_pair


def test_a_share_by_hand() -> None:
    half, none = Metric("a", "recall"), Metric("b", "recall")
    shares = {half: ([1, 0], [1, 1]), none: ([0, 0], [0, 0])}
    found = bootstrap_shares(shares, n_resamples=2000)
    # Two documents drawn twice: 0, 1/2 and 1 with chances of 1/4, 1/2 and 1/4.
    assert (found[half].value, found[half].low, found[half].high) == (0.5, 0.0, 1.0)
    assert found[none].value is None
    assert bootstrap_shares({}) == {}


def make_nameless_pair():
    """Mentions and concepts with labels that could be taken for other names, and with none."""
    gold, found = make_pair([(0, 7, "concepts"), (21, 29, "type")])
    gold.user_data[GOLD_KEY] = [
        [0, 7, "concepts", ["1"]],
        [8, 13, "", ["2"]],
        [14, 29, "type", ["3"]],
    ]
    found.ents = [
        Span(found, ent.start, ent.end, ent.label_, kb_id=name)
        for ent, name in zip(found.ents, ("1", "9"))
    ]
    return gold, found


NAMES = ("precision", "recall", "f_score")


def test_the_values_are_those_of_the_figures() -> None:
    found = measure(PAIRS, n_resamples=20)
    shares = {metric: interval.value for metric, interval in found.shares.items()}
    assert shares[ACCURACY] == found.strict.micro.accuracy
    assert shares[EXACT] == found.strict.exact_rate
    assert shares[TOKEN_ACCURACY] == pytest.approx(found.tokens.accuracy)
    for item in found.strata:
        assert shares[item.metric] == item.recall
    for swept in found.sweeps:
        assert shares[Metric("average", "precision", swept.label)] == pytest.approx(
            swept.average_precision
        )
    assert found.calibration is not None
    assert shares[CALIBRATION_ERROR] == pytest.approx(found.calibration.error, abs=1e-6)
    assert shares[BRIER] == pytest.approx(found.calibration.brier, abs=1e-6)
    assert shares[LOG_LOSS] == pytest.approx(found.calibration.log_loss, abs=1e-6)


def test_the_values_are_those_of_the_counts() -> None:
    found = measure([*PAIRS, make_nameless_pair()], n_resamples=20)
    assert found.concepts is not None
    assert set(found.concepts) == {"", "Chemical", "Disease", "concepts", "type"}
    rows = {(scheme, None): counts for scheme, counts in found.schemes.items()}
    for label, schemes in found.schemes_by_type.items():
        rows.update({(scheme, label): counts for scheme, counts in schemes.items()})
    rows.update({("tokens", tag): counts for tag, counts in found.tokens.by_tag.items()})
    rows.update({("concepts", label): counts for label, counts in found.concepts.items()})
    rows["tokens", None] = found.tokens.micro
    rows["concepts", None] = sum(found.concepts.values(), Counts())
    assert len(rows) == 4 + 5 * 4 + len(found.tokens.by_tag) + 5 + 2
    for (group, kind), counts in rows.items():
        for name in NAMES:
            value = found.shares[Metric(group, name, kind)].value
            assert value == pytest.approx(getattr(counts, name)), (group, name, kind)
    # Nothing shares a name with anything else, in words neither.
    partial = 3 * len(rows)
    others = {ACCURACY, EXACT, TOKEN_ACCURACY, CALIBRATION_ERROR, BRIER, LOG_LOSS}
    strata = {item.metric for item in found.strata}
    assert len(found.shares) == partial + len(others | strata) + len(found.sweeps)
    assert len({metric.words for metric in found.shares}) == len(found.shares)


def test_the_calibration_error_is_that_of_the_bins() -> None:
    rng = np.random.default_rng(0)
    documents = []
    for _ in range(30):
        values = rng.random(4)
        gold = [(place, place + 1, "A") for place in range(4) if rng.random() < values[place] ** 2]
        predicted = [(place, place + 1, "A") for place in range(4)]
        documents.append(ScoredDocument(gold, predicted, [float(value) for value in values]))
    judged = judge(documents)
    found = bootstrap_calibration_error(judged, seed=4, n_resamples=50)
    assert found.value == pytest.approx(calibrate(judged).error, abs=1e-6)
    weights = np.concatenate(list(draw_documents(30, n_resamples=50, seed=4))).astype(int)
    drawn = [[documents[place] for place in np.repeat(np.arange(30), row)] for row in weights]
    wanted = np.percentile([calibrate(judge(item)).error for item in drawn], [2.5, 97.5])
    assert [found.low, found.high] == pytest.approx(wanted.tolist(), abs=1e-6)
