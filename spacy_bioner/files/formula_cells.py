"""Rows of CSV and TSV files, with an eye on what a spreadsheet would make of their cells.

A cell that begins with "=", "+", "-" or "@", also in full width, or with a tab or line break in
front of it, is a formula to a spreadsheet: it is computed when the file is opened, and may call
other programs. What is written is never altered, since a corpus has to come back as it was; whoever
opens the file is told.
"""

import csv
import logging
import re
from typing import IO, Any, List, Sequence

from spacy_bioner.files.lines import PathLike
from spacy_bioner.printable import make_line

logger = logging.getLogger(__name__)
SHOWN_CELLS = 3
_SHOWN_WIDTH = 40
# A sign alone, or before a number, is no formula: hyphens are words, and -5 is -5.
_FORMULA = re.compile(r"[\t\r\n]|[=+\-@＝＋－＠](?!\Z)")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def is_formula(cell: str) -> bool:
    """Tell whether spreadsheets may compute a cell rather than show it."""
    return _FORMULA.match(cell) is not None and _NUMBER.fullmatch(cell) is None


class CsvRows:
    """Writes rows as CSV, and takes note of the cells that spreadsheets would compute.

    file (IO[str]): What is written to, opened with `newline=""`.
    header (Sequence[str]): The first row.
    settings (Any): Of `csv.writer`.
    """

    def __init__(self, file: IO[str], header: Sequence[str], **settings: Any) -> None:
        self.n_formulas = 0
        self._writer = csv.writer(file, lineterminator="\n", **settings)
        self._header = list(header)
        self._first: List[str] = []
        self._line = 2
        self._writer.writerow(header)

    def write(self, row: Sequence[Any]) -> None:
        """Write one row."""
        for place, cell in enumerate(row):
            if isinstance(cell, str) and is_formula(cell):
                self.n_formulas += 1
                if len(self._first) < SHOWN_CELLS:
                    column = self._header[place]
                    shown = make_line(cell[:_SHOWN_WIDTH])
                    self._first.append(f"line {self._line}, column {column}: '{shown}'")
        self._writer.writerow(row)
        self._line += 1 + sum(cell.count("\n") for cell in row if isinstance(cell, str))

    def warn(self, path: PathLike) -> None:
        """Warn of such cells, once all is written.

        path (PathLike): The file's name in the end.
        """
        if self.n_formulas:
            cells = "cells begin" if self.n_formulas > 1 else "cell begins"
            logger.warning(
                "warning: %s: %s %s as formulas do (%s); they are written as they are. In a "
                "spreadsheet, import the columns as text instead of opening the file",
                path,
                f"{self.n_formulas:,}",
                cells,
                "; ".join(self._first) + ("; …" if self.n_formulas > SHOWN_CELLS else ""),
            )
