"""Progress of long runs, on the error stream: a live line on a terminal, else one now and then."""

import sys
import time
from contextlib import contextmanager
from typing import Callable, Iterable, Iterator, TypeVar

LIVE_SECONDS = 0.2
LOG_SECONDS = 30.0
T = TypeVar("T")


def counted(items: Iterable[T], progress: Callable[[int], None]) -> Iterator[T]:
    """Pass items on, and tell how many were done after each."""
    for number, item in enumerate(items, start=1):
        yield item
        progress(number)


@contextmanager
def showing_progress(unit: str) -> Iterator[Callable[[int], None]]:
    """Give a function to be told how many are done; short runs show nothing.

    unit (str): What is counted, such as "documents".
    """
    live = sys.stderr.isatty()
    pause = LIVE_SECONDS if live else LOG_SECONDS
    began = shown = time.monotonic()
    length = 0

    def show(done: int) -> None:
        nonlocal shown, length
        now = time.monotonic()
        if now - shown < pause:
            return
        shown = now
        text = f"{done:,} {unit}, {done / (now - began):,.0f}/s"
        if live:
            sys.stderr.write("\r" + text.ljust(length))
            length = len(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if live and length:
            sys.stderr.write("\r" + " " * length + "\r")
            sys.stderr.flush()
