"""Curves of our own training runs."""

import pytest

from spacy_bioner.reports.plots.loop import gather_curves, plot_run

LOG = [
    {"event": "start", "step": 0},
    {"event": "held_out", "step": 0, "loss": 3.0, "agreement": 0.5},
    {"step": 1, "loss": 2.5, "rate": 1e-4},
    {"event": "resumed", "step": 1},
    {"step": 2, "loss": 2.0, "rate": 5e-5},
    {"event": "held_out", "step": 2, "loss": 1.5, "agreement": 0.75},
]


def test_numbers_are_sorted_into_curves() -> None:
    assert gather_curves(LOG) == {
        "training": [(1, 2.5), (2, 2.0)],
        "held out": [(0, 3.0), (2, 1.5)],
        "agreement": [(0, 0.5), (2, 0.75)],
        "rate": [(1, 1e-4), (2, 5e-5)],
    }


def test_what_was_not_measured_has_no_curve() -> None:
    assert gather_curves([{"step": 1, "loss": 1.0}]) == {"training": [(1, 1.0)]}


def test_there_is_a_panel_for_each_kind() -> None:
    pytest.importorskip("matplotlib")
    figure = plot_run(LOG, title="Distillation")
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == [
        "Loss", "Agreement with the teacher, held out", "Learning rate"
    ]  # fmt: skip
    assert [len(axes.lines) for axes in figure.axes] == [2, 1, 1]
    assert len(plot_run([{"step": 1, "loss": 1.0}]).axes) == 2
