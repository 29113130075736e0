"""Who writes an output, and the hidden files beside it while it is written.

An output that is claimed is written by one process at a time. What a killed process left beside it
has names of its own (.NAME.part, .partial, .old, .scratch, .bioner-lock) and goes with the next
claim.
"""

import errno
import os
import shutil
import zlib
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Union

from spacy_bioner.errors import OutputError
from spacy_bioner.files.locks import ENDING, is_own, left_to_block, locking
from spacy_bioner.files.streams import is_stream

PART, PARTIAL, OLD, SCRATCH = ".part", ".partial", ".old", ".scratch"
# File systems end names at 255 bytes; hidden names are made of so many of an output's own.
_NAME_SIZE = 200


@contextmanager
def claiming(*paths: Optional[Union[str, Path]]) -> Iterator[None]:
    """Make sure that outputs can be written, and keep other processes from them in the block.

    What an earlier process left that was killed while it wrote is removed, or put in its place
    where it was whole. Only the checkpoints of a training stay, for the training to see to.

    paths (Optional[Union[str, Path]]): Files and folders; None, pipes and devices are left alone.
    RAISES (OutputError): Where nothing can be written, or another process is at it.
    """
    with ExitStack() as stack:
        for path in paths:
            if path is None or leads_to_stream(Path(path)):
                continue
            target = stack.enter_context(claiming_one(Path(path)))
            stack.enter_context(left_to_block(beside(target, ENDING)))
        yield


@contextmanager
def scratch_folder(path: Union[str, Path]) -> Iterator[Path]:
    """Make a hidden folder beside an output that is claimed, for files that are of no use later."""
    # Of a name of its own: what a killed process had called may still write to its folder.
    folder = beside(follow_links(Path(path)), f".{os.getpid()}{SCRATCH}")
    with naming_os_errors(Path(path)):
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def partial_folder(path: Path) -> Path:
    """Say where `replacing_folder` lets the block make a folder."""
    return beside(follow_links(path), PARTIAL)


def final_path(path: Path) -> Path:
    """Say where something in a folder of `partial_folder` will stand: what messages name."""
    parts = list(path.parts)
    for number, part in enumerate(parts):
        if part.startswith(".") and part.endswith(PARTIAL):
            parts[number] = part[1 : -len(PARTIAL)]
    return Path(*parts)


def name_beside(path: Path, ending: str) -> Path:
    """Name a file or folder of an output's, beside it: for NAME, NAME and an ending.

    Beside what a link leads to: it may lead to another file system.
    """
    # "." and ".." have no name to add to.
    if path.name in ("", "..") or path.is_symlink():
        path = follow_links(path)
    return path.with_name(path.name + ending)


def is_claimed(path: Path) -> bool:
    """Say whether this process keeps others from an output."""
    return is_own(beside(follow_links(path), ENDING))


def is_debris(path: Path) -> bool:
    """Say whether a file or folder is one of the hidden ones that writing makes beside outputs."""
    return path.name.startswith(".") and path.name.endswith((ENDING, PART, PARTIAL, OLD, SCRATCH))


def replace_folder(new: Path, final: Path) -> None:
    """Put a folder in the place of another, which is removed only when the new one stands there.

    Where that fails, the other is put back; where a kill comes between, the next claim does it.

    new (Path): The folder, on the same file system as `final`.
    final (Path): Where it is to be; may be there already.
    """
    # A folder cannot be replaced in one step unless it is empty.
    old = beside(final, OLD)
    _heal(final)
    if final.exists():
        final.rename(old)
    try:
        new.rename(final)
    except BaseException:
        if old.exists():
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)


def follow_links(path: Path) -> Path:
    """Return the absolute path that links lead to; what they lead to may be absent.

    RAISES (OSError): For a circle of links.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return target


@contextmanager
def claiming_one(path: Path) -> Iterator[Path]:
    """Lock an output, and clear away what a killed process left of it; yield it without links."""
    made: List[Path] = []
    with ExitStack() as stack:
        with naming_os_errors(path):
            target = follow_links(path)
            check_name(target)
            made = _make_parents(target.parent)
            stack.callback(_remove_empty, made)
            if stack.enter_context(locking(target, beside(target, ENDING))):
                _clear(target)
        yield target


def beside(target: Path, ending: str) -> Path:
    """Name a hidden file or folder beside an output."""
    name = os.fsencode(target.name)
    if len(name) > _NAME_SIZE:
        name = name[:_NAME_SIZE] + f"-{zlib.crc32(name):08x}".encode()
    return target.with_name(f".{os.fsdecode(name)}{ending}")


@contextmanager
def naming_os_errors(path: Path) -> Iterator[None]:
    """Say of an error of the system which output it is about, and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"found that nothing can be written there ({reason}); name another path"
        raise OutputError(message, path=path) from error


def leads_to_stream(path: Path) -> bool:
    """Say whether an output is a pipe or a device: see `streams`.

    RAISES (OutputError): For a disk or a socket, a circle of links, and their like.
    """
    with naming_os_errors(path):
        return is_stream(path)


def refuse_stream_as_folder(path: Path) -> None:
    """Make sure that a folder to write is no pipe or device.

    RAISES (OutputError): Where it is.
    """
    if leads_to_stream(path):
        raise OutputError("found a pipe or device, expected a folder to write", path=path)


def refuse_folder_as_file(path: Path) -> None:
    """Make sure, before the work on it starts, that a file to write is no folder.

    RAISES (OutputError): Where it is.
    """
    if path.is_dir():
        raise OutputError("found a folder, expected the name of an output file", path=path)


def check_name(path: Path) -> None:
    """Names that are too long for the file system fail here, not after the work."""
    if not path.name:
        raise OutputError("found no name, expected that of an output", path=path)
    # Raises an error of its own for such a name; anything else is for others to see.
    path.exists()


def _clear(target: Path) -> None:
    partial, old = beside(target, PARTIAL), beside(target, OLD)
    if old.is_dir() and partial.is_dir() and not target.exists():
        # The kill came between the two renames of `replace_folder`: the new folder was whole.
        partial.rename(target)
    _heal(target)
    beside(target, PART).unlink(missing_ok=True)
    start = beside(target, ".").name
    for path in target.parent.iterdir():
        if path.name.startswith(start) and path.name.endswith(SCRATCH):
            shutil.rmtree(path, ignore_errors=True)


def _heal(final: Path) -> None:
    old = beside(final, OLD)
    if old.is_dir() and not final.exists():
        old.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _make_parents(folder: Path) -> List[Path]:
    missing = []
    while not folder.exists() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for item in reversed(missing):
        item.mkdir(exist_ok=True)
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders in which nothing came to be, the innermost first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
