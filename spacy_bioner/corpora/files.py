"""Line-wise reading with positions, and writing that never leaves half a file behind."""

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence, Tuple, Union

from spacy_bioner.errors import CorpusError

PathLike = Union[str, Path]
_BOM = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip file",
    b"\xfd7zXZ\x00": "an xz file",
    b"BZh": "a bzip2 file",
}


def check_is_file(path: PathLike) -> Path:
    """Give the path of an existing file that is no archive.

    RAISES (CorpusError): When nothing is there, or a folder is, or an archive.
    """
    path = Path(path)
    if path.is_dir():
        raise CorpusError("found a folder, expected a corpus file; name one file in it", path=path)
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
    with _naming_os_errors(path):
        _check_replaceable(path)
        folder = path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", dir=folder):
            pass


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, which replaces it when the block succeeds.

    When the block raises, `path` is as it was and the temporary file is gone.
    RAISES (CorpusError): Where no file can be made.
    """
    path = Path(path)
    with _naming_os_errors(path):
        _check_replaceable(path)
        if path.is_dir():
            raise CorpusError("found a folder, expected the name of an output file", path=path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with _naming_os_errors(path):
            # mkstemp makes files that only their owner can read; outputs are ordinary files.
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: PathLike, *, marks: Sequence[str] = ()) -> Iterator[Path]:
    """Give the path of a folder to make, which replaces `path` when the block succeeds.

    When the block raises, `path` is as it was and the new folder is gone.
    marks (Sequence[str]): Names of which an earlier result has at least one. A folder with content
        and without them is somebody's own, and is refused; none takes any folder for a result.
    RAISES (CorpusError): Where no folder can be made, or something else is in its place.
    """
    path = Path(path)
    check_own_folder(path, marks)
    partial = partial_folder(path)
    shutil.rmtree(partial, ignore_errors=True)
    with _naming_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only to see that it can be made: that is left to the block.
        partial.mkdir()
        partial.rmdir()
    try:
        yield partial
        with _naming_os_errors(path):
            replace_folder(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_own_folder(path: Path, marks: Sequence[str]) -> None:
    """Check that a folder to write is new, empty or an earlier result: see `replacing_folder`.

    RAISES (CorpusError): For a file, and for a folder with other content.
    """
    if path.exists() and not path.is_dir():
        raise CorpusError("found a file, expected a folder to write", path=path)
    if not marks or not path.is_dir() or any((path / mark).exists() for mark in marks):
        return
    names = sorted(item.name for item in path.iterdir())
    if names:
        raise CorpusError(
            f"found a folder with other content ({', '.join(names[:3])}), which would be removed; "
            "name a new folder, or one that this command wrote before",
            path=path,
        )


def partial_folder(path: Path) -> Path:
    """Say where `replacing_folder` lets the block make a folder."""
    return path.with_name(f".{path.name}.partial")


def replace_folder(new: Path, final: Path) -> None:
    """Put a folder in the place of another, which is removed only when the new one stands there.

    new (Path): The folder, on the same file system as `final`.
    final (Path): Where it is to be; may be there already.
    """
    # A folder cannot be replaced in one step unless it is empty.
    old = new.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _naming_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"found that nothing can be written there ({reason}); name another path"
        raise CorpusError(message, path=path) from error


def _check_replaceable(path: Path) -> None:
    """Devices and pipes are refused: a file would take their place."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        message = "found something that is no ordinary file, expected the name of an output"
        raise CorpusError(message, path=path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
