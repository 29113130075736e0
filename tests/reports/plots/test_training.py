import pytest

from spacy_bioner.reports.plots.style import plot_style
from spacy_bioner.reports.plots.training import (
    average_losses,
    format_rate,
    gather_fitted,
    gather_types,
    plot_training,
    thin_rates,
)
from spacy_bioner.training.loggers import Evaluation


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


def make_warm_up(last: int, warm: int, top: float) -> list:
    return [top * min(step / warm, (last - step) / (last - warm)) for step in range(last + 1)]


@pytest.mark.parametrize(
    ("last", "warm", "top"), [(300, 30, 2e-4), (20_000, 7, 3e-5), (50, 10, 1e-5), (40, 4, 0.25)]
)
def test_the_learning_rate_is_drawn_at_each_step_with_its_warm_up(last, warm, top):
    pytest.importorskip("matplotlib")
    rows = [Evaluation(step, {"a": 1.0}) for step in (0, last)]
    rates = make_warm_up(last, warm, top)
    with plot_style():
        figure = plot_training(rows, rates=rates)
        figure.canvas.draw()
    panel = next(axes for axes in figure.axes if axes.get_title(loc="left") == "Learning rate")
    steps, values = panel.lines[0].get_data()
    assert (steps[0], steps[-1], max(values)) == (0, last, max(rates))
    assert steps[list(values).index(max(values))] == warm
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert len(set(labels)) == len(labels) >= 3
    for label, place in zip(labels, panel.get_yticks()):
        assert float(label) == pytest.approx(place)
    boxes = [label.get_window_extent() for label in panel.get_yticklabels()]
    assert all(lower.y1 < upper.y0 for lower, upper in zip(boxes, boxes[1:]))


def test_long_schedules_are_thinned_without_losing_their_ends():
    points = thin_rates(make_warm_up(100_000, 3, 1.0))
    assert len(points) < 2100
    assert [points[0], points[-1]] == [(0, 0.0), (100_000, 0.0)]
    assert (3, 1.0) in points
    assert thin_rates([]) == []


def test_rates_are_written_with_the_power_of_their_axis():
    assert [format_rate(rate, -5) for rate in (0, 2.5e-6, 1e-5, 1.25e-4)] == [
        "0", "0.25e-5", "1e-5", "12.5e-5"
    ]  # fmt: skip
    assert format_rate(0.25, -1) == "2.5e-1"
