import pytest

from spacy_bioner.reports.figures import plot_style
from spacy_bioner.reports.training_plots import (
    Evaluation,
    average_losses,
    gather_fitted,
    gather_types,
    plot_training,
)


def test_loss_is_the_mean_over_the_steps_since_the_last_evaluation():
    losses = [{"a": 3.0}, {"a": 20.0, "b": 5.0}, {"a": None}, {"a": 4.0}]
    rows = [Evaluation(step, loss) for step, loss in zip((0, 10, 20, 22), losses)]
    assert average_losses(rows) == {"a": [(0, 3.0), (10, 2.0), (22, 2.0)], "b": [(10, 0.5)]}


def test_types_with_most_gold_mentions_come_first():
    scores = {"ents_per_type": {"A": {"f": 0.1, "tp": 1, "fn": 1}, "B": {"f": 0.2, "tp": 3}}}
    assert gather_types([Evaluation(5, scores=scores)]) == {"B": [(5, 0.2)], "A": [(5, 0.1)]}


def test_what_is_learned_before_the_first_step_has_a_panel_by_iteration():
    pytest.importorskip("matplotlib")
    rows = [Evaluation(0, fitted={"crf": [9.0, 4.0]}), Evaluation(1, scores={"ents_f": 0.5})]
    assert gather_fitted(rows) == {"crf": [(1, 9.0), (2, 4.0)]}
    with plot_style():
        panel = plot_training(rows).axes[0]
    assert (panel.get_title(loc="left"), panel.get_xlabel()) == (
        "Loss of an iteration (crf)",
        "iteration",
    )
