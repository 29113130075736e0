"""Texts as a terminal may show them."""

import sys
import unicodedata
from dataclasses import dataclass
from typing import Tuple

import pytest

from spacy_bioner.printable import make_line, make_lines, make_printable

WOMAN = "\U0001f469\U0001f3fd"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("good\rBAD", "good\\rBAD"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp\u2066", "\\u202egnp\\u2066"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\x7f\x00", "\\x7f\\x00"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("TNF-α, naïve, 頭痛, 🧪️", "TNF-α, naïve, 頭痛, 🧪️"),
        (FAMILY, FAMILY),
        (f"{WOMAN}\u200d\u2695\ufe0f, {SCOTLAND}", f"{WOMAN}\u200d\u2695\ufe0f, {SCOTLAND}"),
        (f"a\u200d{WOMAN}\u200db\u200d", f"a\\u200d{WOMAN}\\u200db\\u200d"),
        (f"{WOMAN}\u200c{WOMAN}\u200d\u200d{WOMAN}", f"{WOMAN}\\u200c{WOMAN}\\u200d\\u200d{WOMAN}"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4\\U000e0067\\U000e007f"),
    ],
)
def test_what_a_terminal_obeys_or_hides_is_shown(text: str, shown: str) -> None:
    assert make_printable(text) == make_line(text) == shown
    assert make_printable(shown) == shown


def test_line_breaks_and_tabs_stay_in_a_text_and_are_shown_on_a_line() -> None:
    assert make_printable("a\tb\nc") == "a\tb\nc"
    assert make_line("a\tb\nc") == "a\\tb\\nc"


def test_no_control_or_mark_of_direction_is_left_of_all_characters() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    shown = make_line(every)
    assert {
        char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
    } == set()
    assert {char for char in shown if unicodedata.bidirectional(char) in BIDI} == set()


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"}


@dataclass(frozen=True)
class Inner:
    name: str
    value: float


@dataclass(frozen=True)
class Outer:
    text: str
    parts: Tuple[Inner, ...]


def test_every_text_of_a_dataclass_is_made_a_line() -> None:
    found = make_lines(Outer("a\x1b", (Inner("b\n", 0.5),)))
    assert found == Outer("a\\x1b", (Inner("b\\n", 0.5),))
