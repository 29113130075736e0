"""Progress of long runs, on the error stream: a live line on a terminal, else one now and then."""

import sys
import time
from contextlib import contextmanager
from typing import Callable, Iterable, Iterator, TypeVar

from spacy_bioner.training.step_progress import StatusLine

LOG_SECONDS = 30.0
T = TypeVar("T")


def counted(items: Iterable[T], progress: Callable[[int], None]) -> Iterator[T]:
    """Pass items on, and tell how many were done after each."""
    for number, item in enumerate(items, start=1):
        yield item
        progress(number)


@contextmanager
def showing_progress(unit: str) -> Iterator[Callable[[int], None]]:
    """Yield a function to be told how many are done; short runs show nothing.

    unit (str): What is counted, such as "documents".
    """
    began = time.monotonic()
    line = StatusLine(sys.stderr, LOG_SECONDS, began)

    def show(done: int) -> None:
        now = time.monotonic()
        line.show(now, lambda: f"{done:,} {unit}, {done / (now - began):,.0f}/s")

    try:
        yield show
    finally:
        line.clear()
