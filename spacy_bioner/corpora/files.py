"""Line-wise reading with positions, and writing that never leaves half a file behind."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Tuple, Union

from spacy_bioner.errors import CorpusError

PathLike = Union[str, Path]
_BOM = "\ufeff"


def check_is_file(path: PathLike) -> Path:
    """Give the path of an existing file.

    RAISES (CorpusError): When nothing is there, or a folder is.
    """
    path = Path(path)
    if path.is_dir():
        raise CorpusError("found a folder, expected a corpus file; name one file in it", path=path)
    if not path.is_file():
        raise CorpusError("no such file; check the path or fetch the corpus first", path=path)
    return path


def read_lines(path: PathLike) -> Iterator[Tuple[int, str]]:
    """Stream the lines of a UTF-8 file as (line number from 1, text without line end).

    Lines end at LF or CR LF only: the other line separators of Unicode occur inside abstracts,
    where breaking at them would shift every offset behind.

    RAISES (CorpusError): No such file, or bytes that are not UTF-8, with their line.
    """
    path = check_is_file(path)
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                message = (
                    f"found byte 0x{raw[error.start]:02x} at column {error.start + 1}, "
                    "expected UTF-8 text; convert the file to UTF-8 first"
                )
                raise CorpusError(message, path=path, line=number) from error
            if number == 1:
                line = line.removeprefix(_BOM)
            yield number, line.removesuffix("\n").removesuffix("\r")


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, which replaces it when the block succeeds.

    When the block raises, `path` is as it was and the temporary file is gone.
    """
    path = Path(path)
    if path.is_dir():
        raise CorpusError("found a folder, expected the name of an output file", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files that only their owner can read; outputs are ordinary files.
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
