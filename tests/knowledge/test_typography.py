import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.knowledge import typography
from spacy_bioner.knowledge.typography import HYPHENS, is_simple, simplify, simplify_text

ODD = "a'’′″ﬁ½²ß\u00ad\u200b\u00a0\u0301é漢\x00\x1f\n-–µ𝛼ÅＡ…™`"


@given(st.text(alphabet=ODD + string.printable, max_size=4))
def test_a_look_at_the_characters_says_what_the_pattern_says(text: str) -> None:
    assert is_simple(text) == (typography._TOUCHED.search(text) is None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ASCII, O'Neil 5-HT", "plain ASCII, O'Neil 5-HT"),
        ("Alzheimer\u2019s Alzheimer\u02bcs Alzheimer\uff07s Alzheimer`s", "Alzheimer's " * 4),
        ("5\u2032 5\u2033 5'' 5\u2019\u2019 5\u2034 5'''", '5\' 5" 5" 5" 5"\' 5"\''),
        ("\u201cso\u201d \u00abso\u00bb", '"so" "so"'),
        ("\u00b5g \u03bcg", "\u03bcg \u03bcg"),
        ("\u212b \u2126 \u212a", "\u00c5 \u03a9 K"),
        ("Me\u0301nie\u0300re", "M\u00e9ni\u00e8re"),
        ("\ufb01brosis \ufb04", "fibrosis ffl"),
        ("kid\u00adney kid\u200bney \ufeffkidney", "kidney kidney kidney"),
        ("kid\u00ad\nney", "kid-\nney"),
        ("a\u00a0b\u2009c\u3000d\u3164e", "a b c d e"),
        ("\uff21\uff22\uff11\uff12 \uff08x\uff09", "AB12 (x)"),
        ("CO\u2082 Ca\u00b2\u207a 10\u2075", "CO2 Ca2+ 105"),
        ("TNF-\u00df \U0001d6fc \u2206F508", "TNF-\u03b2 \u03b1 \u0394F508"),
        ("type \u2161", "type II"),
        # An accent behind it makes no second apostrophe of what follows.
        ("'\u0301\u00adx '\u0301\u0301 ''\u0301", "'\u0301x '\u0301\u0301 \"\u0301"),
        # What only resembles, or would fall apart, stays.
        (
            "Aspirin\u2122 \u00bd \u00aa \u00a8 x\u0304",
            "Aspirin\u2122 \u00bd \u00aa \u00a8 x\u0304",
        ),
        ("a\x00b\x1fc\td\r\n", "ab\x1fc\td\r\n"),
        ("", ""),
    ],
)
def test_simplify_text(text, expected):
    assert simplify_text(text) == expected.strip(" ")


def test_every_hyphen_becomes_one():
    assert simplify_text(HYPHENS) == "-" * len(HYPHENS)


def test_twins_of_unicode_are_twins():
    """All canonical compositions, and Latin and Greek letters in all widths and fonts."""
    for code in range(0x80, 0x20000):
        char = chr(code)
        decomposed = unicodedata.normalize("NFD", char)
        base = decomposed[0]
        accents = all("\u0300" <= mark <= "\u036f" for mark in decomposed[1:])
        if len(decomposed) > 1 and accents and unicodedata.normalize("NFC", decomposed) == char:
            assert simplify_text(decomposed) == simplify_text(char), hex(code)
        if unicodedata.decomposition(char).startswith(("<font>", "<wide>")) and base.isalnum():
            plain = unicodedata.normalize("NFKC", char)
            assert simplify_text(char) == simplify_text(plain), hex(code)


@given(st.text(st.sampled_from(ODD)))
def test_places_are_those_of_the_whole_text(text):
    simple = simplify(text)
    if simple.starts is None:
        assert len(simple.text) == len(text)
        return
    assert len(simple.text) == len(simple.starts) == len(simple.ends)
    assert (simple.starts < simple.ends).all()
    assert (simple.starts[1:] >= simple.starts[:-1]).all()
    assert (simple.ends[1:] >= simple.ends[:-1]).all()
    for shown, start, end in zip(simple.text, simple.starts, simple.ends):
        piece = text[start:end]
        if shown in string.ascii_letters and piece.isascii():
            assert piece == shown


@given(st.text(st.sampled_from(ODD)))
def test_simple_text_stays_as_it_is(text):
    if is_simple(text):
        assert simplify_text(text) == text
    assert simplify_text(text).isascii() or not text.isascii()
