"""What a command says, in one line, of a failure that is not the program's own fault."""

import errno
import os
from typing import NamedTuple, Optional

from spacy_bioner.errors import BionerError, StoppedError

INTERRUPTED = 130
# What writers in other languages say of a disk: safetensors, torch and SQLite have no OSError.
_NO_ROOM = (
    "No space left on device",
    "File too large",
    "os error 28",
    "os error 27",
    "PytorchStreamWriter",
    "database or disk is full",
)
_HINTS = {
    errno.ENOSPC: "make room on that disk, or write somewhere else",
    errno.EDQUOT: "make room, or write somewhere else",
    errno.EFBIG: "write to a file system, or under a limit, that has files of that size",
    errno.ENOENT: "it is not there, or was removed meanwhile",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.EMFILE: "raise the number of open files (ulimit -n)",
    errno.ELOOP: "the link leads to itself",
}


class Failure(NamedTuple):
    """How a command ends: a line, and the exit code."""

    line: str
    code: int = 1


def describe_failure(error: BaseException) -> Optional[Failure]:
    """Describe an error of this package, of the system or of its user; None for a fault of ours."""
    if isinstance(error, StoppedError):
        return Failure(str(error), INTERRUPTED)
    if isinstance(error, BionerError):
        return Failure(str(error))
    if isinstance(error, KeyboardInterrupt):
        return Failure("interrupted", INTERRUPTED)
    if isinstance(error, OSError):
        return Failure(_describe_os_error(error))
    if isinstance(error, UnicodeEncodeError):
        found = error.object[error.start : error.end]
        message = f"found {found!a} in a name or text, which cannot be written as {error.encoding}"
        return Failure(f"{message}; rename the file, or correct the text")
    if _is_out_of_memory(error):
        message = "the memory does not hold what this takes: use smaller batches, a smaller encoder"
        return Failure(f"{message} or corpus, or a machine with more of it")
    if any(sign in str(error) for sign in _NO_ROOM):
        first = str(error).strip().split("\n")[0]
        return Failure(f"a file cannot be written to its end ({first}); make room on that disk")
    return None


def _describe_os_error(error: OSError) -> str:
    names = [name for name in (error.filename, error.filename2) if name is not None]
    place = " → ".join(
        os.fsdecode(name) if isinstance(name, (str, bytes)) else "" for name in names
    )
    reason = error.strerror or str(error) or type(error).__name__
    hint = _HINTS.get(error.errno or 0, "")
    return f"{place}: {reason}".removeprefix(": ") + (f"; {hint}" if hint else "")


def _is_out_of_memory(error: BaseException) -> bool:
    if not isinstance(error, (MemoryError, RuntimeError)):
        return False
    from spacy_bioner.layers.out_of_memory import is_out_of_memory

    return is_out_of_memory(error)
