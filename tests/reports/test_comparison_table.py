import pytest

from spacy_bioner.evaluation.intervals import bootstrap_scores
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.comparison_table import (
    ComparisonRow,
    plot_comparison,
    rank_rows,
    render_comparison,
)


def row(name, tp, **settings):
    scores = bootstrap_scores([Counts(tp, 10 - tp, 10 - tp)] * 3)
    return ComparisonRow(name, f"hub/{name}", scores, f_scores=[tp / 10], **settings)


FAILED = ComparisonRow("failed", "hub/failed", reason="no such | weights")


def test_best_is_first_and_failures_last():
    assert [item.name for item in rank_rows([FAILED, row("a", 3), row("b", 5)])] == [
        "b",
        "a",
        "failed",
    ]


def test_table_has_intervals_and_reasons():
    best = row("a", 5, dev_f_score=0.61, training_seconds=1234.5, parameters=110_000_000)
    lines = render_comparison([FAILED, best]).splitlines()
    assert "95 % interval of 1,000 bootstrap resamples of 3 documents" in lines[0]
    cells = [cell.strip() for cell in lines[4].split("|")[1:-1]]
    score = "50.0 [50.0, 50.0]"
    assert cells == ["a", score, score, score, "61.0", "1,234", "–", "–", "110.0 M"]
    assert lines[-1] == "- **failed** (`hub/failed`) is without scores: no such | weights"


def test_plot_leaves_out_what_has_no_score():
    pytest.importorskip("matplotlib")
    axes = plot_comparison([FAILED, row("a", 3), row("b", 5)]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert plot_comparison([FAILED]).axes[0].get_yticklabels() == []
