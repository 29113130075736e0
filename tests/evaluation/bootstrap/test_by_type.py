"""Intervals by type, against the intervals of all types together and by hand."""

import numpy as np
import pytest

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.by_type import bootstrap_types, count_by_type
from spacy_bioner.evaluation.bootstrap.intervals import Interval, bootstrap_scores, count_documents
from spacy_bioner.evaluation.bootstrap.resampling import draw_documents
from spacy_bioner.evaluation.matching import Comparison, score_mentions

DOCUMENTS = [
    Comparison([(0, 4, "A"), (5, 9, "B")], [(0, 4, "A"), (5, 8, "B")], 20),
    Comparison([(0, 4, "A")], [(0, 4, "A"), (6, 9, "C")], 20),
    Comparison(None, [(0, 4, "A")], 20),
    Comparison([(0, 4, "B"), (5, 9, "B")], [(0, 4, "B")], 20),
    Comparison([], [], 20),
]


def test_counts_by_document_and_label() -> None:
    labels, table = count_by_type(DOCUMENTS)
    assert labels == ["A", "B", "C"]
    assert table.shape == (4, 3, 3)
    assert table[0].tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert table.sum(axis=0).tolist() == [[2, 0, 0], [1, 1, 2], [0, 1, 0]]


def test_micro_is_that_of_all_types_together() -> None:
    found = bootstrap_types(*count_by_type(DOCUMENTS), seed=4, n_resamples=200)
    alone = bootstrap_scores(count_documents(DOCUMENTS), seed=4, n_resamples=200)
    micro = found.averages["micro"]
    assert micro == {
        "precision": alone.precision, "recall": alone.recall, "f_score": alone.f_score
    }  # fmt: skip


def test_values_are_those_of_the_scores() -> None:
    found = bootstrap_types(*count_by_type(DOCUMENTS), n_resamples=50)
    scores = score_mentions(DOCUMENTS)
    for name in ("precision", "recall", "f_score"):
        for label, counts in scores.by_type.items():
            value = found.by_type[label][name].value
            assert value == getattr(counts, name)
        for average in ("macro", "weighted"):
            value = found.averages[average][name].value
            assert value == pytest.approx(getattr(getattr(scores, average), name))


def test_a_type_that_gold_does_not_have() -> None:
    found = bootstrap_types(*count_by_type(DOCUMENTS), n_resamples=50)
    assert found.by_type["C"]["recall"] == Interval(None, None, None)
    assert found.by_type["C"]["f_score"].value == 0.0


def test_an_interval_by_hand() -> None:
    labels, table = count_by_type(DOCUMENTS)
    found = bootstrap_types(labels, table, seed=1, n_resamples=3000).by_type["B"]["f_score"]
    drawn = np.random.default_rng(9).integers(4, size=(3000, 4))
    sums = np.array([table[row, 1].sum(axis=0) for row in drawn])
    defined = sums[sums.sum(axis=1) > 0].astype(float)
    by_hand = 2 * defined[:, 0] / (2 * defined[:, 0] + defined[:, 1] + defined[:, 2])
    assert [found.low, found.high] == pytest.approx(np.percentile(by_hand, [2.5, 97.5]), abs=0.05)


def test_no_documents_have_no_scores() -> None:
    found = bootstrap_types(*count_by_type([]), n_resamples=5)
    assert found.by_type == {}
    assert found.averages["macro"]["f_score"] == Interval(None, None, None)
    assert found.to_json()["n_docs"] == 0


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="found 0 resamples"):
        bootstrap_types(*count_by_type(DOCUMENTS), n_resamples=0)


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_intervals_of_averages_are_those_of_the_documents_drawn(average) -> None:
    found = bootstrap_types(*count_by_type(DOCUMENTS), seed=2, n_resamples=300)
    annotated = [item for item in DOCUMENTS if item.gold is not None]
    weights = np.concatenate(list(draw_documents(4, n_resamples=300, seed=2))).astype(int)
    for name in ("precision", "recall", "f_score"):
        values = []
        for row in weights:
            scores = score_mentions([annotated[i] for i in np.repeat(np.arange(4), row)])
            values.append(getattr(getattr(scores, average), name))
        defined = [value for value in values if value is not None]
        low, high = np.percentile(defined, [2.5, 97.5])
        interval = found.averages[average][name]
        assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))
