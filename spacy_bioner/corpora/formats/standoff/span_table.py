"""Tables with a text in each row and its spans in another cell, as JSON or as Python writes lists.

    id,text,label,annotator
    1,We gave aspirin.,"[{""start"": 8, ""end"": 15, ""labels"": [""Chemical""]}]",a@b.org

So exports Label Studio (CSV, TSV), and so do data frames with a column of lists. A row is read as a
document of JSON would be whose keys are the columns; also one with a list of words in a cell, and
one of their tags in another.
"""

import ast
import json
import re
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.fields.span_documents import read_span_document
from spacy_bioner.corpora.formats.json_files.fields.span_keys import find_text, looks_like_spans
from spacy_bioner.corpora.formats.json_files.fields.token_keys import find_tags
from spacy_bioner.corpora.formats.json_files.reader import Item
from spacy_bioner.corpora.formats.json_files.tokens import read_token_documents
from spacy_bioner.corpora.formats.offsets.units import read_in_characters
from spacy_bioner.corpora.formats.read_errors import (
    DOCUMENT,
    ReadErrors,
    at_least_one,
    note_skipped,
    read_each,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.tagged.csv_cells import read_cells, split_cells
from spacy_bioner.corpora.formats.tagged.table_layout import (
    check_encoding,
    detect_encoding,
    split_header,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file
from spacy_bioner.records import Record

_HEAD = 1 << 16
_SAMPLE = 50
_OPENING = ("[{", "[[", "[(", "[]", "['", '["')
_NUMBERS = re.compile(r"\[[\d\s,]+\]")
# What Label Studio says of the work on a task.
_WORK_COLUMNS = frozenset(("annotator", "annotation_id", "created_at", "updated_at", "lead_time"))
SKIPPED_KEY = "rejected_skipped"


def is_table(path: PathLike) -> bool:
    """Tell whether a file may be a table: it starts like no JSON."""
    with check_is_file(path).open("rb") as file:
        head = file.read(_HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    return bool(head) and head[:1] not in (b"[", b"{")


def is_span_table(head: str) -> bool:
    """Tell whether the start of a file is a table with a text and spans in its rows."""
    lines = [line + "\n" for line in head.split("\n")]
    delimiter, _ = split_header(lines[0])
    # The last row may be cut off by the end of the start.
    rows = list(islice(split_cells(lines, delimiter, problems=ReadErrors(keep=0)), _SAMPLE))
    if len(rows) < 2:
        return False
    header = [cell.strip() for cell in rows[0][1]]
    values = [_decode_row(header, cells) for _, cells in rows[1:] if len(cells) == len(header)]
    return any(
        find_tags(value) or (find_text(value) and any(map(looks_like_spans, value.values())))
        for value in values
    )


def read_span_table(
    path: PathLike,
    *,
    encoding: Optional[str] = None,
    offsets: Optional[str] = None,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream the rows that have a text; the id is the cell of "id", else the row's number.

    encoding (Optional[str]): Of the file; None detects it.
    offsets (Optional[str]): What offsets count; None finds it.
    RAISES (CorpusError): No column of texts; a malformed row or span, with its line.
    """
    path = check_is_file(path)
    encoding = check_encoding(encoding, path) if encoding else detect_encoding(path)
    records: Iterator[Record]
    if any(
        find_tags(value)
        for _, value in islice(_stream_rows(path, encoding, ReadErrors(keep=0)), _SAMPLE)
    ):
        records = read_token_documents(
            path, lambda noted: _stream_rows(path, encoding, noted), {}, problems
        )
    else:
        records = read_in_characters(
            lambda noted: note_skipped(_read(path, encoding, noted), SKIPPED_KEY),
            offsets,
            path=path,
            problems=problems,
        )
    error = CorpusError("found no text, expected rows below a header", path=path, line=1)
    yield from at_least_one(records, error)


def _read(path: Path, encoding: str, problems: Optional[ReadErrors]) -> Iterator[Optional[Record]]:
    def read(item: Tuple[int, Item]) -> Optional[Record]:
        number, (line, value) = item
        return read_span_document(Fields(value, path, line, "row"), str(number), problems)

    rows = enumerate(_stream_rows(path, encoding, problems), start=1)
    return read_each(rows, read, problems, unit=DOCUMENT)


def _stream_rows(path: Path, encoding: str, problems: Optional[ReadErrors]) -> Iterator[Item]:
    """Stream (line, row as an object)."""
    rows = read_cells(path, encoding=encoding, problems=problems)
    header = [cell.strip() for cell in next(rows, (1, []))[1]]
    for line, cells in rows:
        if len(cells) == len(header):
            yield line, _decode_row(header, cells)
            continue
        message = f"found {len(cells)} cells, expected {len(header)} as in the header"
        skip_or_raise(CorpusError(message, path=path, line=line), DOCUMENT, problems)


def _decode_row(header: List[str], cells: List[str]) -> Dict[str, Any]:
    """Return a row as an object; cells that hold a list as lists, empty ones as null."""
    return {
        name: _decode_cell(cell)
        for name, cell in zip(header, cells)
        if name and name not in _WORK_COLUMNS
    }


def _decode_cell(cell: str) -> Any:
    bare = cell.strip()
    if not (bare.startswith(_OPENING) or _NUMBERS.fullmatch(bare)):
        return cell or None
    for decode in (json.loads, ast.literal_eval):
        try:
            value = decode(bare)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return _as_lists(value)
    return cell


def _as_lists(value: Any) -> Any:
    """Return what JSON would have: lists for tuples."""
    if isinstance(value, (list, tuple)):
        return [_as_lists(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _as_lists(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


FORMAT = Format(
    "span_table",
    "table with texts and, in another column, their spans as JSON",
    read_span_table,
    looks_like=is_span_table,
    options=frozenset(("offsets", "encoding")),
)
