"""Plain-text tables for a terminal: aligned by display width, headed and ruled."""

from typing import Collection, List, Sequence
from unicodedata import combining, east_asian_width

GAP = "  "
RULE = "─"
ELLIPSIS = "…"


def render_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    total: Sequence[str] = (),
    indent: int = 2,
) -> str:
    """Lay out a table.

    right (Collection[int]): Columns that are flush right (numbers).
    total (Sequence[str]): A last row, set off by a rule.
    RETURNS (str): Lines without trailing white space; no final line break.
    """
    every = [header, *rows, total] if total else [header, *rows]
    widths = [max(display_width(row[i]) for row in every) for i in range(len(header))]
    rule = [RULE * width for width in widths]
    lines: List[Sequence[str]] = [header, rule, *rows]
    if total:
        lines += [rule, total]
    margin = " " * indent
    return "\n".join((margin + GAP.join(_pad(row, widths, right))).rstrip() for row in lines)


def render_markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()
) -> str:
    """Lay out a Markdown table that is aligned in its source as well.

    right (Collection[int]): Columns that are flush right (numbers).
    """
    safe = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    widths = [max(3, *(display_width(row[i]) for row in safe)) for i in range(len(header))]
    rule = ["-" * (width - 1) + (":" if i in right else "-") for i, width in enumerate(widths)]
    lines = [_pad(safe[0], widths, right), rule]
    lines += [_pad(row, widths, right) for row in safe[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def shorten(text: str, width: int) -> str:
    """Bring a text on one line of at most `width` columns, with an ellipsis where it was cut."""
    line = " ".join(text.split())
    if display_width(line) <= width:
        return line
    kept = ""
    for character in line:
        if display_width(kept + character) > width - 1:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def display_width(text: str) -> int:
    """Count terminal columns: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def _pad(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> List[str]:
    cells = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        filling = " " * (width - display_width(cell))
        cells.append(filling + cell if i in right else cell + filling)
    return cells
