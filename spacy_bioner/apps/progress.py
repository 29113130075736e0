"""Progress of long runs, on the error stream: a live line on a terminal, else one now and then."""

import sys
import time
from contextlib import contextmanager
from typing import Callable, Iterable, Iterator, Optional, Sequence, TypeVar

from spacy_bioner.training.step_progress import StatusLine, format_seconds

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


class Pace:
    """Tells how far a run over documents has come: documents and words a second, and time left.

    line (Optional[StatusLine]): Where that is told; None tells nothing.
    clock (Callable[[], float]): Gives seconds.
    """

    def __init__(
        self, line: Optional[StatusLine] = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._line = line
        self._clock = clock
        self._documents = self._characters = 0
        self.begin(0, 0)

    def begin(self, documents: int, characters: int) -> None:
        """Take note of what there is to do in all."""
        self._all = documents, characters
        self._began = self._clock()
        self._new = self._words = self._new_characters = 0

    def skip(self, documents: int, characters: int) -> None:
        """Count what was done in an earlier run."""
        self._documents += documents
        self._characters += characters

    def advance(self, texts: Sequence[str]) -> None:
        """Count documents, and say so where the last word is long ago."""
        characters = sum(map(len, texts))
        self.skip(len(texts), characters)
        self._new += len(texts)
        self._new_characters += characters
        if self._line is not None:
            self._words += sum(len(text.split()) for text in texts)
            now = self._clock()
            self._line.show(now, lambda: self.describe(now - self._began))

    def describe(self, seconds: float) -> str:
        """Word how far it has come after so many seconds of this run."""
        seconds = max(seconds, 1e-9)
        documents, characters = self._all
        left = (characters - self._characters) * seconds / max(self._new_characters, 1)
        return (
            f"{self._documents:,} of {documents:,} documents, {self._new / seconds:,.1f} "
            f"documents/s, {self._words / seconds:,.0f} words/s, {format_seconds(left)} left"
        )


@contextmanager
def showing_pace() -> Iterator[Pace]:
    """Yield what is to be told of documents that are done; short runs show nothing."""
    line = StatusLine(sys.stderr, LOG_SECONDS, time.monotonic())
    try:
        yield Pace(line)
    finally:
        line.clear()
