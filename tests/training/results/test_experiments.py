from spacy_bioner.evaluation.bootstrap.intervals import bootstrap_scores
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.training.results.experiments import ComparisonRow, rank_rows


def row(name, tp):
    scores = bootstrap_scores([Counts(tp, 10 - tp, 10 - tp)] * 3)
    return ComparisonRow(name, f"hub/{name}", scores)


FAILED = ComparisonRow("failed", "hub/failed", reason="no such weights")


def test_best_is_first_and_failures_last():
    assert [item.name for item in rank_rows([FAILED, row("a", 3), row("b", 5)])] == [
        "b",
        "a",
        "failed",
    ]
