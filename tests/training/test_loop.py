import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.errors import (  # noqa: E402
    BionerError,
    ConfigError,
    DeviceError,
    TrainingDataError,
)
from spacy_bioner.training.loop import (  # noqa: E402
    LoopFiles,
    RateSchedule,
    RunLog,
    compute_in_parts,
    load_state,
    run_steps,
    save_state,
)


class Counter:
    """A task that adds the rates up, and stops where it is told to."""

    def __init__(self, *, dies_at=None, error=None, loss=1.0):
        self.total, self.steps, self.n_evaluated = 0.0, [], 0
        self.dies_at, self.error, self.loss = dies_at, error, loss

    def learn(self, step, rate):
        if step == self.dies_at and self.error:
            raise self.error
        self.total += rate
        self.steps.append(step)
        return {"loss": self.loss if step == self.dies_at else 1.0, "pieces": 3}

    def evaluate(self):
        self.n_evaluated += 1
        return {"loss": self.total}

    def state(self):
        return {"total": self.total, "array": np.arange(3)}

    def restore(self, state):
        self.total = state["total"]
        assert np.asarray(state["array"]).tolist() == [0, 1, 2]


@pytest.fixture
def files(tmp_path):
    return LoopFiles.beside(tmp_path / "out")


PACE = RateSchedule(6, 0.5, warmup=0.34)
SETTINGS = {"seed": 1, "texts": {"a.txt": "3 bytes"}}


def test_pace_rises_and_falls():
    rates = [RateSchedule(10, 1.0, warmup=0.2).rate(step) for step in range(10)]
    assert rates == [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]


def test_run_goes_on_from_the_last_checkpoint(files):
    straight = Counter()
    run_steps(straight, PACE, LoopFiles.beside(files.log.with_name("other")), SETTINGS)
    killed = Counter(dies_at=5, error=MemoryError("killed"))
    with pytest.raises(MemoryError):
        run_steps(killed, PACE, files, SETTINGS, checkpoint_every=3, log_every=1)
    again = Counter()
    log = run_steps(again, PACE, files, SETTINGS, log_every=1)
    assert again.steps == [3, 4, 5]
    assert again.total == straight.total
    assert [e["step"] for e in log.read() if "rate" in e] == [1, 2, 3, 4, 5, 6]


def test_run_without_resume_begins_anew(files):
    run_steps(Counter(), PACE, files, SETTINGS)
    task = Counter()
    log = run_steps(task, PACE, files, {"seed": 2}, resume=False)
    assert task.steps == [0, 1, 2, 3, 4, 5]
    assert [e.get("event") for e in log.read()].count("start") == 1


def test_held_out_is_measured_before_at_intervals_and_after(files):
    log = run_steps(Counter(), PACE, files, SETTINGS, evaluate_every=2)
    measured = [e["step"] for e in log.read() if e.get("event") == "held_out"]
    assert measured == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        ({**SETTINGS, "seed": 2}, "seed was 1, is 2"),
        ({"seed": 1, "texts": {"b.txt": "1"}}, "texts: a.txt was 3 bytes, is nothing"),
        ({**SETTINGS, "precision": "x"}, "precision was nothing, is x"),
    ],
)
def test_changed_settings_are_named(files, settings, change):
    save_state(files.state, SETTINGS, 3, {})
    with pytest.raises(ConfigError, match=change):
        run_steps(Counter(), PACE, files, settings)
    assert load_state(files.state, SETTINGS)["step"] == 3


def test_a_damaged_checkpoint_is_an_error(files):
    files.state.write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match=r"out\.state\.pt: the checkpoint cannot be read"):
        load_state(files.state, SETTINGS)


def test_a_loss_that_is_no_number_keeps_the_state(files):
    task = Counter(dies_at=4, loss=math.nan)
    with pytest.raises(TrainingDataError, match="step 5: the loss became nan; the last checkpoint"):
        run_steps(task, PACE, files, SETTINGS, checkpoint_every=2)
    assert load_state(files.state, SETTINGS)["step"] == 4


def test_an_interrupt_says_where_the_state_is(files):
    task = Counter(dies_at=2, error=KeyboardInterrupt())
    with pytest.raises(BionerError) as raised:
        run_steps(task, PACE, files, SETTINGS, checkpoint_every=1)
    assert str(raised.value) == (
        f"interrupted in step 3; the last checkpoint is kept in {files.state}; the same command "
        "goes on from there"
    )


def test_an_interrupt_before_the_first_checkpoint_says_that_all_begins_anew(files):
    task = Counter(dies_at=2, error=KeyboardInterrupt())
    with pytest.raises(BionerError) as raised:
        run_steps(task, PACE, files, SETTINGS)
    assert str(raised.value) == (
        "interrupted in step 3; no checkpoint was due; the same command begins anew"
    )


def test_a_line_of_the_log_that_was_cut_is_left_out(tmp_path):
    log = RunLog(tmp_path / "log.jsonl")
    log.write(step=1)
    with log.path.open("a") as file:
        file.write('{"step": 2, "lo')
    assert log.read() == [{"step": 1}]


def _divide(n_parts):
    return np.array_split(np.arange(4), min(n_parts, 4))


def test_a_batch_is_split_until_it_fits():
    resets, computed = [], []

    def compute(part):
        if len(part) > 1:
            raise torch.OutOfMemoryError("out of memory")
        computed.append(part.tolist())
        return float(part.sum())

    loss, n_parts = compute_in_parts(compute, _divide, lambda: resets.append(len(computed)))
    assert (loss, n_parts, resets) == (6.0, 4, [0, 0, 0])
    assert computed == [[0], [1], [2], [3]]


def test_parts_that_cannot_be_split_are_an_error():
    def compute(part):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(DeviceError, match="does not hold a single sequence"):
        compute_in_parts(compute, _divide, lambda: None)


def test_other_errors_are_let_through():
    def compute(part):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        compute_in_parts(compute, _divide, lambda: None)
