"""Progress between evaluations: steps, loss, pace and time left, on the error stream; and the line
that all progress is told in."""

import time
from typing import IO, Callable, Optional

LIVE_SECONDS = 0.2
LOG_SECONDS = 15.0


class StatusLine:
    """A live line on a terminal, else a line now and then.

    stream (IO): What is written to.
    log_seconds (float): The pause between lines where there is no terminal.
    began (float): The time, in seconds, from which the first pause counts.
    """

    def __init__(self, stream: IO, log_seconds: float, began: float) -> None:
        # A guarded stream would show the returns of this line, which are meant.
        self._stream = getattr(stream, "unguarded", stream)
        self._live = bool(getattr(stream, "isatty", bool)())
        self._pause = LIVE_SECONDS if self._live else log_seconds
        self._shown = began
        self._width = 0

    def show(self, now: float, make_text: Callable[[], str]) -> None:
        """Write a text in place of the last one, or below it, unless that is not long ago."""
        if now - self._shown < self._pause:
            return
        self._shown = now
        text = make_text()
        if self._live:
            self._stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def restart(self, now: float) -> None:
        """Take the live line away, and begin the pause anew."""
        self.clear()
        self._shown = now

    def clear(self) -> None:
        """Take the live line away, before other output and at the end."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


class StepProgress:
    """Tells how far training has come: in a live line on a terminal, else in a line now and then.

    max_steps (int): Where training ends at the latest; 0 where it ends otherwise.
    eval_frequency (int): Steps between evaluations.
    stream (IO): What is written to.
    clock (Callable[[], float]): Gives seconds.
    """

    def __init__(
        self,
        max_steps: int,
        eval_frequency: int,
        stream: IO,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_steps = max_steps
        self.eval_frequency = eval_frequency
        self._clock = clock
        self._step = 0
        self._first: Optional[int] = None
        self._began = clock()
        self._line = StatusLine(stream, LOG_SECONDS, self._began)

    def evaluated(self, step: int) -> None:
        """Take note of an evaluation; the first one ends what comes before training."""
        now = self._clock()
        self._line.restart(now)
        self._step = step
        if self._first is None:
            self._first, self._began = step, now

    def advance(self, loss: Optional[float] = None) -> None:
        """Count a step, and say so where the last word is long ago.

        loss (Optional[float]): Of this step; None where it is not known.
        """
        self._step += 1
        now = self._clock()
        self._line.show(now, lambda: self.describe(now - self._began, loss))

    def describe(self, seconds: float, loss: Optional[float] = None) -> str:
        """Word the progress after so many seconds of training, evaluations counted in."""
        done = self._step - (self._first or 0)
        pace = done / seconds if seconds > 0 else 0.0
        whole = f" of {self.max_steps:,}" if self.max_steps else ""
        parts = [f"step {self._step:,}{whole}"]
        if loss is not None:
            parts.append(f"loss {loss:.4f}")
        parts.append(f"{pace:.2g} steps/s" if pace < 10 else f"{pace:,.0f} steps/s")
        if self.max_steps and pace:
            left = (self.max_steps - self._step) / pace
            parts.append(f"at most {format_seconds(left)} left")
        following = (self._step // self.eval_frequency + 1) * self.eval_frequency
        if not self.max_steps or following < self.max_steps:
            parts.append(f"next evaluation at step {following:,}")
        return ", ".join(parts)

    def clear(self) -> None:
        """Take the live line away, before other output and at the end."""
        self._line.clear()


def format_seconds(seconds: float) -> str:
    """Word a duration: "40 s", "3 min", "2 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
