"""Areas of resamples against areas of documents that are really repeated."""

import numpy as np
import pytest

from spacy_bioner.evaluation.bootstrap import curves as curve_intervals
from spacy_bioner.evaluation.bootstrap.curves import bootstrap_areas, bootstrap_average_precision
from spacy_bioner.evaluation.bootstrap.resampling import draw_documents
from spacy_bioner.evaluation.confidence.predictions import ScoredDocument, judge
from spacy_bioner.evaluation.confidence.thresholds import sweep
from spacy_bioner.evaluation.metrics.token_level import area_under_roc

TAGS = ["O", "B-A", "I-A", "B-B"]
N_RESAMPLES = 40


def make_tokens(rng: np.random.Generator, n_docs: int):
    gold, marginals = [], []
    for _ in range(n_docs):
        size = int(rng.integers(1, 9))
        gold.append([str(tag) for tag in rng.choice(TAGS, size, p=[0.7, 0.1, 0.1, 0.1])])
        # Few values, so that there are ties.
        marginals.append(rng.choice([0.0, 0.25, 0.5, 0.75], (size, len(TAGS))))
    return marginals, gold


def percentiles(values) -> list[float]:
    return np.percentile([value for value in values if value is not None], [2.5, 97.5]).tolist()


@pytest.mark.parametrize("block", [1, 3, 256])
def test_areas_of_tokens(monkeypatch, block) -> None:
    monkeypatch.setattr(curve_intervals, "BLOCK", block)
    marginals, gold = make_tokens(np.random.default_rng(1), 7)
    found = bootstrap_areas(marginals, TAGS, gold, seed=3, n_resamples=N_RESAMPLES)
    weights = np.concatenate(list(draw_documents(7, n_resamples=N_RESAMPLES, seed=3))).astype(int)
    assert list(found) == ["A", "B"]
    for label, columns in (("A", [1, 2]), ("B", [3])):
        scores = [rows[:, columns].sum(axis=1) for rows in marginals]
        positive = [np.array([tag[2:] == label for tag in row]) for row in gold]

        def area(places, scores=scores, positive=positive):
            chosen = [scores[place] for place in places], [positive[place] for place in places]
            return area_under_roc(*map(np.concatenate, chosen))

        interval = found[label]
        assert interval.value == pytest.approx(area(range(7)))
        wanted = percentiles([area(np.repeat(np.arange(7), row)) for row in weights])
        assert [interval.low, interval.high] == pytest.approx(wanted)


def test_a_label_that_gold_has_nowhere_has_no_area() -> None:
    found = bootstrap_areas([np.ones((2, 4))], TAGS, [["B-A", "O"]], n_resamples=5)
    assert (found["A"].value, found["B"].value, found["B"].low) == (0.5, None, None)
    assert bootstrap_areas([], TAGS, []) == {}


def make_documents(rng: np.random.Generator, n_docs: int) -> list[ScoredDocument]:
    documents = []
    for _ in range(n_docs):
        places = range(int(rng.integers(0, 6)))
        labels = [str(label) for label in rng.choice(["A", "B"], len(places))]
        predicted = [(place, place + 1, label) for place, label in zip(places, labels)]
        gold = [mention for mention in predicted if rng.random() < 0.6] + [(9, 10, "A")]
        values = rng.choice([0.2, 0.5, 0.9, np.nan], len(places))
        confidences = [None if np.isnan(value) else float(value) for value in values]
        documents.append(ScoredDocument(gold, predicted, confidences))
    return documents


def count(documents, label) -> np.ndarray:
    rows = []
    for item in documents:
        gold = {mention for mention in item.gold if label in (None, mention[2])}
        predicted = {mention for mention in item.predicted if label in (None, mention[2])}
        rows.append([len(gold & predicted), len(predicted - gold), len(gold - predicted)])
    return np.array(rows)


@pytest.mark.parametrize("label", [None, "A", "B"])
@pytest.mark.parametrize("cells", [1, 32_000])
def test_average_precision(monkeypatch, label, cells) -> None:
    documents = make_documents(np.random.default_rng(2), 9)
    judged = judge(documents)
    assert judged.n_without
    monkeypatch.setattr(curve_intervals, "CELLS", cells)
    found = bootstrap_average_precision(
        judged, count(documents, label), label, seed=5, n_resamples=N_RESAMPLES
    )
    assert found.value == pytest.approx(sweep(judged, label).average_precision)
    weights = np.concatenate(list(draw_documents(9, n_resamples=N_RESAMPLES, seed=5))).astype(int)
    drawn = [[documents[place] for place in np.repeat(np.arange(9), row)] for row in weights]
    wanted = percentiles([sweep(judge(item), label).average_precision for item in drawn])
    assert [found.low, found.high] == pytest.approx(wanted)


def test_without_gold_there_is_no_average_precision() -> None:
    documents = [ScoredDocument([], [(0, 1, "A")], [0.5])]
    found = bootstrap_average_precision(judge(documents), count(documents, None), n_resamples=5)
    assert (found.value, found.low, found.high) == (None, None, None)
