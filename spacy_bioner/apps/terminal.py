"""Standard output and error, guarded: what comes from files cannot command the terminal."""

import os
import re
import sys
from contextlib import contextmanager
from typing import Any, Iterable, Iterator, TextIO, cast

from spacy_bioner.printable import make_printable

# Colors and weights as spaCy's own messages have them, and their end.
_STYLE = re.compile(r"(\x1b\[(?:\d{1,3}(?:;\d{1,3})*)?m)")


class GuardedStream:
    """Writes to a stream with control characters as escapes; all else is the stream's own.

    It has no `buffer`: what takes that to write bytes would pass by the guard.

    unguarded (TextIO): The stream itself, for what moves the cursor on purpose.
    styled (bool): Let colors pass.
    """

    def __init__(self, unguarded: TextIO) -> None:
        self.unguarded = unguarded
        self.styled = False

    def write(self, text: str) -> int:
        """Write a text, made printable; return the number of its characters."""
        if self.styled:
            # Every second part is a style.
            parts = enumerate(_STYLE.split(text))
            shown = "".join(part if i % 2 else make_printable(part) for i, part in parts)
        else:
            shown = make_printable(text)
        self.unguarded.write(shown)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, made printable."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError("a guarded stream has no buffer")
        return getattr(self.unguarded, name)


def replace_closed_streams() -> None:
    """Put a stand-in for those standard streams that the process was started without (`>&-`).

    Their numbers are taken as well: else the next file that is opened would have one of them, and
    get what libraries in other languages write there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # For reading only, so that /dev/stdout is refused as an output.
            os.open(os.devnull, os.O_RDONLY)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard both standard streams; within another guard, nothing changes.

    They stay guarded where an error leaves that nobody expected: its traceback is still to be
    written.
    """
    kept = sys.stdout, sys.stderr
    guarded = cast(TextIO, _guard(kept[0])), cast(TextIO, _guard(kept[1]))
    sys.stdout, sys.stderr = guarded
    expected = False
    try:
        yield
        expected = True
    except (SystemExit, KeyboardInterrupt):
        expected = True
        raise
    finally:
        # A pipe that was closed has had its stream replaced, which has to stay.
        if expected and sys.stdout is guarded[0]:
            sys.stdout = kept[0]
        if expected and sys.stderr is guarded[1]:
            sys.stderr = kept[1]


@contextmanager
def passing_styles() -> Iterator[None]:
    """Let colors pass on the standard streams, for what spaCy prints; nothing else does."""
    streams = [item for item in (sys.stdout, sys.stderr) if isinstance(item, GuardedStream)]
    for stream in streams:
        stream.styled = True
    try:
        yield
    finally:
        for stream in streams:
            stream.styled = False


def unguarded(stream: TextIO) -> TextIO:
    """Return the stream below a guarded one, for what has made all its texts printable."""
    return stream.unguarded if isinstance(stream, GuardedStream) else stream


def _guard(stream: Any) -> Any:
    # A process without a console has no streams.
    if stream is None or isinstance(stream, GuardedStream):
        return stream
    # What the terminal's encoding does not know is shown as an escape, too.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return GuardedStream(stream)
