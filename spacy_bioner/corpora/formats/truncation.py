"""Files that were cut, in formats of lines, which have no mark of their end.

A file that was cut between two lines cannot be told from a shorter one. Behind a cut within a line
that line has no line end, which whole files have; where it still reads as a line of the format, it
is an error only if it is less than the lines before it.
"""

import os
from pathlib import Path
from typing import Set

from spacy_bioner.files.lines import PathLike, check_is_file, decode_line, open_lines

MAY_BE_CUT = "the last line has no line end: the file may be cut"
_WIDTHS = (5, 6, 7)
_HINT = "the file was cut: fetch it again, or leave the line out with --lenient"


def ends_within_line(path: PathLike) -> bool:
    """Tell whether a file's last line has no line end."""
    with check_is_file(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read(1) not in (b"", b"\n")


def find_cut(path: Path, line: str) -> str:
    """Say why a PubTator mention, a last line without line end, was cut; empty if it may be whole.

    Cut it was with fewer columns than every other mention, or the start of another's label.
    """
    columns = line.split("\t")
    widths: Set[int] = set()
    labels: Set[str] = set()
    with open_lines(path) as lines:
        rows = (decode_line(raw)[0].split("\t") for raw in lines if raw.endswith(b"\n"))
        for row in filter(_is_mention, rows):
            widths.add(len(row))
            labels.add(row[4].strip())
    if not widths or not _is_mention(columns):
        return ""
    if len(columns) < min(widths):
        found = f"found {len(columns)} columns and no line end"
        return f"{found}, expected {min(widths)} or more as in the lines before; {_HINT}"
    label = columns[4].strip()
    whole = sorted(other for other in labels if other.startswith(label))
    if label in labels or not whole:
        return ""
    return f"found label {label!r} and no line end, expected {whole[0]!r}; {_HINT}"


def _is_mention(columns: "list[str]") -> bool:
    return len(columns) in _WIDTHS and columns[1].strip().isdigit()
