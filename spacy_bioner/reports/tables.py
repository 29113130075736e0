"""Plain-text tables for a terminal: aligned by display width, headed and ruled."""

import re
from dataclasses import dataclass, field
from typing import Collection, FrozenSet, List, Sequence, Tuple
from unicodedata import category, combining, east_asian_width

from spacy_bioner.printable import make_line

# What ends a cell, or begins a tag or an automatic link.
_STRUCTURE = re.compile(r"((?<!\\)\\*)(\||<(?=[a-zA-Z/!?]))")
# Signs that Markdown reads as more than themselves, a backslash in front of one included.
_MARKDOWN = re.compile(r"[`*\[\]<>~]|(?<![^\W_])_|_(?![^\W_])|\\(?=[!-/:-@\[-`{-~]|$)")
_TICKS = re.compile("`+")
# Marks that stand on another character, such as variation selectors, and formats such as joiners.
_WITHOUT_WIDTH = ("Mn", "Me", "Cf")
GAP = "  "
RULE = "─"
ELLIPSIS = "…"


@dataclass(frozen=True)
class Table:
    """Rows of text with a header.

    right (FrozenSet[int]): The columns that are flush right (numbers).
    """

    caption: str
    header: Tuple[str, ...]
    rows: Tuple[Tuple[str, ...], ...]
    right: FrozenSet[int] = field(default_factory=frozenset)


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
    body = [[make_line(cell) for cell in row] for row in every]
    widths = [max(display_width(row[i]) for row in body) for i in range(len(header))]
    rule = [RULE * width for width in widths]
    lines: List[Sequence[str]] = [body[0], rule, *body[1:]]
    if total:
        lines.insert(-1, rule)
    margin = " " * indent
    return "\n".join((margin + GAP.join(_pad(row, widths, right))).rstrip() for row in lines)


def render_markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()
) -> str:
    """Lay out a Markdown table that is aligned in its source as well.

    Cells are Markdown, but what would end a cell or its row, or begin HTML, is escaped. What comes
    from a file goes through `escape_markdown` first.

    right (Collection[int]): Columns that are flush right (numbers).
    """
    safe = [[_escape_cell(cell) for cell in row] for row in (header, *rows)]
    widths = [max(3, *(display_width(row[i]) for row in safe)) for i in range(len(header))]
    rule = ["-" * (width - 1) + (":" if i in right else "-") for i, width in enumerate(widths)]
    lines = [_pad(safe[0], widths, right), rule]
    lines += [_pad(row, widths, right) for row in safe[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def escape_markdown(text: str) -> str:
    """Write a text from a file, such as a label, so that Markdown shows it as it is."""
    return _MARKDOWN.sub(r"\\\g<0>", make_line(text))


def quote_code(text: str) -> str:
    """Write a text as Markdown's code, in as many backticks as it takes."""
    line = make_line(text)
    longest = max((len(run) for run in _TICKS.findall(line)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def shorten(text: str, width: int) -> str:
    """Bring a text on one line of at most `width` columns, with an ellipsis where it was cut."""
    line = make_line(" ".join(text.split()))
    if display_width(line) <= width:
        return line
    kept = ""
    for character in line:
        if display_width(kept + character) > width - 1:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def display_width(text: str) -> int:
    """Count terminal columns: wide East Asian characters take two, marks and joiners none."""
    if text.isascii():
        return len(text)
    return sum(map(_count_columns, text))


def _count_columns(char: str) -> int:
    if combining(char) or category(char) in _WITHOUT_WIDTH:
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _escape_cell(cell: str) -> str:
    return _STRUCTURE.sub(_escape_structure, make_line(cell))


def _escape_structure(match: "re.Match[str]") -> str:
    slashes, sign = match[1], match[2]
    # A backslash that stood in front already must not take ours for itself.
    even = slashes if len(slashes) % 2 == 0 or sign != "|" else slashes + "\\"
    return match[0] if len(slashes) % 2 and sign != "|" else f"{even}\\{sign}"


def _pad(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> List[str]:
    cells = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        filling = " " * (width - display_width(cell))
        cells.append(filling + cell if i in right else cell + filling)
    return cells
