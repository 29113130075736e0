"""Texts, labels and names from files as a terminal may show them.

A control character is an instruction to a terminal: it sets the window's title, moves the cursor
back over what is already written, or makes a link that goes elsewhere than it says. Marks of
direction turn words around, and characters without width make two labels look like one. Shown as
`\\x1b`, they are what they are: a fault of the file that somebody can find and mend.
"""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

# Inclusive ranges: controls (C0, DEL, C1), the soft hyphen, joiners and marks of direction, line
# and paragraph separators, what has no width, lone surrogates, annotation anchors, tags. Variation
# selectors stay: they are part of how a character looks. So do the joiners within an emoji made of
# several, and the tags of the three flags that have some: without them it falls apart.
_HIDDEN = (
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180E, 0x180E), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F),
    (0x3164, 0x3164), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_PICTURES = "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(char)) for char in name) + "\U000e007f"
    for name in ("gbeng", "gbsct", "gbwls")
)
_KEPT = f"[{_PICTURES}]\u200d(?=[{_PICTURES}])|{_FLAGS}"
_CLASS = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _HIDDEN)
_ON_A_LINE = re.compile(f"({_KEPT})|[{_CLASS}]")
_IN_A_TEXT = re.compile(f"({_KEPT})|(?![\n\t])[{_CLASS}]")


def make_printable(text: str) -> str:
    """Show characters that a terminal obeys, or shows nothing of, as escapes; line breaks and tabs
    stay. What is printable already stays as it is, so that doing it twice changes nothing."""
    return _IN_A_TEXT.sub(_escape, text)


def make_line(text: str) -> str:
    """Do the same to what has to stay on one line, such as a cell of a table: line breaks and tabs
    are shown as escapes, too."""
    return _ON_A_LINE.sub(_escape, text)


def make_lines(value: Any) -> Any:
    """Do so to every text in a dataclass, and in the tuples and dataclasses in it."""
    if isinstance(value, str):
        return make_line(value)
    if isinstance(value, tuple):
        return tuple(make_lines(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: make_lines(getattr(value, f.name)) for f in fields(value)})
    return value


def _escape(match: "re.Match[str]") -> str:
    if match[1]:
        return match[1]
    # As Python spells them: \r, \x1b, \u202e, \U000e0041.
    return match[0].encode("unicode_escape").decode("ascii")
