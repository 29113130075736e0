"""Draw the entities that a pipeline finds in a text, as an SVG for a page.

    python docs/build_picture.py PIPELINE TEXT OUT.svg

PIPELINE is a folder or an installed package, TEXT a file with one document. What is drawn is what
`nlp(text).ents` has: its words, labels and identifiers.
"""

import sys
from html import escape
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import spacy
from spacy.tokens import Doc

COLUMNS = 88
# A monospaced font at 15 pixels; `textLength` keeps others to it.
CHARACTER, FONT, LINE, MARGIN = 9, 15, 46, 16
SMALL = 6
# Okabe and Ito's colors, which the color-blind tell apart, made lighter.
COLORS: Dict[str, Tuple[str, str]] = {
    "Disease": ("#fbe3d6", "#a33d00"),
    "Chemical": ("#dbe9f6", "#00517f"),
    "Gene": ("#d7efe6", "#00634a"),
    "Species": ("#f6e4f0", "#8a3a6b"),
    "CellLine": ("#f7efc9", "#6b5c00"),
    "Variant": ("#e6e6e6", "#3a3a3a"),
}
STYLE = (
    f"text{{font-family:DejaVu Sans Mono,Menlo,Consolas,monospace;font-size:{FONT}px;fill:#1c1e21}}"
    "text.note{font-size:10px}"
)


class Piece(NamedTuple):
    """Characters that stand together; entities have a label."""

    text: str
    label: str = ""
    note: str = ""


def main(arguments: List[str]) -> int:
    """Draw and write; returns the exit code."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    model, text, output = arguments
    doc = spacy.load(model)(Path(text).read_text(encoding="utf-8").strip())
    Path(output).write_text(draw(doc), encoding="utf-8")
    return 0


def draw(doc: Doc) -> str:
    """Return the picture of a Doc."""
    lines = wrap(list_pieces(doc))
    width, height = 2 * MARGIN + COLUMNS * CHARACTER, 2 * MARGIN + len(lines) * LINE - 8
    described = f"{len(doc.ents)} entities of a text: " + ", ".join(
        f"{ent.text} ({ent.label_})" for ent in doc.ents
    )
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        f"<title>{escape(make_printable(described))}</title><style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d4da"/>',
    ]
    for row, line in enumerate(lines):
        drawn += draw_line(line, MARGIN + row * LINE)
    return "\n".join([*drawn, "</svg>", ""])


def list_pieces(doc: Doc) -> Iterator[Piece]:
    """List words outside of entities, and entities, as they follow in the text; what is longer than
    a line in pieces of one."""
    text, position = make_printable(doc.text), 0
    for ent in doc.ents:
        yield from split_words(text[position : ent.start_char])
        words = " ".join(text[ent.start_char : ent.end_char].split())
        for start in range(0, len(words), COLUMNS):
            yield Piece(words[start : start + COLUMNS], ent.label_, ent.kb_id_)
        position = ent.end_char
    yield from split_words(text[position:])


def make_printable(text: str) -> str:
    """Replace what an XML file cannot have: control characters and lone surrogates."""
    return "".join(char if char.isprintable() or char in "\n\r\t" else " " for char in text)


def split_words(text: str) -> Iterator[Piece]:
    """Split at blanks, which stay behind their words."""
    word = ""
    for char in text:
        word += " " if char.isspace() else char
        if char.isspace() or len(word) == COLUMNS:
            yield Piece(word)
            word = ""
    if word:
        yield Piece(word)


def wrap(pieces: Iterator[Piece]) -> List[List[Piece]]:
    """Break lines behind blanks."""
    lines: List[List[Piece]] = [[]]
    together: List[Piece] = []
    for piece in [*pieces, Piece(" ")]:
        together.append(piece)
        if (not piece.label and piece.text.endswith(" ")) or len(piece.text) == COLUMNS:
            if lines[-1] and measure([*lines[-1], *together]) > COLUMNS:
                lines.append([])
            lines[-1] += together
            together = []
    return lines


def measure(pieces: List[Piece]) -> int:
    """Return the characters of a line."""
    return len("".join(piece.text for piece in pieces).rstrip())


def draw_line(line: List[Piece], top: int) -> Iterator[str]:
    """Draw the pieces of a line, the entities in boxes with a note below."""
    left, base = MARGIN, top + FONT + 4
    for piece in line:
        width = len(piece.text) * CHARACTER
        if piece.label:
            fill, dark = COLORS.get(piece.label, COLORS["Variant"])
            note = f"{piece.label} {piece.note}".strip()
            # What is wider than its entity would run into the next one.
            note = note if len(note) * SMALL <= width + CHARACTER else piece.label
            size = min(len(note) * SMALL, width + CHARACTER)
            yield (
                f'<rect x="{left - 1}" y="{top}" width="{width + 2}" height="25" rx="4" '
                f'fill="{fill}" stroke="{dark}"/>'
            )
            yield write(note, left, top + 36, size, f'class="note" style="fill:{dark}"')
        if piece.text.strip():
            text = piece.text.rstrip()
            yield write(text, left, base, len(text) * CHARACTER, "")
        left += width


def write(text: str, left: int, base: int, width: int, more: Any) -> str:
    """Return a text of a given width."""
    return (
        f'<text x="{left}" y="{base}" textLength="{width}" lengthAdjust="spacingAndGlyphs"'
        f"{' ' + more if more else ''}>{escape(text)}</text>"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
