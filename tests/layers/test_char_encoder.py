"""Rows of characters."""

import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers.char_encoder import (  # noqa: E402
    MAX_CHARACTERS,
    N_CHARACTERS,
    PADDING,
    character_ids,
)


def test_each_character_has_a_row_and_the_padding_another() -> None:
    # Rows are counted from 1: "a" is character 97.
    assert character_ids(["ab", "\x00", ""]).tolist() == [[98, 99], [1, 0], [0, 0]]
    assert character_ids([]).shape == (0, 1)


def test_rows_of_rare_characters_are_shared_but_never_that_of_the_padding() -> None:
    codes = [*range(0xD800), *range(0xE000, 0x110000, 97), 0x10FFFF]
    rows = character_ids([chr(code) for code in codes])
    assert rows.min() == PADDING + 1
    assert rows.max() < N_CHARACTERS
    # Latin, Greek and Cyrillic letters have rows of their own.
    assert len(set(rows[:0x4E0, 0].tolist())) == 0x4E0
    assert rows[0x4E0:].min() > rows[:0x4E0].max()


def test_long_words_keep_both_ends() -> None:
    word = "a" * (MAX_CHARACTERS // 2) + "bbb" + "c" * (MAX_CHARACTERS // 2)
    kept = word.replace("b", "")
    assert character_ids([word]).tolist() == character_ids([kept]).tolist()
    assert len(kept) == MAX_CHARACTERS
