"""The encoding of a text file: UTF-8 where it can be, else one that is detected or named."""

import codecs
from pathlib import Path
from typing import Optional, Tuple

from spacy_bioner.errors import CorpusError
from spacy_bioner.extras import install_command

_SAMPLE_BYTES = 1 << 20
# Escapes of other codecs (UTF-7, unicode_escape) could make halves of characters.
_PROBE = b"\n\\ud800+2AA-,\t" + b"x" * 70
_NAME_IT = "name it (`encoding`), or convert the file to UTF-8 first"


def detect_encoding(path: Path) -> str:
    """Tell UTF-8 (all bytes are looked at), else what charset-normalizer takes it for.

    A file that is mostly good UTF-8 is UTF-8: its reader names the line with the bad bytes.
    RAISES (CorpusError): Without charset-normalizer, or where no encoding fits.
    """
    bad = _find_bad_byte(path)
    if bad is None:
        return "utf-8"
    offset, line = bad
    with path.open("rb") as file:
        file.seek(max(0, offset - _SAMPLE_BYTES // 2))
        sample = file.read(_SAMPLE_BYTES)
    text = sample.decode("utf-8", errors="replace")
    if sum(not char.isascii() for char in text) > 2 * text.count("\ufffd") or b"\0" in sample:
        return "utf-8"
    encoding = _guess_encoding(sample, path, line)
    if encoding is None:
        byte = sample[min(offset, _SAMPLE_BYTES // 2)]
        message = f"found byte 0x{byte:02x}, expected text in a known encoding; {_NAME_IT}"
        raise CorpusError(message, path=path, line=line)
    return encoding


def check_encoding(encoding: str, path: Path) -> str:
    """Give the name of an encoding that can be read line by line.

    RAISES (CorpusError): One that is unknown, or has no single bytes for ASCII.
    """
    if not _holds_ascii(encoding):
        message = (
            f"found encoding {encoding!r}, expected a known one in which ASCII is single bytes; "
            "convert the file to UTF-8 first"
        )
        raise CorpusError(message, path=path)
    return codecs.lookup(encoding).name


def _find_bad_byte(path: Path) -> Optional[Tuple[int, int]]:
    """Give offset and line of the first byte that is not UTF-8."""
    offset, line = 0, 1
    with path.open("rb") as file:
        # In pieces of whole lines: no character goes over a line end.
        while lines := file.readlines(_SAMPLE_BYTES):
            piece = b"".join(lines)
            try:
                piece.decode("utf-8")
            except UnicodeDecodeError as error:
                return offset + error.start, line + piece.count(b"\n", 0, error.start)
            offset += len(piece)
            line += len(lines)
    return None


def _guess_encoding(sample: bytes, path: Path, line: int) -> Optional[str]:
    try:
        from charset_normalizer import from_bytes
    except ImportError as error:
        message = (
            "found text that is not UTF-8; to have its encoding detected, "
            f"{install_command('corpora')} (charset-normalizer); else {_NAME_IT}"
        )
        raise CorpusError(message, path=path, line=line) from error
    matches = [match for match in from_bytes(sample) if _holds_ascii(match.encoding)]
    if not matches:
        return None
    # Western text reads in several code pages without a fault: then the common one is meant.
    for match in matches:
        names = {match.encoding, *match.could_be_from_charset}
        if match.chaos <= matches[0].chaos and "cp1252" in names:
            return "cp1252"
    return codecs.lookup(matches[0].encoding).name


def _holds_ascii(encoding: str) -> bool:
    try:
        return _PROBE.decode(encoding) == _PROBE.decode("ascii")
    except (LookupError, ValueError):
        return False
