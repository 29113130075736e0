"""Rows of cells as csv has them, separated by what the first row has most of.

In a table with tabs, where a quotation mark at the start of a cell has no partner at its end,
quotation marks are text.
"""

import csv
from itertools import chain
from pathlib import Path
from typing import Iterable, Iterator, List, Literal, Optional, Tuple

from spacy_bioner.corpora.formats.read_errors import (
    DOCUMENT,
    FILE,
    ReadErrors,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.tagged.table_layout import split_header
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import read_lines

_LONGEST_CELL = 2**31 - 1
_UNCLOSED = "unexpected end of data"


def read_cells(
    path: Path, *, encoding: str = "utf-8", problems: Optional[ReadErrors] = None
) -> Iterator[Tuple[int, List[str]]]:
    """Stream (line where the row starts, cells), the header first; empty rows are left out.

    RAISES (CorpusError): A quotation mark without its partner, with the line of its row.
    """
    lines = (line + "\n" for _, line in read_lines(path, encoding=encoding, keep_returns=True))
    first = next(lines, "")
    delimiter, _ = split_header(first)
    quoting = _choose_quoting(path, encoding, delimiter)
    yield from split_cells(
        chain([first], lines), delimiter, quoting=quoting, path=path, problems=problems
    )


def split_cells(
    lines: Iterable[str],
    delimiter: str,
    *,
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL,
    path: Optional[Path] = None,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Tuple[int, List[str]]]:
    """Stream (line where the row starts, cells) of lines with their ends; see `read_cells`."""
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        line = reader.line_num + 1
        # Notes are longer than the usual limit on a cell, which is one for the whole process.
        usual = csv.field_size_limit(_LONGEST_CELL)
        try:
            row = next(reader, None)
        except csv.Error as error:
            message = f"found a malformed row ({error}), expected cells in closed quotes"
            # Behind a quotation mark that is never closed, nothing of the file is left.
            unit = FILE if _UNCLOSED in str(error) else DOCUMENT
            skip_or_raise(CorpusError(message, path=path, line=line), unit, problems)
            continue
        finally:
            csv.field_size_limit(usual)
        if row is None:
            return
        if row:
            yield line, row


def _choose_quoting(path: Path, encoding: str, delimiter: str) -> Literal[0, 3]:
    """Tell whether quotation marks are text: the rows are whole without them, and some have no
    partner."""
    if delimiter != "\t":
        return csv.QUOTE_MINIMAL
    width, alone = 0, False
    for _, line in read_lines(path, encoding=encoding):
        cells = line.split(delimiter)
        width = width or len(cells)
        if line and len(cells) != width:
            return csv.QUOTE_MINIMAL
        alone = alone or any(c.startswith('"') and (c == '"' or c[-1] != '"') for c in cells)
    return csv.QUOTE_NONE if alone else csv.QUOTE_MINIMAL
