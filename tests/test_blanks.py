"""What counts as nothing to see, and texts as they read without it."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.blanks import count_before, is_blank, is_squeezed, squeeze, trim

GAPS = st.text(st.sampled_from(" \n\r\t\x0c\x00\xa0\xad\x85\u2009\u2028\u3000\u200b\u200d\ufeff"))
WORDS = st.text(st.sampled_from("aB7.-é\u0301漢\U0001f600"), min_size=1)
# Controls of format that are drawn: they stand over or around numbers, or join hieroglyphs.
DRAWN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
HIEROGLYPHS = range(0x13430, 0x13460)


def test_every_space_separator_and_control_is_blank():
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    kinds = {code: unicodedata.category(chr(code)) for code in codes}
    table = squeeze("".join(map(chr, codes))).shown
    shown = {code for code, flag in zip(codes, table) if flag}
    controls = {code for code, kind in kinds.items() if kind in ("Cc", "Cf", "Zs", "Zl", "Zp")}
    # An older Python does not know of all of them.
    known = {code for code in DRAWN if kinds[code] != "Cn"}
    assert controls & shown - set(HIEROGLYPHS) == known
    assert not any(chr(code).isspace() for code in shown)
    letters = {code for code, kind in kinds.items() if kind[0] in "LNPS"} - shown
    assert {hex(code) for code in letters} == {"0x115f", "0x1160", "0x2800", "0x3164", "0xffa0"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \n\t\u200b ", ""),
        ("Acute kidney injury", "Acute kidney injury"),
        ("Acute\r\n    kidney\u00a0injury\n", "Acute kidney injury"),
        ("\ufeffkid\u00adney \u200b\x00 injury", "kidney injury"),
        ("a\u2028b\u2029c\u0085d\x0ce\u3000f", "a b c d e f"),
        ("\udc80 lone", "\udc80 lone"),
    ],
)
def test_text_reads_with_one_blank_between_words(text, expected):
    squeezed = squeeze(text)
    assert squeezed.text == expected
    assert is_blank(text) == (not expected)
    assert len(squeezed.kept) == len(squeezed.shown) == len(text)


@given(st.lists(st.tuples(GAPS, WORDS)), GAPS)
def test_places_lead_back_to_the_text(pairs, end):
    text = "".join(gap + word for gap, word in pairs) + end
    squeezed = squeeze(text)
    places = squeezed.places.tolist()
    assert len(places) == len(squeezed.text)
    for place, char in zip(places, squeezed.text):
        assert text[place] == char or (char == " " and text[place].isspace())
    assert squeeze(squeezed.text).text == squeezed.text
    assert "  " not in squeezed.text
    assert squeezed.text == squeezed.text.strip()
    before = count_before(squeezed.shown)
    assert (before[0], before[-1]) == (0, sum(char != " " for char in squeezed.text))


@given(st.lists(st.tuples(GAPS, WORDS), min_size=1))
def test_words_stay_apart_where_there_is_white_space(pairs):
    text = "".join(gap + word for gap, word in pairs)
    expected = "".join(
        (" " if any(map(str.isspace, gap)) else "") + word for gap, word in pairs
    ).strip()
    assert squeeze(text).text == expected
    assert is_squeezed(expected)
    assert is_squeezed(text) == (text == expected)
    assert is_blank(text) == (not expected)


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("aspirin", "aspirin"),
        (" aspirin\u200b", "aspirin"),
        ("\u00ad\u00a0asp\u00adirin \n", "asp\u00adirin"),
        ("\x00\u200b", "\x00\u200b"),
        ("", ""),
    ],
)
def test_trim_leaves_out_what_shows_nothing_at_the_ends(text, trimmed):
    whole = f"x{text}y"
    start, end = trim(whole, 1, 1 + len(text))
    assert whole[start:end] == trimmed


def test_trim_leaves_stretches_that_are_none_as_they_are():
    assert [trim("abc", *pair) for pair in ((2, 9), (-1, 2), (2, 1))] == [(2, 9), (-1, 2), (2, 1)]
