"""What a table of words and tags looks like: encoding, delimiter, header, columns."""

import codecs
import csv
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.extras import require
from spacy_bioner.files.lines import PathLike, check_is_file, decode_line, open_lines
from spacy_bioner.tags import parse_tag

DELIMITERS = (",", "\t", ";", "|")
USUAL_NAMES: Dict[str, Tuple[str, ...]] = {
    "word": ("word", "token", "text", "words", "tokens"),
    "tag": ("tag", "label", "ner", "ner_tag", "entity", "tags", "ner_tags", "labels"),
    "sentence": ("sentence #", "sentence_id", "sentence", "sent", "sent_id"),
    "document": ("doc", "document", "doc_id", "pmid", "document_id"),
}
_SAMPLE_LINES = 1000
_EMPTY_CELLS = "".join((*DELIMITERS, " \r"))
Column = Optional[Union[str, int]]
_SAMPLE_BYTES = 1 << 20
# Escapes of other codecs (UTF-7, unicode_escape) could make halves of characters.
_PROBE = b"\n\\ud800+2AA-,\t" + b"x" * 70
_NAME_IT = "name it (`encoding`), or convert the file to UTF-8 first"


@dataclass(frozen=True)
class TableLayout:
    """How to read a table; None finds out.

    word (Optional[Union[str, int]]): The column of the words, by its name in the header (in
        capitals or not) or by its position; negative counts from the end.
    tag (Optional[Union[str, int]]): The column of the tags.
    sentence (Optional[Union[str, int]]): The column in which each new value starts a sentence;
        empty cells go on with it. None: as usual names tell, else blank rows end sentences.
    document (Optional[Union[str, int]]): The same for documents.
    header (Optional[bool]): Whether the first row names the columns.
    delimiter (Optional[str]): One of comma, tab, semicolon, bar.
    scheme (Optional[str]): The tag scheme.
    label (str): The entity type of tags that name none ("B" instead of "B-Disease").
    """

    word: Column = None
    tag: Column = None
    sentence: Column = None
    document: Column = None
    header: Optional[bool] = None
    delimiter: Optional[str] = None
    scheme: Optional[str] = None
    label: str = ""


@dataclass(frozen=True)
class TableColumns:
    """Positions, from 0."""

    word: int
    tag: int
    sentence: Optional[int] = None
    document: Optional[int] = None


@dataclass(frozen=True)
class TableFormat:
    """What was found out.

    header (Tuple[str, ...]): The names in the first row; empty when it has none.
    width (int): Cells in a row.
    """

    delimiter: str
    encoding: str
    header: Tuple[str, ...]
    columns: TableColumns
    width: int


_DEFAULT_LAYOUT = TableLayout()


def detect_table(
    path: PathLike, layout: TableLayout = _DEFAULT_LAYOUT, *, encoding: Optional[str] = None
) -> TableFormat:
    """Find out the format of a table from its first rows, and the encoding from all of its bytes.

    RAISES (CorpusError): No file, no delimiter, or a header without a column for words and tags.
    """
    path = check_is_file(path)
    encoding = check_encoding(encoding, path) if encoding else detect_encoding(path)
    lines = _read_sample(path, encoding)
    if not lines:
        message = "found no row, expected a table with a word and a tag in each"
        raise CorpusError(message, path=path, line=1)
    number, texts = lines[0][0], [text for _, text in lines]
    delimiter = layout.delimiter or _detect_delimiter(texts, layout)
    if delimiter not in DELIMITERS:
        message = (
            f"found {texts[0][:40]!r}, expected cells separated by comma, tab, semicolon or |; "
            "name the delimiter"
        )
        raise CorpusError(message, path=path, line=number)
    rows = [split_row(text, delimiter) or text.split(delimiter) for text in texts]
    first = [cell.strip() for cell in rows[0]]
    has_header = _has_header(rows, layout) if layout.header is None else layout.header
    place = _ColumnFinder(first, has_header, path, number)
    if has_header:
        columns = TableColumns(
            place.need("word", layout.word),
            place.need("tag", layout.tag),
            place.find("sentence", layout.sentence),
            place.find("document", layout.document),
        )
    else:
        columns = TableColumns(
            place.need("word", 0 if layout.word is None else layout.word),
            place.need("tag", -1 if layout.tag is None else layout.tag),
            place.find("sentence", layout.sentence),
            place.find("document", layout.document),
        )
    if columns.word == columns.tag:
        message = f"found words and tags both in column {columns.word + 1}, expected two; name them"
        raise CorpusError(message, path=path, line=number)
    return TableFormat(delimiter, encoding, tuple(first) if has_header else (), columns, len(first))


def split_header(line: str) -> Tuple[str, List[str]]:
    """Return the delimiter of which a header has most, and its cells in small letters."""
    line = line.rstrip("\r\n")
    delimiter = max(DELIMITERS, key=line.count)
    row = split_row(line, delimiter) or line.split(delimiter)
    return delimiter, [cell.strip().lower() for cell in row]


def split_row(text: str, delimiter: str) -> Optional[List[str]]:
    """Split a row by csv rules; None where they do not give exactly one row."""
    if '"' not in text:
        return text.split(delimiter)
    # Behind one that is not closed the csv module would take all for one cell.
    if text.count('"') % 2:
        return None
    try:
        rows = list(csv.reader([text], delimiter=delimiter))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _read_sample(path: Path, encoding: str) -> List[Tuple[int, str]]:
    with open_lines(path) as lines:
        texts = ((number, decode_line(raw, encoding)[0]) for number, raw in enumerate(lines, 1))
        filled = (item for item in texts if item[1].strip(_EMPTY_CELLS))
        return list(islice(filled, _SAMPLE_LINES))


def _detect_delimiter(texts: List[str], layout: TableLayout) -> str:
    """Choose the delimiter that gives known names, then the same width for most rows, then most
    cells; empty when none gives two."""
    best, chosen = (False, 0.0, 0), ""
    for delimiter in DELIMITERS:
        rows = [split_row(text, delimiter) or [""] for text in texts]
        widths = Counter(width for width in map(len, rows) if width > 1)
        if widths:
            width, number = widths.most_common(1)[0]
            rank = (_names_columns(rows[0], layout), number / len(rows), width)
            if rank > best:
                best, chosen = rank, delimiter
    return chosen


def _names_columns(row: Sequence[str], layout: TableLayout) -> bool:
    names = {cell.strip().lower() for cell in row}
    wanted = (
        {column.lower()} if isinstance(column, str) else set(USUAL_NAMES[role])
        for role, column in (("word", layout.word), ("tag", layout.tag))
    )
    return all(names & usual for usual in wanted)


def _has_header(rows: List[List[str]], layout: TableLayout) -> bool:
    """Tell a header: known names, or a last cell that is no tag and stands in no other row."""
    names = (layout.word, layout.tag, layout.sentence, layout.document)
    if any(isinstance(name, str) for name in names) or _names_columns(rows[0], layout):
        return True
    position = layout.tag if isinstance(layout.tag, int) else -1
    tags = [row[position].strip() for row in rows if -len(row) <= position < len(row)]
    if not tags:
        return False
    try:
        parse_tag(tags[0])
    except LabelError:
        return tags[0] not in tags[1:] and tags[0] not in tuple("BIELSU")
    return False


@dataclass(frozen=True)
class _ColumnFinder:
    cells: List[str]
    has_header: bool
    path: Path
    line: int

    def need(self, role: str, column: Column) -> int:
        """Find a column that has to be there."""
        position = self.find(role, column)
        if position is None:
            expected = f"a {role} column ({', '.join(USUAL_NAMES[role])})"
            raise self._complain(f"expected {expected}; name it")
        return position

    def find(self, role: str, column: Column) -> Optional[int]:
        """Find a column: the one named, else one with a usual name; None when there is none."""
        if isinstance(column, int):
            if not -len(self.cells) <= column < len(self.cells):
                raise self._complain(f"expected a {role} column at position {column}")
            return column % len(self.cells)
        names = [cell.lower() for cell in self.cells] if self.has_header else []
        if column is not None and column.strip().lower() not in names:
            raise self._complain(f"expected a {role} column {column!r}")
        wanted = (column.strip().lower(),) if column is not None else USUAL_NAMES[role]
        return next((names.index(name) for name in wanted if name in names), None)

    def _complain(self, expectation: str) -> CorpusError:
        kind = "header" if self.has_header else "row"
        found = ", ".join(self.cells)[:200]
        return CorpusError(f"found {kind} {found!r}, {expectation}", path=self.path, line=self.line)


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
    """Return the name of an encoding that can be read line by line.

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
    """Return offset and line of the first byte that is not UTF-8."""
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
    require(
        "charset_normalizer",
        extra="corpora",
        who="found text that is not UTF-8: to detect its encoding",
        otherwise=f"or {_NAME_IT}",
        path=path,
        line=line,
    )
    from charset_normalizer import from_bytes

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
