"""From Docs to word-piece windows and back, by array operations on character offsets.

Offsets are those of the text of a Doc's words, and the tokens of an alignment are these words; see
`words`. A document is tokenized once and whole. Its pieces are cut into windows (one per sentence,
or one per document), and a stretch that is longer than the model can take is cut into overlapping
windows at token borders. Every piece is *owned* by exactly one window, the one in which it
stands most centrally, so that nothing is truncated and nothing is counted twice.
"""

from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np
from spacy.attrs import IDX, LENGTH, SENT_START
from spacy.tokens import Doc

from spacy_bioner.sentences import sentence_starts

# Differences of fewer pieces do not pay for another pass through the model.
SMALL_GAP = 4
# How many times as long as the shortest the longest window of a group may be. A GPU computes
# padding in less time than it takes to start another pass.
STRETCH = 1.25
GPU_STRETCH = 4.0


@dataclass(frozen=True)
class Pieces:
    """The word pieces of one text, without special tokens.

    ids (np.ndarray): Vocabulary ids; int64, shape (pieces,).
    starts (np.ndarray): Character offset of each piece's first character; int64, ascending.
    ends (np.ndarray): Character offset behind each piece's last character; int64.
    """

    ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


@dataclass(frozen=True)
class Window:
    """A stretch of one document's pieces that goes through the model together.

    doc_index (int): Position of the document in the batch.
    start (int): First piece.
    end (int): Behind the last piece.
    own_start (int): First piece whose state is taken from this window.
    own_end (int): Behind the last such piece.
    """

    doc_index: int
    start: int
    end: int
    own_start: int
    own_end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class TokenAlignment:
    """Which pieces make up which tokens of one document.

    piece (np.ndarray): Piece indices; int64, shape (pairs,), ascending.
    token (np.ndarray): Token indices, parallel to `piece`. A piece that lies across a token
        border stands in one pair for each token that it touches.
    first_token (np.ndarray): The first token that each piece touches; int64, shape (pieces,).
    """

    piece: np.ndarray
    token: np.ndarray
    first_token: np.ndarray


def token_offsets(doc: Doc) -> Tuple[np.ndarray, np.ndarray]:
    """Return the start and end character offsets of a Doc's tokens as two int64 arrays."""
    if len(doc) == 0:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    columns = doc.to_array([IDX, LENGTH]).astype(np.int64)
    return columns[:, 0], columns[:, 0] + columns[:, 1]


def tokenized_text(doc: Doc) -> Tuple[str, np.ndarray, np.ndarray]:
    """Return the text of a Doc and the offsets of its tokens, as `TermMatcher` takes them."""
    return (doc.text, *token_offsets(doc))


def same_tokens(left: Doc, right: Doc) -> bool:
    """Tell whether two Docs have their tokens at the same offsets."""
    return np.array_equal(token_offsets(left)[0], token_offsets(right)[0])


def align_pieces(pieces: Pieces, starts: np.ndarray, ends: np.ndarray) -> TokenAlignment:
    """Pair pieces with the tokens that they share at least one character with.

    pieces (Pieces): The pieces of the document's text.
    starts (np.ndarray): Token start offsets, shape (tokens,).
    ends (np.ndarray): Token end offsets, shape (tokens,).
    """
    first = np.searchsorted(ends, pieces.starts, side="right")
    last = np.searchsorted(starts, pieces.ends, side="left") - 1
    counts = np.maximum(last - first + 1, 0)
    # Byte-level tokenizers make pieces of no width inside one character: they count as touching it.
    piece = np.repeat(np.arange(len(pieces.ids)), counts)
    offset_in_run = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    return TokenAlignment(piece, first[piece] + offset_in_run, first)


def unit_starts(doc: Doc, unit: str) -> np.ndarray:
    """Return the token indices at which a unit starts; int64, ascending.

    unit (str): "sentence" or "document"; "neighbours" are sentences as well.

    Sentence borders are the Doc's own where it has any, else those of the rule-based splitter.
    """
    if unit == "document" or len(doc) == 0:
        return np.zeros(min(len(doc), 1), dtype=np.int64)
    marked = doc.to_array([SENT_START]).reshape(-1).astype(np.int64)
    # As `Doc.has_annotation` has it, which looks at each token by itself.
    if marked[1:].any():
        flags = marked == 1
    else:
        starts, _ = token_offsets(doc)
        flags = np.zeros(len(doc), dtype=bool)
        borders = np.searchsorted(starts, np.asarray(sentence_starts(doc.text), dtype=np.int64))
        flags[borders[borders < len(doc)]] = True
    flags[0] = True
    return np.flatnonzero(flags)


def cut_windows(
    doc_index: int,
    alignment: TokenAlignment,
    unit_borders: np.ndarray,
    *,
    capacity: int,
    overlap: int,
    truncate: bool = False,
    neighbours: bool = False,
) -> List[Window]:
    """Cut one document's pieces into windows.

    doc_index (int): Position of the document in the batch.
    alignment (TokenAlignment): The document's pieces and tokens.
    unit_borders (np.ndarray): Token indices at which units start.
    capacity (int): The most pieces that fit into a window.
    overlap (int): How many pieces consecutive windows of one unit share, at the least where
        token borders allow it.
    truncate (bool): A unit that does not fit gets one window of its first tokens; nobody owns
        the pieces behind it.
    neighbours (bool): A window with room left shows pieces of the units before and behind it too,
        which it does not own.
    RETURNS (List[Window]): In document order; together they own every piece exactly once, unless
        `truncate` leaves some out.
    """
    n_pieces = len(alignment.first_token)
    if n_pieces == 0:
        return []
    borders = np.searchsorted(alignment.first_token, unit_borders, side="left")
    edges = np.unique(np.concatenate([[0], borders, [n_pieces]])).tolist()
    windows: List[Window] = []
    for unit, (start, end) in enumerate(zip(edges[:-1], edges[1:])):
        if truncate and end - start > capacity:
            end = _last_cut(alignment.first_token, start, capacity)
            windows.append(Window(doc_index, start, end, start, end))
        elif end - start <= capacity:
            shown = (start, end)
            if neighbours:
                around = (edges[max(unit - 1, 0)], edges[min(unit + 2, len(edges) - 1)])
                shown = _widen(alignment.first_token, start, end, around, capacity)
            windows.append(Window(doc_index, *shown, start, end))
        else:
            cuts = _cut_long(alignment.first_token, start, end, capacity, overlap)
            windows.extend(_share_overlaps(doc_index, alignment.first_token, cuts))
    return windows


def group_by_budget(
    lengths: Sequence[int], budget: int, *, stretch: float = STRETCH, round_sizes: bool = False
) -> List[np.ndarray]:
    """Group windows of like length so that padding stays small.

    lengths (Sequence[int]): Pieces per window, special tokens included.
    budget (int): The most padded pieces (rows × longest row) in a group; longer ones go alone.
    stretch (float): The longest window of a group is at most so many times as long as the
        shortest, or `SMALL_GAP` pieces longer; with 1.0, all are of one length.
    round_sizes (bool): A group that the budget ends has 1, 2, 4, 8 or a multiple of 16 windows.
    RETURNS (List[np.ndarray]): Indices into `lengths`, the shortest windows first.
    """
    order = np.argsort(np.asarray(lengths, dtype=np.int64), kind="stable")
    groups: List[np.ndarray] = []
    begin = 0
    for position, index in enumerate(order):
        while position > begin:
            shortest = lengths[order[begin]]
            too_many = (position - begin + 1) * lengths[index] > budget
            gap = SMALL_GAP if stretch > 1.0 else 0
            too_long = lengths[index] > max(stretch * shortest, shortest + gap)
            if not too_many and not too_long:
                break
            size = position - begin
            # What is left over begins the next group: it is as long as this one's longest.
            end = begin + (_round_size(size) if too_many and round_sizes else size)
            groups.append(order[begin:end])
            begin = end
    if begin < len(order):
        groups.append(order[begin:])
    return groups


def _round_size(size: int) -> int:
    return size - size % 16 if size >= 16 else 1 << size.bit_length() - 1


def _cut_long(
    first_token: np.ndarray, start: int, end: int, capacity: int, overlap: int
) -> List[Tuple[int, int]]:
    cuts: List[Tuple[int, int]] = []
    window_start = start
    while end - window_start > capacity:
        window_end = _last_cut(first_token, window_start, capacity)
        cuts.append((window_start, window_end))
        next_start = _token_border(first_token, max(window_end - overlap, window_start))
        window_start = next_start if next_start > window_start else window_end
    cuts.append((window_start, end))
    return cuts


def _share_overlaps(
    doc_index: int, first_token: np.ndarray, cuts: List[Tuple[int, int]]
) -> List[Window]:
    owned_from = [cuts[0][0]]
    for (_, left_end), (right_start, _) in zip(cuts, cuts[1:]):
        middle = _token_border(first_token, (left_end + right_start) // 2)
        owned_from.append(max(middle, right_start))
    owned_to = [*owned_from[1:], cuts[-1][1]]
    return [
        Window(doc_index, start, end, own_start, own_end)
        for (start, end), own_start, own_end in zip(cuts, owned_from, owned_to)
    ]


def _last_cut(first_token: np.ndarray, start: int, capacity: int) -> int:
    """Return where a window that starts at piece `start` and does not hold all behind it ends."""
    end = _token_border(first_token, start + capacity)
    # One token longer than the model: cutting inside it loses context, not text.
    return end if end > start else start + capacity


def _widen(
    first_token: np.ndarray, start: int, end: int, around: Tuple[int, int], capacity: int
) -> Tuple[int, int]:
    """Add the neighbours of a unit, whole or what stands next to it, to what its window shows.

    around (Tuple[int, int]): Where the unit before starts and the unit behind ends.
    """
    room = capacity - (end - start)
    before, behind = start - around[0], around[1] - end
    # Each side has half of the room, and what the other one leaves.
    left = min(before, max(room // 2, room - behind))
    right = min(behind, room - left)
    first, last = start - left, end + right
    if left < before:
        first = int(np.searchsorted(first_token, first_token[first - 1], side="right"))
    if right < behind:
        last = _token_border(first_token, last)
    return min(first, start), max(last, end)


def _token_border(first_token: np.ndarray, piece: int) -> int:
    """Return the last piece at or before `piece` that begins a token."""
    return int(np.searchsorted(first_token, first_token[piece], side="left"))
