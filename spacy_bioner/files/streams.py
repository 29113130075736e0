"""Outputs that are no files: pipes and devices, and what a process has open under a number."""

import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

from spacy_bioner.errors import OutputError

_OWN_FILES = re.compile(r"/proc/(\d+)(?:/task/\d+)?/fd|/dev/fd")
_MAX_LINKS = 40
STANDARD_OUTPUT = 1


def is_stream(path: Path) -> bool:
    """Say whether a path leads to a pipe, a terminal or another device, or to an open file.

    RAISES (OutputError): For a socket or a disk, which nothing should be written to.
    RAISES (OSError): Where that cannot be found out, as in a circle of links.
    """
    descriptor = find_descriptor(path)
    if descriptor is not None:
        # A number that is not open, or only for reading, fails here and not after the work.
        os.write(descriptor, b"")
        return True
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        message = "found something that is no ordinary file, expected the name of an output"
        raise OutputError(message, path=path)
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def is_standard_output(path: Path) -> bool:
    """Say whether a path such as /dev/stdout leads to what this process prints to."""
    return find_descriptor(path) == STANDARD_OUTPUT


def find_descriptor(path: Path) -> Optional[int]:
    """Return the number of the open file that a path such as /dev/stdout leads to, if it does.

    Such a path must not be opened: a file that the shell opened for standard output would be
    emptied, and what is printed written over what was written.
    """
    place = os.path.abspath(path)
    for _ in range(_MAX_LINKS):
        folder, name = os.path.split(place)
        folder = os.path.realpath(folder)
        match = _OWN_FILES.fullmatch(folder)
        if match and name.isdigit() and match[1] in (None, str(os.getpid())):
            return int(name)
        place = os.path.join(folder, name)
        if not os.path.islink(place):
            return None
        place = os.path.normpath(os.path.join(folder, os.readlink(place)))
    return None


@contextmanager
def passing_on(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what stands there goes to a stream when the block succeeds.

    RAISES (OutputError): Where the stream takes no more, such as a pipe without a reader.
    RAISES (BrokenPipeError): Where that is standard output.
    """
    with tempfile.TemporaryDirectory(prefix="bioner-") as folder:
        temporary = Path(folder) / "out"
        temporary.touch()
        yield temporary
        descriptor = find_descriptor(path)
        try:
            target = os.open(path, os.O_WRONLY) if descriptor is None else os.dup(descriptor)
            with temporary.open("rb") as source, os.fdopen(target, "wb") as stream:
                shutil.copyfileobj(source, stream)
        except OSError as error:
            # `bioner … /dev/stdout | head` has all that it asked for, and ends as other tools do.
            if isinstance(error, BrokenPipeError) and descriptor == STANDARD_OUTPUT:
                raise
            message = f"found that it does not take all that is written ({error.strerror})"
            raise OutputError(message, path=path) from error
