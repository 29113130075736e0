"""Which pieces of a batch of Docs go through the encoder together, and which rows they end in."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model

from spacy_bioner.architectures.datasets import dataset_rows
from spacy_bioner.architectures.pieces.alignment import (
    STRETCH,
    Pieces,
    TokenAlignment,
    Window,
    align_pieces,
    cut_windows,
    group_by_budget,
    unit_starts,
)
from spacy_bioner.architectures.pieces.control_pieces import STAND_INS, put_mask
from spacy_bioner.architectures.pieces.counts import note_layout
from spacy_bioner.architectures.pieces.words import COVERED_KEY, Words, find_words
from spacy_bioner.errors import EncoderError

# A batch of inference is padded by at most the so many-th part; more costs more than it saves.
MOST_PADDING = 16
UNITS = ("sentence", "neighbours", "document")
# How a token is taught and read by its pieces; with the last two, each piece has a tag.
POOLING = ("mean", "first", "x", "parent")
PER_PIECE = ("x", "parent")


@dataclass(frozen=True)
class DocRows:
    """What the rows of one Doc stand for.

    n_tokens (int): There is one row per token, in order. That of a word's first token is the
        word's; those of tokens that are not read, and of a word's further tokens, are 0.
    parents (np.ndarray): Behind those, one row per continuation piece: the first token of the word
        that each belongs to; int64. A piece is a continuation if it is the first of no word.
    unseen (np.ndarray): Whether a token has pieces, but all behind the end of a unit that was cut;
        bool, shape (tokens,).
    words (Words): Those that have pieces.
    """

    n_tokens: int
    parents: np.ndarray
    unseen: np.ndarray
    words: Words

    def __len__(self) -> int:
        return self.n_tokens + len(self.parents)


def check_layout(unit: str, pooling: str, window: int, overlap: int, *, truncate: bool) -> None:
    """Check the settings of an encoder that decide what goes through it together.

    RAISES (EncoderError): For what is none.
    """
    check_choice("unit", unit, UNITS)
    check_choice("pooling", pooling, POOLING)
    if window < 3:
        raise EncoderError(f"encoder setting window = {window}: expected 3 or more")
    if not truncate and not 0 <= overlap < window - 2:
        raise EncoderError(
            f"encoder setting overlap = {overlap}: expected 0 ≤ overlap < window - 2"
        )


def check_choice(setting: str, value: str, choices: Tuple[str, ...]) -> None:
    """Check a setting of an encoder. RAISES (EncoderError): For what is none of the choices."""
    if value not in choices:
        raise EncoderError(
            f"encoder setting {setting} = '{value}': expected one of {', '.join(choices)}"
        )


def lay_out(model: Model, docs: List[Doc], *, every_piece: bool = False) -> "WindowLayout":
    """Tokenize the words of Docs and cut them into windows.

    model (Model): The encoder.
    every_piece (bool): Give rows to continuation pieces as well, where the pooling tags pieces.
    """
    shim: Any = model.shims[0]
    layout = WindowLayout(model.attrs, shim.spec, every_piece=every_piece)
    layout.stretch = shim.stretch
    words = [find_words(doc) for doc in docs]
    encodings = shim.reader.encode_batch([own.text for own in words], add_special_tokens=False)
    for doc, own, encoding in zip(docs, words, encodings):
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        ids = np.asarray(encoding.ids, dtype=np.int64)
        pieces = Pieces(ids, offsets[:, 0], offsets[:, 1])
        layout.add(doc, own, _cover(pieces, doc, own, shim.tokenizer))
    if names := shim.spec.get("datasets"):
        layout.datasets = dataset_rows(docs, names, model.attrs["dataset"])
    note_layout(model, docs, layout)
    return layout


def _cover(pieces: Pieces, doc: Doc, words: Words, tokenizer: Any) -> Pieces:
    """Put masks in the place of words that an explanation covers; texts hold none themselves."""
    covered = doc.user_data.get(COVERED_KEY)
    if not covered:
        return pieces
    word = doc[covered[0]].text
    mask_id = tokenizer.token_to_id(word) if word in STAND_INS else None
    if mask_id is None:
        return pieces
    chosen = words.choose(np.isin(words.starts, list(covered)))
    return put_mask(pieces, chosen.start_chars, chosen.end_chars, mask_id)


class WindowLayout:
    """Gathers the windows of a batch of Docs.

    windows (List[Window]): Of all Docs.
    pieces (List[Pieces]): Per Doc, at offsets in the text of its words.
    rows (List[DocRows]): What the rows of each Doc stand for.
    sources (List[np.ndarray]): Per window, the positions of owned pieces in it, special tokens
        counted.
    targets (List[np.ndarray]): Per window, the rows that they belong to, counted over all Docs.
    datasets (Optional[np.ndarray]): Per Doc, the corpus by whose rules it is read, where the
        encoder knows several; -1 for none in particular.
    round_up (Optional[Callable[[int], int]]): The pieces of a batch, padding included, are to be a
        number that this leaves as it is.
    """

    def __init__(
        self, settings: Dict[str, Any], spec: Dict[str, Any], *, every_piece: bool = False
    ) -> None:
        self.settings = settings
        self.every_piece = every_piece and settings["pooling"] in PER_PIECE
        self.before: List[int] = spec["before"]
        self.after: List[int] = spec["after"]
        length = min(settings["window"], spec["max_length"])
        self.capacity = length - len(self.before) - len(self.after)
        self.overlap = min(settings["overlap"], self.capacity // 2)
        self.longest = length
        self.stretch = STRETCH
        self.round_up: Optional[Callable[[int], int]] = None
        self.windows: List[Window] = []
        self.pieces: List[Pieces] = []
        self.rows: List[DocRows] = []
        self.n_rows = 0
        self.datasets: Optional[np.ndarray] = None
        self.sources: List[np.ndarray] = []
        self.targets: List[np.ndarray] = []

    def add(self, doc: Doc, words: Words, pieces: Pieces) -> None:
        """Cut one Doc into windows and give it its rows.

        words (Words): The Doc's.
        pieces (Pieces): Those of `words.text`.
        """
        alignment = align_pieces(pieces, words.start_chars, words.end_chars)
        windows = cut_windows(
            len(self.pieces),
            alignment,
            np.searchsorted(words.starts, unit_starts(doc, self.settings["unit"])),
            capacity=self.capacity,
            overlap=self.overlap,
            truncate=self.settings["truncate"],
            neighbours=self.settings["unit"] == "neighbours",
        )
        seen = _seen_pieces(alignment, windows) if self.settings["truncate"] else None
        piece, row, rest = alignment.piece, words.starts[alignment.token], np.zeros(0, np.int64)
        if self.settings["pooling"] != "mean":
            row, first = np.unique(row, return_index=True)
            piece = piece[first]
        if self.every_piece:
            rest = _continuations(alignment, piece, seen)
            order = np.argsort(np.concatenate([piece, rest]), kind="stable")
            row = np.concatenate([row, len(doc) + np.arange(len(rest))])[order]
            piece = np.concatenate([piece, rest])[order]
        # A continuation in several words belongs to the first of them.
        parents = words.starts[alignment.token[np.searchsorted(alignment.piece, rest)]]
        self._place(windows, piece, row)
        self.pieces.append(pieces)
        unseen = words.place(_unseen_words(alignment, seen, len(words)), len(doc))
        read = words.choose(np.unique(alignment.token))
        self.rows.append(DocRows(len(doc), parents, unseen, read))
        self.n_rows += len(self.rows[-1])

    @property
    def lengths(self) -> List[int]:
        """Pieces of each window, special tokens included."""
        special = len(self.before) + len(self.after)
        return [len(window) + special for window in self.windows]

    def group(self, budget: int) -> List[np.ndarray]:
        """Group the windows into batches; see `group_by_budget`."""
        # Of such sizes, batches need little padding.
        return group_by_budget(
            self.lengths, budget, stretch=self.stretch, round_sizes=self.round_up is not None
        )

    def pad_width(self, n_windows: int, width: int) -> int:
        """Choose the pieces of each row of a batch: as many as its longest window has, or so many
        more that all rows together have one of the sizes, unless that were much more."""
        if self.round_up is None:
            return width
        for padded in range(width, min(width + width // MOST_PADDING, self.longest) + 1):
            if self.round_up(n_windows * padded) == n_windows * padded:
                return padded
        return width

    def _place(self, windows: List[Window], piece: np.ndarray, row: np.ndarray) -> None:
        """Note where pieces, ascending, stand in the windows of a Doc, and their rows."""
        self.windows.extend(windows)
        for window in windows:
            low, high = np.searchsorted(piece, [window.own_start, window.own_end])
            self.sources.append(piece[low:high] - window.start + len(self.before))
            self.targets.append(row[low:high] + self.n_rows)


def _continuations(
    alignment: TokenAlignment, first: np.ndarray, seen: Optional[np.ndarray]
) -> np.ndarray:
    """List the seen pieces of words that are the first piece of none.

    first (np.ndarray): The first pieces. One across a word border may be a later piece of another
        word as well: it counts as first.
    """
    is_rest = np.zeros(len(alignment.first_token), dtype=bool)
    is_rest[alignment.piece] = True
    is_rest[first] = False
    return np.flatnonzero(is_rest if seen is None else is_rest & seen)


def _seen_pieces(alignment: TokenAlignment, windows: List[Window]) -> np.ndarray:
    seen = np.zeros(len(alignment.first_token), dtype=bool)
    for window in windows:
        seen[window.own_start : window.own_end] = True
    return seen


def _unseen_words(
    alignment: TokenAlignment, seen: Optional[np.ndarray], n_words: int
) -> np.ndarray:
    unseen = np.zeros(n_words, dtype=bool)
    if seen is not None:
        unseen[alignment.token] = True
        unseen[alignment.token[seen[alignment.piece]]] = False
    return unseen
