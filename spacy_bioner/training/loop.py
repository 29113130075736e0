"""Our own training loops: steps with a log, and checkpoints from which a killed run goes on.

A checkpoint is one file, replaced in one step, with all that the next step depends on: weights,
optimizer, position in the data, random state. A run that goes on is the one that was never killed.
"""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Protocol, Sequence, Tuple, TypeVar

import numpy as np

from spacy_bioner.errors import (
    ConfigError,
    DeviceError,
    StoppedError,
    TrainingDataError,
)
from spacy_bioner.files.outputs import name_beside
from spacy_bioner.files.replacing import replacing, write_text
from spacy_bioner.layers.out_of_memory import is_out_of_memory

FORMAT = 1
Part = TypeVar("Part")


class Task(Protocol):
    """What `run_steps` trains."""

    def learn(self, step: int, rate: float) -> Dict[str, Any]:
        """Take one step, numbered from 0, at a learning rate; return what to log, "loss" included.

        With a loss that is no number, weights must be left as they are.
        """

    def evaluate(self) -> Dict[str, Any]:
        """Measure on data that is set aside; empty where there is none. Draws no random number."""

    def state(self) -> Dict[str, Any]:
        """Return all that the next step depends on, in plain data, arrays and tensors."""

    def restore(self, state: Dict[str, Any]) -> None:
        """Go on from a state."""


@dataclass(frozen=True)
class RateSchedule:
    """How long to train and at which rate; linear warm-up, then linear decay to 0.

    steps (int): Optimizer steps.
    learn_rate (float): The highest rate.
    warmup (float): The share of steps that the rate rises in.
    """

    steps: int
    learn_rate: float
    warmup: float = 0.06

    def rate(self, step: int) -> float:
        """Return the rate of a step, numbered from 0."""
        rising = max(1, round(self.steps * self.warmup))
        falling = max(1, self.steps - rising)
        return self.learn_rate * min((step + 1) / rising, max(0, self.steps - step) / falling, 1.0)


@dataclass(frozen=True)
class LoopFiles:
    """Where a run keeps its state and its log: beside its result."""

    state: Path
    log: Path

    @classmethod
    def beside(cls, output: Path) -> "LoopFiles":
        """Name the files of a run by its result."""
        return cls(name_beside(output, ".state.pt"), name_beside(output, ".log.jsonl"))

    @property
    def earlier_log(self) -> Path:
        """Where the log of an earlier result is kept until there is a new one."""
        return self.log.with_name(f"{self.log.stem}.earlier{self.log.suffix}")

    def set_aside(self) -> None:
        """Keep the log of an earlier result, of which it stands there as long as that does."""
        if self.log.is_file() and not self.earlier_log.is_file() and not self.state.is_file():
            self.log.replace(self.earlier_log)

    def finish(self) -> None:
        """Remove what a run needs no more once its result is in place."""
        self.state.unlink(missing_ok=True)
        self.earlier_log.unlink(missing_ok=True)


class RunLog:
    """JSON lines, written as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, **entry: Any) -> None:
        """Append one line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def read(self) -> List[Dict[str, Any]]:
        """Return all entries; a last line that a kill has cut is left out."""
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def rewind(self, step: Optional[int]) -> None:
        """Drop what was logged after a step; None drops everything."""
        kept = [] if step is None else [e for e in self.read() if e.get("step", 0) <= step]
        write_text(self.path, "".join(json.dumps(e) + "\n" for e in kept))


def run_steps(
    task: Task,
    pace: RateSchedule,
    files: LoopFiles,
    settings: Dict[str, Any],
    *,
    resume: bool = True,
    log_every: int = 10,
    evaluate_every: int = 0,
    checkpoint_every: int = 0,
    start_notes: Optional[Dict[str, Any]] = None,
    on_log: Callable[[Dict[str, Any]], None] = lambda entry: None,
) -> RunLog:
    """Train a task to the end of its steps, from its last checkpoint if there is one.

    settings (Dict[str, Any]): What the result depends on; a checkpoint of others is refused.
    resume (bool): Whether to go on from a checkpoint; else the run begins anew.
    evaluate_every (int): Evaluate after so many steps; 0: only before the first and after the last.
    checkpoint_every (int): Save after so many steps; 0: only after the last.
    start_notes (Optional[Dict[str, Any]]): Goes into the log's first line.
    on_log (Callable): Is told of each entry of the log.
    RAISES (ConfigError): For a checkpoint of other settings or a damaged one.
    RAISES (TrainingDataError): For a loss that is no number; the last checkpoint stays.
    """
    log = RunLog(files.log)

    def note(**entry: Any) -> None:
        log.write(**entry)
        on_log(entry)

    found = load_state(files.state, settings) if resume else None
    if found is None:
        files.set_aside()
    done = 0 if found is None else int(found["step"])
    log.rewind(None if found is None else done)
    if found is not None:
        task.restore(found["task"])
        note(event="resumed", step=done)
    else:
        files.state.unlink(missing_ok=True)
        note(event="start", step=0, **(start_notes or {}))
        _evaluate(task, 0, note)
    timer = _Timer()
    for step in range(done, pace.steps):
        entry = _learn(task, step, pace.rate(step), files.state)
        timer.pieces += entry.pop("pieces", 0)
        n_done, is_last = step + 1, step + 1 == pace.steps
        if n_done % log_every == 0 or is_last or n_done == 1:
            note(step=n_done, **entry, rate=pace.rate(step), **timer.read())
        if is_last or (evaluate_every and n_done % evaluate_every == 0):
            _evaluate(task, n_done, note)
            timer = _Timer()
        if is_last or (checkpoint_every and n_done % checkpoint_every == 0):
            save_state(files.state, settings, n_done, task.state())
    return log


def save_state(path: Path, settings: Dict[str, Any], step: int, task: Dict[str, Any]) -> None:
    """Write a checkpoint in one step: a kill leaves the earlier one."""
    import torch

    content = {"format": FORMAT, "settings": settings, "step": step, "task": _as_tensors(task)}
    with replacing(path) as temporary:
        torch.save(content, temporary)


def load_state(path: Path, settings: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Read a checkpoint; None where there is none.

    RAISES (ConfigError): For one of other settings, naming them, and for a damaged one.
    """
    import torch

    if not path.is_file():
        return None
    again = "start anew with --no-resume"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises errors of many kinds for a damaged file
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(f"{path}: the checkpoint cannot be read ({reason}); {again}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ConfigError(f"{path}: found no checkpoint of this version; {again}")
    changed = describe_changes(content["settings"], settings)
    if changed:
        raise ConfigError(
            f"{path}: the run was started with other settings: {'; '.join(changed)}. Use the same "
            f"ones to go on, or {again}"
        )
    return content


def describe_changes(before: Dict[str, Any], now: Dict[str, Any]) -> List[str]:
    """Name the settings that differ, with both values."""
    changes = []
    for name in sorted({*before, *now}):
        old, new = before.get(name, "nothing"), now.get(name, "nothing")
        if isinstance(old, dict) and isinstance(new, dict):
            changes += [f"{name}: {change}" for change in describe_changes(old, new)]
        elif old != new:
            changes.append(f"{name} was {old}, is {new}")
    return changes


def compute_in_parts(
    compute: Callable[[Part], float],
    divide: Callable[[int], Sequence[Part]],
    reset: Callable[[], None],
    *,
    n_parts: int = 1,
) -> Tuple[float, int]:
    """Add up a batch's gradients, in more parts where the memory does not hold it.

    compute (Callable[[Part], float]): Adds the gradient of a part and gives its loss.
    divide (Callable[[int], Sequence[Part]]): Divides the batch into at most so many parts.
    reset (Callable[[], None]): Sets gradients to 0.
    n_parts (int): In how many to begin with.
    RETURNS (Tuple[float, int]): The sum of losses, and how many parts it took.
    RAISES (DeviceError): Where the smallest parts do not fit.
    """
    import torch

    while True:
        parts = divide(n_parts)
        reset()
        loss = _sum_or_none(compute, parts)
        if loss is not None:
            return loss, n_parts
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(parts) < n_parts or len(divide(n_parts * 2)) == len(parts):
            reset()
            raise DeviceError(
                "the memory does not hold a single sequence of this model: use shorter sequences "
                "or a smaller encoder"
            )
        n_parts *= 2


def _sum_or_none(compute: Callable[[Part], float], parts: Sequence[Part]) -> Optional[float]:
    try:
        return sum(compute(part) for part in parts)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _learn(task: Task, step: int, rate: float, state: Path) -> Dict[str, Any]:
    is_stored = state.is_file()
    kept = f"the last checkpoint is kept in {state}" if is_stored else "no checkpoint was due"
    try:
        entry = task.learn(step, rate)
    except KeyboardInterrupt:
        again = "goes on from there" if is_stored else "begins anew"
        message = f"interrupted in step {step + 1}; {kept}; the same command {again}"
        raise StoppedError(message) from None
    if not math.isfinite(entry["loss"]):
        raise TrainingDataError(
            f"step {step + 1}: the loss became {entry['loss']}; {kept}. Lower the learning rate, "
            "or train in float32"
        )
    return entry


def _evaluate(task: Task, step: int, note: Callable[..., None]) -> None:
    scores = task.evaluate()
    if scores:
        note(event="held_out", step=step, **scores)


class _Timer:
    def __init__(self) -> None:
        self.start, self.pieces = time.perf_counter(), 0

    def read(self) -> Dict[str, float]:
        return {"pieces_per_second": round(self.pieces / (time.perf_counter() - self.start), 1)}


def _as_tensors(value: Any) -> Any:
    """Replace arrays by tensors: those can be loaded without running code from the file."""
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: _as_tensors(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_tensors(item) for item in value)
    return value
