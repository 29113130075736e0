"""What the fuzzing scripts share: numbered cases, time limits, smaller cases that fail, reports.

Case NUMBER of a seed is drawn by a generator of its own, so that it can be made again alone.
"""

import random
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, List, Sequence, TypeVar

from _common import note

T = TypeVar("T", str, bytes, list)
TRIES = 600
LONGEST_LITERAL = 2_000


class TooSlow(BaseException):
    """A case took longer than it may; no Exception, so that nothing takes it for one of its own."""


@dataclass(frozen=True)
class Problem:
    """An invariant that a case breaks.

    check (str): Its name: the same for every case that breaks it in the same way.
    detail (str): What was found.
    """

    check: str
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


@dataclass(frozen=True)
class Failure:
    """A case that breaks an invariant.

    part (str): Where it ran: a pipeline, a format.
    literal (str): The smallest case found, as a Python literal.
    """

    part: str
    number: int
    problem: Problem
    literal: str


def case_random(seed: int, number: int) -> random.Random:
    """Return the generator of one case."""
    return random.Random(f"{seed}:{number}")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow where the block takes longer; main thread only."""

    def stop(*_: object) -> None:
        raise TooSlow(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Deadline:
    """Tells when the minutes are over; 0 means never."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes if minutes else float("inf")

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._end


def minimize(case: T, fails: Callable[[T], bool], *, tries: int = TRIES) -> T:
    """Leave out parts of a case for as long as it fails (delta debugging, Zeller 2002).

    fails (Callable): Whether a case fails in the same way; `case` does.
    tries (int): At most so many smaller cases are tried.
    RETURNS: A case that fails; with tries enough, no single item of it can be left out.
    """
    pieces = 2
    while case and tries > 0:
        size = max(1, -(-len(case) // pieces))
        for start in range(0, len(case), size):
            tries -= 1
            smaller = case[:start] + case[start + size :]
            if fails(smaller):
                case, pieces = smaller, max(2, pieces - 1)
                break
            if tries <= 0:
                return case
        else:
            if size == 1:
                break
            pieces = min(2 * pieces, len(case))
    return case


def write_literal(case: object) -> str:
    """Write a case as a Python literal in ASCII; a very long one is cut, and says so."""
    text = ascii(case)
    if len(text) <= LONGEST_LITERAL:
        return text
    return f"{text[:LONGEST_LITERAL]} … ({len(text):,} characters: make it again with --only)"


def report(failures: Sequence[Failure], *, seed: int) -> None:
    """Print every failure; leaves the program with status 1 if there is one."""
    for failure in failures:
        print(f"\nFAILED {failure.part}: case {failure.number} of seed {seed}: {failure.problem}")
        print(f"  smallest found: {failure.literal}")
        print(f"  again: python benchmarks/{_script()} --seed {seed} --only {failure.number}")
    if failures:
        raise SystemExit(1)


def distinct(failures: Sequence[Failure], failure: Failure) -> bool:
    """Tell whether no failure so far is of the same part and check: one of each is enough."""
    return all(
        (other.part, other.problem.check) != (failure.part, failure.problem.check)
        for other in failures
    )


def chosen_numbers(count: int, only: List[int]) -> List[int]:
    """Return the numbers of the cases to run."""
    return only or list(range(count))


def tell(part: str, done: int, wanted: int, failures: Sequence[Failure]) -> None:
    """Show how far it is."""
    note(f"{part}: {done:,} of {wanted:,}, {len(failures)} kinds of faults")


def _script() -> str:
    return sys.argv[0].rpartition("/")[2]
