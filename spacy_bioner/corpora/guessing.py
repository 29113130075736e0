"""Which format is this? Told by content: names and endings only matter for folders."""

import csv
import re
import zlib
from pathlib import Path
from typing import Callable, List, Tuple

from spacy_bioner.corpora.files import PathLike, check_is_file, refuse_wide_encoding
from spacy_bioner.corpora.json_shapes import guess_json
from spacy_bioner.corpora.span_tables import is_span_table
from spacy_bioner.errors import CorpusError

HEAD_SIZE = 65_536
_PUBTATOR = re.compile(r"[^|\t\n]+\|[ta]\|[^\n]*")
_CONLL_MARK = re.compile(r"-DOCSTART-.*|###MEDLINE:.*|#\s*\w[\w ]*=.*")
_TAG = re.compile(r"O|[BIELSU](-\S+)?")
# A word of a column may be a bracket: in JSON only some characters can follow one.
_JSON_START = re.compile(r'\{\s*["}]|\[\s*["\[\]{0-9tfn-]')
_ROOT = re.compile(r"<(?![?!])([\w:.-]+)")
_WORD_COLUMNS = frozenset(("word", "words", "token", "tokens"))
_TAG_COLUMNS = frozenset(("tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "entity"))
_NOTE_COLUMNS = frozenset(("text", "note", "notes", "note_text", "section_text"))


def guess_format(path: PathLike) -> str:
    """Tell the format of a file or folder.

    RETURNS (str): A name in `formats.FORMATS`.
    RAISES (CorpusError): Nothing there, an empty file, UTF-16, or no format that is known.
    """
    path = Path(path)
    if path.is_dir():
        return _guess_folder(path)
    path = check_is_file(path)
    if path.suffix in (".ann", ".con"):
        return "brat" if path.suffix == ".ann" else "i2b2"
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
        return guess_json(path)
    for looks_like, name in _CHECKS:
        if looks_like(head):
            return name
    return _guess_text(head, path)


def _guess_folder(folder: Path) -> str:
    for ending, name in (("*.ann", "brat"), ("*.con", "i2b2"), ("*.spacy", "spacy")):
        if next(folder.rglob(ending), None):
            return name
    message = "found a folder without .ann, .con or .spacy files; name the corpus file in it"
    raise CorpusError(message, path=folder)


def _is_docbin(raw: bytes) -> bool:
    # A DocBin is zlib-compressed: 0x78 and a checksum over the first two bytes.
    if len(raw) < 2 or raw[0] != 0x78 or int.from_bytes(raw[:2], "big") % 31:
        return False
    try:
        start = zlib.decompressobj().decompress(raw, 100)
    except zlib.error:
        return False
    return b"version" in start and b"attrs" in start


def _is_bioc_xml(head: str) -> bool:
    root = _ROOT.search(head)
    return head.startswith("<") and root is not None and root[1] == "collection"


def _is_pubtator(head: str) -> bool:
    return _PUBTATOR.match(head) is not None


def _guess_text(head: str, path: Path) -> str:
    lines = head.splitlines()
    header = _read_header(lines[0])
    if _WORD_COLUMNS & set(header) and _TAG_COLUMNS & set(header):
        return "csv"
    if _NOTE_COLUMNS & set(header) and len(header) > 1:
        return "mimic"
    for line in lines[:-1] if len(head) >= HEAD_SIZE else lines:
        columns = line.split("\t") if "\t" in line else line.split()
        if not columns:
            continue
        tag = columns[-1].strip()
        if _CONLL_MARK.fullmatch(line) or (len(columns) > 1 and _TAG.fullmatch(tag)):
            return "conll"
        # A table without a header and with another separator.
        if _TAG.fullmatch(line.rsplit(",", 1)[-1].strip()) and "," in line:
            return "csv"
        break
    message = (
        f"found {lines[0][:40]!r}, expected a format that is known "
        "(see `bioner convert --help`); name it with --from"
    )
    raise CorpusError(message, path=path, line=1)


def _read_header(line: str) -> List[str]:
    delimiter = max(",\t;|", key=line.count)
    try:
        row = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip().lower() for cell in row]


_CHECKS: Tuple[Tuple[Callable[[str], bool], str], ...] = (
    (_is_pubtator, "pubtator"),
    (_is_bioc_xml, "bioc_xml"),
    (is_span_table, "span_table"),
)
