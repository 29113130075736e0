"""Intervals of shares: their values are those of the figures, their ends those of resamples."""

import numpy as np
import pytest

from spacy_bioner.evaluation.calibration import calibrate
from spacy_bioner.evaluation.confidences import ScoredDocument, judge
from spacy_bioner.evaluation.measurement import measure, name_precision_area
from spacy_bioner.evaluation.share_intervals import (
    bootstrap_calibration_error,
    bootstrap_shares,
    name_stratum,
)
from tests.evaluation.test_measurement import PAIRS


def test_a_share_by_hand() -> None:
    found = bootstrap_shares({"a": ([1, 0], [1, 1]), "none": ([0, 0], [0, 0])}, n_resamples=2000)
    # Two documents drawn twice: 0, 1/2 and 1 with chances of 1/4, 1/2 and 1/4.
    assert (found["a"].value, found["a"].low, found["a"].high) == (0.5, 0.0, 1.0)
    assert found["none"].value is None
    assert bootstrap_shares({}) == {}


def test_the_values_are_those_of_the_figures() -> None:
    found = measure(PAIRS, n_resamples=20)
    shares = {name: interval.value for name, interval in found.shares.items()}
    assert shares["accuracy"] == found.strict.micro.accuracy
    assert shares["exact"] == found.strict.exact_rate
    assert shares["tokens"] == pytest.approx(found.tokens.accuracy)
    for scheme, counts in found.schemes.items():
        for name in ("precision", "recall", "f_score"):
            assert shares[f"{scheme} {name}"] == pytest.approx(getattr(counts, name))
    for label, row in found.schemes_by_type.items():
        for scheme, counts in row.items():
            for name in ("precision", "recall", "f_score"):
                assert shares[f"{label} {scheme} {name}"] == pytest.approx(getattr(counts, name))
    for tag, counts in {**found.tokens.by_tag, "": found.tokens.micro}.items():
        for name in ("precision", "recall", "f_score"):
            of_tag = f"tokens {tag} {name}" if tag else f"tokens {name}"
            assert shares[of_tag] == pytest.approx(getattr(counts, name))
    for item in found.strata:
        assert shares[name_stratum(item)] == item.recall
    for swept in found.sweeps:
        assert shares[name_precision_area(swept.label)] == pytest.approx(swept.average_precision)
    assert found.calibration is not None
    assert shares["calibration error"] == pytest.approx(found.calibration.error, abs=1e-6)
    assert shares["Brier score"] == pytest.approx(found.calibration.brier, abs=1e-6)
    assert shares["log loss"] == pytest.approx(found.calibration.log_loss, abs=1e-6)


def test_the_calibration_error_is_that_of_the_bins() -> None:
    rng = np.random.default_rng(0)
    documents = []
    for _ in range(30):
        values = rng.random(4)
        gold = [(place, place + 1, "A") for place in range(4) if rng.random() < values[place] ** 2]
        predicted = [(place, place + 1, "A") for place in range(4)]
        documents.append(ScoredDocument(gold, predicted, [float(value) for value in values]))
    judged = judge(documents)
    found = bootstrap_calibration_error(judged, n_resamples=200)
    assert found.value == pytest.approx(calibrate(judged).error, abs=1e-6)
    assert found.low is not None
    assert found.low < found.high
