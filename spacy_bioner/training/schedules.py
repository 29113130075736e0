"""Learning rates over a training: a cosine, and one that waits for the development score.

Both rise linearly first. thinc has `warmup_linear.v1`, which the configs that ship use.
"""

import math
from typing import Iterator, Optional
from weakref import WeakSet

from spacy_bioner.errors import ConfigError

_waiting: "WeakSet[PlateauSchedule]" = WeakSet()


def make_warmup_cosine(
    initial_rate: float, warmup_steps: int, total_steps: int, final_rate: float = 0.0
) -> Iterator[float]:
    """Make `spacy_bioner.WarmupCosine.v1`: half a cosine down (Loshchilov and Hutter, 2017).

    initial_rate (float): The rate at the end of the rise.
    warmup_steps (int): Steps of the rise from 0.
    total_steps (int): The step at which `final_rate` is reached, and kept from then on.
        `bioner train` keeps this equal to training.max_steps.
    RAISES (ConfigError): For a fall that ends before it begins.
    """
    _check(initial_rate, warmup_steps)
    if total_steps <= warmup_steps or not 0 <= final_rate <= initial_rate:
        raise ConfigError(
            f"schedule settings: found total_steps = {total_steps}, warmup_steps = {warmup_steps}, "
            f"final_rate = {final_rate:g}; expected warmup_steps < total_steps and 0 ≤ final_rate "
            "≤ initial_rate"
        )
    return _fall(initial_rate, warmup_steps, total_steps, final_rate)


def make_plateau(
    initial_rate: float,
    warmup_steps: int = 0,
    factor: float = 0.5,
    patience: int = 2,
    min_rate: float = 0.0,
    min_gain: float = 0.0,
) -> "PlateauSchedule":
    """Make `spacy_bioner.Plateau.v1`: a rate that falls when the development score does not rise.

    Scores come from `spacy_bioner.TrainingLogger.v1`, so the config has to name that logger.

    initial_rate (float): The rate at the end of the rise.
    warmup_steps (int): Steps of the rise from 0.
    factor (float): What the rate is multiplied by.
    patience (int): How many evaluations in a row may bring nothing new before it is.
    min_rate (float): The rate never falls below this.
    min_gain (float): By how much a score has to be better than the best one, as a share of 1.
    RAISES (ConfigError): For values out of range.
    """
    _check(initial_rate, warmup_steps)
    if not 0 < factor < 1 or patience < 1 or not 0 <= min_rate <= initial_rate or min_gain < 0:
        raise ConfigError(
            f"schedule settings: found factor = {factor:g}, patience = {patience}, min_rate = "
            f"{min_rate:g}, min_gain = {min_gain:g}; expected 0 < factor < 1, patience ≥ 1, "
            "0 ≤ min_rate ≤ initial_rate and min_gain ≥ 0"
        )
    return PlateauSchedule(initial_rate, warmup_steps, factor, patience, min_rate, min_gain)


class PlateauSchedule:
    """The rate of each step, which depends on scores; see `make_plateau`.

    It is no iterator by type: what comes next depends on the scores, so it cannot be run ahead.
    """

    def __init__(
        self,
        initial_rate: float,
        warmup_steps: int,
        factor: float,
        patience: int,
        min_rate: float,
        min_gain: float,
    ) -> None:
        self.rate = initial_rate
        self.warmup_steps = warmup_steps
        self.factor = factor
        self.patience = patience
        self.min_rate = min_rate
        self.min_gain = min_gain
        self.step = 0
        self.best: Optional[float] = None
        self.waited = 0
        _waiting.add(self)

    def __next__(self) -> float:
        """Return the next step's rate."""
        rise = min(1.0, self.step / self.warmup_steps) if self.warmup_steps else 1.0
        self.step += 1
        return self.rate * rise

    def observe(self, score: float) -> None:
        """Take an evaluation's score in; those of the rise at the start count for nothing."""
        if self.step <= self.warmup_steps or not math.isfinite(score):
            return
        if self.best is None or score > self.best + self.min_gain:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.rate = max(self.rate * self.factor, self.min_rate)
            self.waited = 0


def announce_score(score: float) -> None:
    """Tell a score to the schedules of the training that runs in this process."""
    for schedule in _waiting:
        schedule.observe(score)


def _fall(
    initial_rate: float, warmup_steps: int, total_steps: int, final_rate: float
) -> Iterator[float]:
    for step in range(warmup_steps):
        yield initial_rate * step / warmup_steps
    length = total_steps - warmup_steps
    for step in range(length):
        share = 0.5 * (1 + math.cos(math.pi * step / length))
        yield final_rate + (initial_rate - final_rate) * share
    while True:
        yield final_rate


def _check(initial_rate: float, warmup_steps: int) -> None:
    if initial_rate <= 0 or warmup_steps < 0:
        raise ConfigError(
            f"schedule settings: found initial_rate = {initial_rate:g}, warmup_steps = "
            f"{warmup_steps}; expected a rate above 0 and 0 steps or more"
        )
