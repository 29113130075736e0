"""Writing that never leaves half a file or folder behind."""

import errno
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence

from spacy_bioner.errors import OutputError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.locks import refuse_writers_below
from spacy_bioner.files.outputs import (
    PART,
    beside,
    claiming_one,
    final_path,
    is_debris,
    leads_to_stream,
    naming_os_errors,
    partial_folder,
    refuse_folder_as_file,
    refuse_stream_as_folder,
    replace_folder,
)
from spacy_bioner.files.streams import passing_on

# What a full disk, a quota, a limit on the size of files or a broken disk say of a write.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, which replaces it when the block succeeds.

    When the block raises, `path` is as it was and the temporary file is gone. A link is followed:
    what it leads to is replaced. What was written for a pipe or a device is passed on to it.
    RAISES (OutputError): Where no file can be made, or another process is making it.
    """
    path = Path(path)
    if leads_to_stream(path):
        with passing_on(path) as temporary:
            yield temporary
        return
    with claiming_one(path) as target:
        temporary = beside(target, PART)
        try:
            with naming_os_errors(path):
                refuse_folder_as_file(target)
                mode = _choose_mode(target)
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with _naming_want_of_room(path):
                yield temporary
            with naming_os_errors(path):
                temporary.chmod(mode)
                os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: PathLike, text: str) -> None:
    """Write a text in UTF-8, whole or not at all; lone surrogates become escapes.

    RAISES (OutputError): Where no file can be made, or another process is making it.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def replacing_folder(path: PathLike, *, marks: Sequence[str] = ()) -> Iterator[Path]:
    """Yield the path of a folder to make, which replaces `path` when the block succeeds.

    When the block raises, `path` is as it was and the new folder is gone.
    marks (Sequence[str]): Names of which an earlier result has at least one. A folder with content
        and without them is somebody's own, and is refused; none takes any folder for a result.
    RAISES (OutputError): Where no folder can be made, something else is in its place, or another
        process is making it.
    """
    path = Path(path)
    refuse_stream_as_folder(path)
    check_own_folder(path, marks)
    with claiming_one(path) as target:
        # A report inside an earlier result, for example.
        refuse_writers_below(target)
        partial = partial_folder(target)
        shutil.rmtree(partial, ignore_errors=True)
        with naming_os_errors(path):
            # Only to see that it can be made: that is left to the block.
            partial.mkdir()
            partial.rmdir()
        try:
            with _naming_want_of_room(path):
                yield partial
            with naming_os_errors(path):
                replace_folder(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def check_own_folder(path: Path, marks: Sequence[str]) -> None:
    """Check that a folder to write is new, empty or an earlier result: see `replacing_folder`.

    RAISES (OutputError): For a file, and for a folder with other content.
    """
    with naming_os_errors(path):
        is_there, is_folder = path.exists(), path.is_dir()
    if is_there and not is_folder:
        raise OutputError("found a file, expected a folder to write", path=path)
    if not marks or not is_folder or any((path / mark).exists() for mark in marks):
        return
    names = sorted(item.name for item in path.iterdir() if not is_debris(item))
    if names:
        raise OutputError(
            f"found a folder with other content ({', '.join(names[:3])}), which would be removed; "
            "name a new folder, or one that this command wrote before",
            path=path,
        )


def _choose_mode(target: Path) -> int:
    """Outputs are ordinary files; one that is replaced keeps who may read and write it."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return 0o666 & ~_umask()


@contextmanager
def _naming_want_of_room(path: Path) -> Iterator[None]:
    """Errors of a block are its own, but a full disk does not say which file was written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        message = (
            f"found that it cannot be written to its end ({error.strerror}); make room, or name "
            "another path. What was there before is as it was"
        )
        raise OutputError(message, path=final_path(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
