import pytest

from spacy_bioner.evaluation.bootstrap.intervals import bootstrap_scores
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.plots.experiments import plot_comparison
from spacy_bioner.training.results.experiments import ComparisonRow


def row(name, tp):
    scores = bootstrap_scores([Counts(tp, 10 - tp, 10 - tp)] * 3)
    return ComparisonRow(name, f"hub/{name}", scores)


FAILED = ComparisonRow("failed", "hub/failed", reason="no such weights")


def test_plot_leaves_out_what_has_no_score():
    pytest.importorskip("matplotlib")
    axes = plot_comparison([FAILED, row("a", 3), row("b", 5)]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert plot_comparison([FAILED]).axes[0].get_yticklabels() == []
