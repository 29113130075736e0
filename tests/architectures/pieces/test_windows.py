"""How long windows are, and how much they share."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import Pieces
from spacy_bioner.architectures.pieces.windows import WindowLayout
from spacy_bioner.architectures.pieces.words import find_words

SETTINGS = {
    "pooling": "mean", "window": 512, "overlap": 128, "unit": "document", "truncate": False
}  # fmt: skip


def lay_out(n_tokens: int, *, max_length: int, **settings) -> WindowLayout:
    """One Doc of tokens of one piece each; a special piece stands before and behind a window."""
    spec = {"before": [1], "after": [2], "max_length": max_length}
    layout = WindowLayout({**SETTINGS, **settings}, spec)
    doc = Doc(spacy.blank("en").vocab, words=["x"] * n_tokens)
    words = find_words(doc)
    layout.add(doc, words, Pieces(np.arange(n_tokens), words.start_chars, words.end_chars))
    return layout


@pytest.mark.parametrize(
    ("max_length", "settings", "stretches"),
    [
        # Ten pieces beside the special ones; of an overlap that is larger, half of a window.
        (12, {}, [(0, 10), (5, 15), (10, 20)]),
        (12, {"overlap": 3}, [(0, 10), (7, 17), (14, 20)]),
        (512, {"window": 12, "overlap": 0}, [(0, 10), (10, 20)]),
        (512, {}, [(0, 20)]),
    ],
)
def test_windows_fit_the_model_and_share_at_most_half(max_length, settings, stretches) -> None:
    layout = lay_out(20, max_length=max_length, **settings)
    assert [(window.start, window.end) for window in layout.windows] == stretches
    assert layout.lengths == [end - start + 2 for start, end in stretches]


def test_rows_are_those_of_owned_pieces_behind_the_special_ones() -> None:
    layout = lay_out(20, max_length=12)
    # Overlaps of five are shared out: three pieces from the left window, two from the right one.
    assert [part.tolist() for part in layout.targets] == [
        list(range(7)), list(range(7, 12)), list(range(12, 20))
    ]  # fmt: skip
    assert [part.tolist() for part in layout.sources] == [
        list(range(1, 8)), list(range(3, 8)), list(range(3, 11))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("n_windows", "width", "expected"),
    [(1, 31, 32), (1, 30, 30), (4, 21, 22), (8, 21, 21), (3, 32, 32), (1, 37, 37)],
)
def test_batches_have_one_of_the_sizes_where_a_row_can_be_so_long(n_windows, width, expected):
    layout = lay_out(5, max_length=38)
    assert layout.pad_width(n_windows, width) == width
    layout.round_up = lambda n_pieces: -(-n_pieces // 8) * 8
    assert layout.pad_width(n_windows, width) == expected
