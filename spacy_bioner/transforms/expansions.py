"""Shorthand written out from a table: "vs." → "versus"."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Match, Pattern, Sequence, Tuple, Union

from spacy_bioner.errors import TermTableError
from spacy_bioner.transforms.normalization_rules import Step
from spacy_bioner.transforms.offsets import Edit

CASES = ("exact", "initial", "any")
BOUNDARIES = ("word", "space")
_COLUMNS = "short<TAB>long[<TAB>case[<TAB>boundary]]"
# "word": not within a word, a fraction or a unit ("A/vs", "vs/B"), nor before "vs.5".
# "space": white space or punctuation on both sides, for what ends in a sign ("w/").
_BORDERS = {
    "word": (r"(?<![\w/])", r"(?![\w/]|\.\w)"),
    "space": (r"(?<![^\s(\[\"',;:])", r"(?![^\s)\]\"',;:])"),
}


@dataclass(frozen=True)
class Expansion:
    """One row of the table.

    short (str): As it is written.
    long (str): What it stands for.
    case (str): "exact": only so. "initial": with a capital in front as well, which the long form
        gets too. "any": in whatever case.
    boundary (str): What may stand next to it; see `BOUNDARIES`.
    """

    short: str
    long: str
    case: str = "exact"
    boundary: str = "word"


# Only what has one meaning in papers and in notes, in the case that has it. Left out, with what
# else they mean: pt (patient, prothrombin time, point, platinum), tx (treatment, transplant), dx
# and d/c (discharge, discontinue, drug concentration), fx (fracture, function), c/w (consistent
# with, compared with), b/l (baseline, bilateral), N/V, VS (vital signs; so "vs" only in small
# letters), ca. (circa, cancer, calcium).
BUILT_IN: Tuple[Expansion, ...] = (
    Expansion("vs.", "versus"),
    Expansion("vs", "versus"),
    # "W/O" is an emulsion of water in oil; "w/w" and "w/v" are fractions, "w/o/w" an emulsion.
    Expansion("w/o", "without"),
    Expansion("w/", "with", boundary="space"),
    # "C/O", "H/O" and "S/P" in capitals are ratios.
    Expansion("c/o", "complains of", case="initial"),
    Expansion("h/o", "history of", case="initial"),
    Expansion("s/p", "status post", case="initial"),
    Expansion("r/o", "rule out", case="initial"),
    Expansion("f/u", "follow-up", case="initial"),
    Expansion("y/o", "year-old"),
)


def load_expansions(path: Union[str, Path]) -> Tuple[Expansion, ...]:
    """Read a table: UTF-8, tab-separated; empty lines and lines that start with "#" are skipped.

    A row is `short<TAB>long`, with the case and the boundary of `Expansion` as further columns.
    RAISES (TermTableError): No such file, not UTF-8, a malformed row, a short form that stands
        twice, or a long form in which a short one would be written out again.
    """
    path = Path(path)
    expansions: List[Expansion] = []
    lines: Dict[str, int] = {}
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        row = _parse_row(line, path, number)
        if row.short in lines:
            message = (
                f"found {row.short!r} again, expected each short form once; it is in line "
                f"{lines[row.short]} already: remove one of them"
            )
            raise TermTableError(message, path=path, line=number)
        lines[row.short] = number
        expansions.append(row)
    if not expansions:
        raise TermTableError(f"found no row, expected {_COLUMNS}", path=path, line=1)
    pattern = _compile(expansions)
    for row in expansions:
        match = pattern.search(row.long)
        if match:
            message = (
                f"found {match[0]!r} in the long form {row.long!r}, expected none of the table's "
                "short forms in it; write it out there as well"
            )
            raise TermTableError(message, path=path, line=lines[row.short])
    return tuple(expansions)


def make_expand(expansions: Sequence[Expansion]) -> Step:
    """Write out shorthand; of two rows that fit in one place the longer counts.

    expansions (Sequence[Expansion]): `BUILT_IN`, a table of one's own, or both.
    """
    rows = _by_length(expansions)
    pattern = _compile(rows)
    # Most texts have none: looking for the letters costs a tenth of trying the pattern.
    needles = sorted({row.short.lower() for row in rows})

    def find_edits(text: str) -> List[Edit]:
        lowered = text.lower()
        if not any(needle in lowered for needle in needles):
            return []
        return [
            Edit(match.start(), match.end(), _write_out(match, rows[(match.lastindex or 1) - 1]))
            for match in pattern.finditer(text)
        ]

    return find_edits


def _by_length(expansions: Sequence[Expansion]) -> List[Expansion]:
    return sorted(expansions, key=lambda row: len(row.short), reverse=True)


def _compile(expansions: Sequence[Expansion]) -> Pattern[str]:
    """Compile one group for each row, the longest first."""
    groups = []
    for row in _by_length(expansions):
        before, after = _BORDERS[row.boundary]
        short = re.escape(row.short)
        if row.case == "any":
            short = f"(?i:{short})"
        elif row.case == "initial":
            short = f"(?i:{re.escape(row.short[0])}){re.escape(row.short[1:])}"
        groups.append(f"({before}{short}{after})")
    return re.compile("|".join(groups))


def _write_out(match: Match[str], row: Expansion) -> str:
    found = match[0]
    opens = found[0].isupper() and found[1:] == found[1:].lower() and row.short[0].islower()
    return row.long[0].upper() + row.long[1:] if opens else row.long


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror}), expected a table {_COLUMNS}"
        raise TermTableError(message, path=path) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"found byte 0x{raw[error.start]:02x}, expected UTF-8; convert the file first"
        line = raw.count(b"\n", 0, error.start) + 1
        raise TermTableError(message, path=path, line=line) from error


def _parse_row(line: str, path: Path, number: int) -> Expansion:
    cells = [cell.strip() for cell in line.split("\t")]
    if not 2 <= len(cells) <= 4 or not all(cells):
        message = f"found {len([c for c in cells if c])} filled column(s), expected {_COLUMNS}"
        raise TermTableError(message, path=path, line=number)
    row = Expansion(*cells)
    for name, value, allowed in (
        ("case", row.case, CASES),
        ("boundary", row.boundary, BOUNDARIES),
    ):
        if value not in allowed:
            message = f"found {name} {value!r}, expected one of {', '.join(allowed)}"
            raise TermTableError(message, path=path, line=number)
    return row
