import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import (
    SMALL_GAP,
    STRETCH,
    Pieces,
    Window,
    align_pieces,
    cut_windows,
    group_by_budget,
    token_offsets,
    unit_starts,
)


def pieces_at(*offsets: tuple) -> Pieces:
    columns = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)
    return Pieces(np.arange(len(columns)), columns[:, 0], columns[:, 1])


def one_piece_per_token(n_tokens: int):
    offsets = [(2 * i, 2 * i + 1) for i in range(n_tokens)]
    starts, ends = np.asarray(offsets, dtype=np.int64).reshape(-1, 2).T
    return align_pieces(pieces_at(*offsets), starts, ends)


def test_token_offsets_count_characters():
    doc = Doc(spacy.blank("en").vocab, words=["α-", "β", "x"], spaces=[False, True, False])
    starts, ends = token_offsets(doc)
    assert starts.tolist() == [0, 2, 4]
    assert ends.tolist() == [2, 3, 5]


def test_token_offsets_of_empty_doc_are_empty():
    starts, ends = token_offsets(Doc(spacy.blank("en").vocab))
    assert len(starts) == len(ends) == 0


def test_align_pieces_pairs_every_overlap():
    # "CYP2D6 is": tokens CYP|2|D6|is, pieces CY|P2|D6|is: the second piece lies in two tokens.
    starts, ends = np.array([0, 3, 4, 7]), np.array([3, 4, 6, 9])
    alignment = align_pieces(pieces_at((0, 2), (2, 4), (4, 6), (7, 9)), starts, ends)
    assert list(zip(alignment.piece.tolist(), alignment.token.tolist())) == [
        (0, 0), (1, 0), (1, 1), (2, 2), (3, 3),
    ]  # fmt: skip
    assert alignment.first_token.tolist() == [0, 0, 2, 3]


def test_align_pieces_leaves_token_without_piece_alone():
    alignment = align_pieces(pieces_at((0, 2), (5, 6)), np.array([0, 3, 5]), np.array([2, 4, 6]))
    assert alignment.token.tolist() == [0, 2]


def test_unit_starts_take_the_docs_own_sentences():
    vocab = spacy.blank("en").vocab
    doc = Doc(vocab, words=["a", "b", "c", "d"], sent_starts=[True, False, True, False])
    assert unit_starts(doc, "sentence").tolist() == [0, 2]
    assert unit_starts(doc, "document").tolist() == [0]


def test_unit_starts_fall_back_to_the_rules():
    doc = spacy.blank("en")("It rose. Then it fell.")
    assert unit_starts(doc, "sentence").tolist() == [0, 3]


def test_cut_windows_gives_one_window_per_unit():
    windows = cut_windows(7, one_piece_per_token(6), np.array([0, 4]), capacity=5, overlap=2)
    assert windows == [Window(7, 0, 4, 0, 4), Window(7, 4, 6, 4, 6)]


def test_cut_windows_overlap_and_share_the_middle():
    windows = cut_windows(0, one_piece_per_token(10), np.array([0]), capacity=6, overlap=2)
    assert windows == [Window(0, 0, 6, 0, 5), Window(0, 4, 10, 5, 10)]
    windows = cut_windows(0, one_piece_per_token(12), np.array([0]), capacity=8, overlap=4)
    assert windows == [Window(0, 0, 8, 0, 6), Window(0, 4, 12, 6, 12)]


def test_cut_windows_cut_at_token_borders():
    # Tokens of three pieces each: windows of four pieces hold one token.
    offsets = [(3 * t + i, 3 * t + i + 1) for t in range(3) for i in range(3)]
    starts, ends = np.array([0, 3, 6]), np.array([3, 6, 9])
    alignment = align_pieces(pieces_at(*offsets), starts, ends)
    windows = cut_windows(0, alignment, np.array([0]), capacity=4, overlap=1)
    assert [(w.start, w.end) for w in windows] == [(0, 3), (3, 6), (6, 9)]


def test_cut_windows_split_a_token_longer_than_the_model():
    alignment = align_pieces(
        pieces_at(*[(i, i + 1) for i in range(10)]), np.array([0]), np.array([10])
    )
    windows = cut_windows(0, alignment, np.array([0]), capacity=4, overlap=2)
    assert [(w.own_start, w.own_end) for w in windows] == [(0, 4), (4, 8), (8, 10)]


def test_cut_windows_truncate_to_the_first_pieces_of_a_unit():
    windows = cut_windows(
        0, one_piece_per_token(12), np.array([0, 7]), capacity=4, overlap=2, truncate=True
    )
    assert windows == [Window(0, 0, 4, 0, 4), Window(0, 7, 11, 7, 11)]


def test_cut_windows_truncate_at_token_borders():
    # Tokens of three pieces each: four pieces hold one token; a longer token is cut inside.
    offsets = [(i, i + 1) for i in range(9)]
    alignment = align_pieces(pieces_at(*offsets), np.array([0, 3, 6]), np.array([3, 6, 9]))
    windows = cut_windows(0, alignment, np.array([0]), capacity=4, overlap=0, truncate=True)
    assert windows == [Window(0, 0, 3, 0, 3)]
    windows = cut_windows(0, alignment, np.array([0]), capacity=2, overlap=0, truncate=True)
    assert windows == [Window(0, 0, 2, 0, 2)]


def test_cut_windows_show_whole_neighbours():
    windows = cut_windows(
        0, one_piece_per_token(7), np.array([0, 2, 5]), capacity=7, overlap=0, neighbours=True
    )
    assert windows == [Window(0, 0, 5, 0, 2), Window(0, 0, 7, 2, 5), Window(0, 2, 7, 5, 7)]


def test_cut_windows_share_the_room_between_neighbours():
    # Units of 6, 3 and 6 pieces, room for 8: two of the five go before, the rest behind; at the
    # borders of the text one neighbour has it all.
    windows = cut_windows(
        0, one_piece_per_token(15), np.array([0, 6, 9]), capacity=8, overlap=0, neighbours=True
    )
    assert windows == [Window(0, 0, 8, 0, 6), Window(0, 4, 12, 6, 9), Window(0, 7, 15, 9, 15)]


def test_cut_windows_give_a_neighbour_what_the_other_leaves():
    # Units of 1, 3 and 6 pieces, room for 8: one of the five goes before, four behind.
    windows = cut_windows(
        0, one_piece_per_token(10), np.array([0, 1, 4]), capacity=8, overlap=0, neighbours=True
    )
    assert windows[1] == Window(0, 0, 8, 1, 4)


def test_cut_windows_cut_neighbours_at_token_borders():
    # Tokens of three pieces each, a unit of one token between units of two: with room for two
    # pieces on each side no other token fits, with room for three one does.
    offsets = [(i, i + 1) for i in range(15)]
    starts = np.arange(0, 15, 3)
    alignment = align_pieces(pieces_at(*offsets), starts, starts + 3)
    shown = [
        cut_windows(
            0, alignment, np.array([0, 2, 3]), capacity=capacity, overlap=0, neighbours=True
        )[1]
        for capacity in (7, 9)
    ]
    assert shown == [Window(0, 6, 9, 6, 9), Window(0, 3, 12, 6, 9)]


def test_cut_windows_of_a_long_unit_have_no_neighbours():
    windows = cut_windows(
        0, one_piece_per_token(9), np.array([0, 7]), capacity=4, overlap=0, neighbours=True
    )
    assert windows == [Window(0, 0, 4, 0, 4), Window(0, 4, 7, 4, 7), Window(0, 5, 9, 7, 9)]


@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    borders=st.sets(st.integers(0, 29)),
    capacity=st.integers(1, 12),
)
def test_cut_windows_with_neighbours_own_every_piece_once(lengths, borders, capacity):
    ends = np.cumsum(lengths)
    starts = ends - lengths
    alignment = align_pieces(pieces_at(*[(i, i + 1) for i in range(ends[-1])]), starts, ends)
    units = np.array(sorted({0, *(border for border in borders if border < len(lengths))}))
    windows = cut_windows(0, alignment, units, capacity=capacity, overlap=0, neighbours=True)
    owned = [piece for w in windows for piece in range(w.own_start, w.own_end)]
    assert owned == list(range(ends[-1]))
    assert all(len(w) <= capacity for w in windows)
    assert all(w.start <= w.own_start <= w.own_end <= w.end for w in windows)


def test_cut_windows_of_nothing_are_none():
    assert cut_windows(0, one_piece_per_token(0), np.array([0]), capacity=4, overlap=1) == []


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=40),
    capacity=st.integers(2, 12),
    overlap=st.integers(0, 5),
)
def test_cut_windows_own_every_piece_once(lengths, capacity, overlap):
    ends = np.cumsum(lengths)
    starts = ends - lengths
    alignment = align_pieces(pieces_at(*[(i, i + 1) for i in range(ends[-1])]), starts, ends)
    windows = cut_windows(
        0, alignment, np.array([0]), capacity=capacity, overlap=min(overlap, capacity // 2)
    )
    owned = [piece for w in windows for piece in range(w.own_start, w.own_end)]
    assert owned == list(range(ends[-1]))
    assert all(len(w) <= capacity for w in windows)
    assert all(w.start <= w.own_start <= w.own_end <= w.end for w in windows)


@pytest.mark.parametrize(
    ("n_windows", "budget", "sizes"),
    [
        (45, 390, [32, 13]),
        (30, 200, [16, 14]),
        (23, 150, [8, 15]),
        (14, 70, [4, 4, 6]),
        (7, 30, [2, 2, 3]),
        (3, 10, [1, 1, 1]),
        (3, 5, [1, 1, 1]),
    ],
)
def test_groups_that_the_budget_ends_have_round_sizes(n_windows, budget, sizes):
    groups = group_by_budget([10] * n_windows, budget, round_sizes=True)
    assert [len(group) for group in groups] == sizes
    assert [index for group in groups for index in group] == list(range(n_windows))


@given(st.lists(st.integers(1, 60), max_size=60), st.integers(1, 300))
def test_round_groups_keep_to_budget_and_stretch(lengths, budget):
    groups = group_by_budget(lengths, budget, round_sizes=True)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        own = [lengths[index] for index in group]
        assert len(own) == 1 or len(own) * max(own) <= budget
        assert max(own) <= max(STRETCH * min(own), min(own) + SMALL_GAP)


@pytest.mark.parametrize(
    ("lengths", "budget", "expected"),
    [
        ([5, 2, 3], 6, [[1, 2], [0]]),
        ([5, 2, 3], 100, [[1, 2, 0]]),
        ([50], 10, [[0]]),
        ([], 10, []),
        # At most a quarter longer than the shortest, or four pieces.
        ([51, 40, 50], 1000, [[1, 2], [0]]),
        ([7, 2, 6], 1000, [[1, 2], [0]]),
        # Three rows of four take twelve pieces, though only ten are filled.
        ([3, 3, 4], 11, [[0, 1], [2]]),
        ([3, 3, 4], 12, [[0, 1, 2]]),
    ],
)
def test_group_by_budget_counts_padding(lengths, budget, expected):
    assert [group.tolist() for group in group_by_budget(lengths, budget)] == expected


def test_a_device_may_group_windows_that_differ_more():
    groups = group_by_budget([41, 10, 40], 1000, stretch=4.0)
    assert [group.tolist() for group in groups] == [[1, 2], [0]]
