"""Files of lines, with positions and encodings; archives and UTF-16 are refused."""

import re
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Iterator, Tuple, Union

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
    """Return the path of an existing file that is no archive.

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
    """Return a text that can be written as UTF-8 again; escapes in JSON can name half a character.

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


@contextmanager
def open_lines(path: PathLike) -> Iterator[Iterator[bytes]]:
    """Yield a file's lines as bytes with their ends, without a byte order mark.

    RAISES (CorpusError): No such file, an archive, or UTF-16.
    """
    # In Latin-1 any line can be read: this only makes the checks that all line formats share.
    next(read_lines(path, encoding="latin-1"), None)
    with Path(path).open("rb") as file:
        first = file.readline().removeprefix(_BOM.encode())
        yield chain([first] if first else [], file)


def decode_line(raw: bytes, encoding: str = "utf-8") -> Tuple[str, str]:
    """Decode a line.

    RETURNS (Tuple[str, str]): The text without line end (with U+FFFD for what cannot be decoded),
        and what is wrong with it; empty when nothing is.
    """
    try:
        text, problem = raw.decode(encoding), ""
    except UnicodeDecodeError as error:
        text = raw.decode(encoding, errors="replace")
        problem = (
            f"found byte 0x{raw[error.start]:02x} at column {error.start + 1}, "
            f"expected {encoding.upper()} text; convert the file to UTF-8 first"
        )
    return text.removesuffix("\n").removesuffix("\r"), problem
