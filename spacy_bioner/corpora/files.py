"""Line-wise reading with positions, and writing that never leaves half a file behind."""

import errno
import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence, Tuple, Union

from spacy_bioner.corpora.locks import refuse_writers_below
from spacy_bioner.corpora.outputs import (
    PART,
    beside,
    check_name,
    claiming_one,
    final_path,
    follow_links,
    is_debris,
    leads_to_stream,
    naming_os_errors,
    partial_folder,
    refuse_stream_as_folder,
    replace_folder,
)
from spacy_bioner.corpora.streams import is_stream, passing_on
from spacy_bioner.errors import CorpusError

PathLike = Union[str, Path]
_BOM = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
# What a full disk, a quota, a limit on the size of files or a broken disk say of a write.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip file",
    b"\xfd7zXZ\x00": "an xz file",
    b"BZh": "a bzip2 file",
}


def check_is_file(path: PathLike) -> Path:
    """Give the path of an existing file that is no archive.

    RAISES (CorpusError): When nothing is there, or a folder, pipe or device is, or an archive.
    """
    path = Path(path)
    if path.is_dir():
        raise CorpusError("found a folder, expected a corpus file; name one file in it", path=path)
    if path.exists() and not path.is_file():
        message = "found a pipe or device, expected a corpus file: it is read more than once"
        raise CorpusError(f"{message}; save what comes from there as a file first", path=path)
    if not path.is_file():
        raise CorpusError("no such file; check the path or fetch the corpus first", path=path)
    with path.open("rb") as file:
        head = file.read(6)
    for mark, kind in _ARCHIVES.items():
        if head.startswith(mark):
            message = f"found {kind}, expected a plain file; unpack it first"
            raise CorpusError(message, path=path, line=1)
    return path


def read_lines(
    path: PathLike, *, encoding: str = "utf-8", keep_returns: bool = False
) -> Iterator[Tuple[int, str]]:
    """Stream the lines of a file as (line number from 1, text without line end).

    Lines end at LF or CR LF only: the other line separators of Unicode occur inside abstracts,
    where breaking at them would shift every offset behind.

    keep_returns (bool): Leave the CR of a CR LF at the line's end.
    encoding (str): One in which a line end is the byte 0x0A: any but UTF-16 and UTF-32.
    RAISES (CorpusError): No such file, an archive, or bytes that are not in the encoding, with
        their line.
    """
    path = check_is_file(path)
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if number == 1:
                refuse_wide_encoding(raw, path)
            try:
                line = raw.decode(encoding)
            except UnicodeDecodeError as error:
                message = (
                    f"found byte 0x{raw[error.start]:02x} at column {error.start + 1}, "
                    f"expected {encoding.upper()} text; convert the file to UTF-8 first"
                )
                raise CorpusError(message, path=path, line=number) from error
            if number == 1:
                line = line.removeprefix(_BOM)
            line = line.removesuffix("\n")
            yield number, line if keep_returns else line.removesuffix("\r")


def check_text(text: str, path: PathLike, line: int) -> str:
    """Give a text that can be written as UTF-8 again; escapes in JSON can name half a character.

    RAISES (CorpusError): Where the text has a lone surrogate.
    """
    match = _SURROGATE.search(text)
    if match:
        message = (
            f"found half a character (U+{ord(match[0]):04X}) at offset {match.start()} of a text, "
            "expected whole ones; write the pair, or the character itself"
        )
        raise CorpusError(message, path=path, line=line)
    return text


def refuse_wide_encoding(head: bytes, path: Path) -> None:
    """Make sure that a file's first bytes are no UTF-16, in which a line end is no single byte.

    RAISES (CorpusError): A byte order mark of UTF-16 or UTF-32, or ASCII with every other byte 0.
    """
    is_unmarked = len(head) > 3 and head[:4].count(0) == 2 and head[0:2].count(0) == 1
    if is_unmarked or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "found UTF-16 text, expected UTF-8; convert the file to UTF-8 first"
        raise CorpusError(message, path=path, line=1)


def check_is_writable(path: PathLike) -> None:
    """Make sure that an output can be written, before the work on it starts; leaves nothing.

    RAISES (CorpusError): Where a file cannot be made at the path, with the reason.
    """
    path = Path(path)
    with naming_os_errors(path):
        if is_stream(path):
            return
        path = follow_links(path)
        check_name(path)
        folder = path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.NamedTemporaryFile(prefix=".bioner-", suffix=".probe", dir=folder):
            pass


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, which replaces it when the block succeeds.

    When the block raises, `path` is as it was and the temporary file is gone. A link is followed:
    what it leads to is replaced. What was written for a pipe or a device is passed on to it.
    RAISES (CorpusError): Where no file can be made, or another process is making it.
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
                if target.is_dir():
                    message = "found a folder, expected the name of an output file"
                    raise CorpusError(message, path=path)
                mode = _choose_mode(target)
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with _naming_want_of_room(path):
                yield temporary
            with naming_os_errors(path):
                temporary.chmod(mode)
                os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: PathLike, *, marks: Sequence[str] = ()) -> Iterator[Path]:
    """Give the path of a folder to make, which replaces `path` when the block succeeds.

    When the block raises, `path` is as it was and the new folder is gone.
    marks (Sequence[str]): Names of which an earlier result has at least one. A folder with content
        and without them is somebody's own, and is refused; none takes any folder for a result.
    RAISES (CorpusError): Where no folder can be made, something else is in its place, or another
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

    RAISES (CorpusError): For a file, and for a folder with other content.
    """
    with naming_os_errors(path):
        is_there, is_folder = path.exists(), path.is_dir()
    if is_there and not is_folder:
        raise CorpusError("found a file, expected a folder to write", path=path)
    if not marks or not is_folder or any((path / mark).exists() for mark in marks):
        return
    names = sorted(item.name for item in path.iterdir() if not is_debris(item))
    if names:
        raise CorpusError(
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
        raise CorpusError(message, path=final_path(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
