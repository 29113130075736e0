"""Which format is this? Told by content: names and endings only matter for folders."""

import re
import zlib
from pathlib import Path

from spacy_bioner.corpora.formats.detection.folders import PAIR_ENDINGS, detect_folder
from spacy_bioner.corpora.formats.detection.texts import detect_text
from spacy_bioner.corpora.formats.json_files.shapes import detect_json
from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file, refuse_wide_encoding

HEAD_SIZE = 65_536
# A word of a column may be a bracket: in JSON only some characters can follow one.
_JSON_START = re.compile(r'\{\s*["}]|\[\s*["\[\]{0-9tfn-]')


def detect_format(path: PathLike) -> str:
    """Tell the format of a file or folder.

    RETURNS (str): A name in `formats.registry.FORMATS`.
    RAISES (CorpusError): Nothing there, an empty file, UTF-16, or no format that is known.
    """
    path = Path(path)
    if path.is_dir():
        return detect_folder(path, detect_format)
    path = check_is_file(path)
    if path.suffix in PAIR_ENDINGS:
        return PAIR_ENDINGS[path.suffix]
    with path.open("rb") as file:
        raw = file.read(HEAD_SIZE)
    if _is_docbin(raw):
        return "spacy"
    refuse_wide_encoding(raw, path)
    # Any 8-bit encoding shows the marks of a format; its reader checks the encoding.
    head = raw.decode("utf-8", errors="replace").removeprefix("\ufeff").lstrip("\r\n \t")
    if not head:
        message = "found an empty file, expected a corpus (see `bioner convert --help`)"
        raise CorpusError(message, path=path, line=1)
    if _JSON_START.match(head):
        return detect_json(path)
    for item in FORMATS.values():
        if item.looks_like is not None and item.looks_like(head):
            return item.name
    # The last line of a part may be cut.
    lines = head.splitlines()
    return detect_text(lines[:-1] if len(head) >= HEAD_SIZE and len(lines) > 1 else lines, path)


def _is_docbin(raw: bytes) -> bool:
    # A DocBin is zlib-compressed: 0x78 and a checksum over the first two bytes.
    if len(raw) < 2 or raw[0] != 0x78 or int.from_bytes(raw[:2], "big") % 31:
        return False
    try:
        start = zlib.decompressobj().decompress(raw, 100)
    except zlib.error:
        return False
    return b"version" in start and b"attrs" in start
