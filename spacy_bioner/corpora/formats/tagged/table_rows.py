"""The rows of a table, by the roles of their cells.

Cells are quoted by the rules of csv. A quotation mark that is not closed in its line, where the
line has all its cells without it, is a word or part of one: tables with tabs are often not quoted.
"""

from collections import deque
from operator import itemgetter
from typing import Deque, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from spacy_bioner.corpora.formats.tagged.table_layout import TableFormat, split_row
from spacy_bioner.files.lines import PathLike, decode_line, open_lines

_LINE_BREAKS = str.maketrans("\n\r\t", "   ")
# The csv module's own limit for one cell: a quotation mark that is not closed reaches no further.
_MAX_ROW = 131_072
_Line = Tuple[int, str, str]


class TableRow(NamedTuple):
    """A row: its first line, its cells by role, what is wrong with it, and whether it is empty but
    for the document."""

    line: int
    word: str = ""
    tag: str = ""
    sentence: str = ""
    document: str = ""
    problem: str = ""
    is_blank: bool = False


def read_rows(path: PathLike, table: TableFormat) -> Iterator[TableRow]:
    """Stream the rows behind the header; what cannot be read has its `problem`."""
    columns, width = table.columns, table.width
    # One cell more, always empty, stands for the columns that the table does not have.
    sentence = width if columns.sentence is None else columns.sentence
    document = width if columns.document is None else columns.document
    roles = itemgetter(columns.word, columns.tag, sentence, document)
    with open_lines(path) as raw:
        has_header = bool(table.header)
        for line, cells, problem in _split_lines(_decode_lines(raw, table.encoding), table):
            if has_header:
                # Rows before the header are empty.
                has_header = not any(map(str.strip, cells))
                continue
            if len(cells) != width or problem:
                cells, problem = _mend(cells, table, problem)
            word, tag, name, owner = map(str.strip, roles([*cells, ""]))
            is_blank = not (word or tag or name or problem) and _is_blank(cells, document)
            yield TableRow(line, word, tag, name, owner, problem, is_blank)


def _mend(cells: List[str], table: TableFormat, problem: str) -> Tuple[List[str], str]:
    """Give a malformed row its width; cells behind a stray delimiter are not in their columns."""
    if not problem and any(map(str.strip, cells)):
        problem = (
            f"found {len(cells)} cell(s), expected {table.width} as in the first row; "
            "quote cells that contain the delimiter"
        )
    sound = cells[: table.columns.word] if problem else []
    return sound + [""] * (table.width - len(sound)), problem


def _is_blank(cells: List[str], document: int) -> bool:
    return not any(cell.strip() for index, cell in enumerate(cells) if index != document)


def _decode_lines(lines: Iterable[bytes], encoding: str) -> Iterator[_Line]:
    for number, raw in enumerate(lines, start=1):
        text, problem = decode_line(raw, encoding)
        if "\0" in text and not problem:
            problem = "found a NUL byte, expected text; convert the file to UTF-8 first"
        yield number, text, problem


def _split_lines(
    lines: Iterator[_Line], table: TableFormat
) -> Iterator[Tuple[int, List[str], str]]:
    """Split lines to cells, joining those that a quoted line break divides."""
    ahead: Deque[_Line] = deque()
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number, text, problem = line
        cells = split_row(text, table.delimiter)
        if '"' in text and not problem and (cells is None or len(cells) != table.width):
            literal = text.split(table.delimiter)
            fits = len(literal) == table.width
            cells = literal if fits else cells or _join_lines(text, ahead, lines, table)
        if cells is None:
            cells = text.split(table.delimiter)
            problem = problem or "found a quotation mark that is not closed, expected a pair"
        if "\r" in text or '"' in text:
            cells = [cell.translate(_LINE_BREAKS) for cell in cells]
        yield number, cells, problem


def _join_lines(
    text: str, ahead: Deque[_Line], lines: Iterator[_Line], table: TableFormat
) -> Optional[List[str]]:
    """Join a line with those up to the one that closes its quotation; None when it is no row.

    ahead (Deque): Lines that were read but not used; those that were used are taken off.
    """
    parts, size = [text], len(text)
    for _, text, problem in _look_ahead(ahead, lines):
        parts.append(text)
        size += len(text) + 1
        if problem or size > _MAX_ROW:
            return None
        if text.count('"') % 2:
            break
    cells = split_row("\n".join(parts), table.delimiter)
    if cells is None or len(cells) != table.width:
        return None
    for _ in parts[1:]:
        ahead.popleft()
    return cells


def _look_ahead(ahead: Deque[_Line], lines: Iterator[_Line]) -> Iterator[_Line]:
    yield from tuple(ahead)
    for line in lines:
        ahead.append(line)
        yield line
