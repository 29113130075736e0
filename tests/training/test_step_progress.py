"""What is said between evaluations, and when."""

import io

import pytest

from spacy_bioner.training.step_progress import StepProgress, format_seconds


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def _run(progress, clock, n_steps, seconds, loss=0.25):
    for _ in range(n_steps):
        clock.now += seconds
        progress.advance(loss)


def test_a_line_every_quarter_of_a_minute_where_there_is_no_terminal(clock):
    stream = io.StringIO()
    progress = StepProgress(100, 50, stream, clock=clock)
    progress.evaluated(0)
    _run(progress, clock, 40, 0.5)
    assert stream.getvalue() == (
        "step 30 of 100, loss 0.2500, 2 steps/s, at most 35 s left, next evaluation at step 50\n"
    )


def test_an_evaluation_sets_the_step_and_time_before_the_first_does_not_count(clock):
    stream = io.StringIO()
    progress = StepProgress(1000, 200, stream, clock=clock)
    clock.now += 500
    progress.evaluated(0)
    _run(progress, clock, 199, 0.05)
    progress.evaluated(200)
    _run(progress, clock, 2, 10.0, None)
    assert stream.getvalue() == (
        "step 202 of 1,000, 6.7 steps/s, at most 2 min left, next evaluation at step 400\n"
    )


def test_without_an_end_no_time_left_is_told(clock):
    progress = StepProgress(0, 50, io.StringIO(), clock=clock)
    progress.evaluated(0)
    _run(progress, clock, 10, 1.0)
    assert progress.describe(20.0) == "step 10, 0.5 steps/s, next evaluation at step 50"


def test_before_the_last_evaluation_none_is_named(clock):
    progress = StepProgress(100, 50, io.StringIO(), clock=clock)
    progress.evaluated(50)
    _run(progress, clock, 10, 0.01)
    assert progress.describe(0.5) == "step 60 of 100, 20 steps/s, at most 2 s left"


def test_a_terminal_has_one_line_that_goes_away(clock):
    stream = Terminal()
    progress = StepProgress(10, 5, stream, clock=clock)
    progress.evaluated(0)
    _run(progress, clock, 2, 1.0)
    progress.clear()
    shown = stream.getvalue()
    assert "\n" not in shown
    assert shown.count("\rstep ") == 2
    assert shown.endswith(" \r")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (7500, "2 h 05 min")]
)
def test_durations(seconds, text):
    assert format_seconds(seconds) == text
