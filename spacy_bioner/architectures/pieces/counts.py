"""How many pieces and windows a Doc takes in its encoders, noted while a pipeline runs over it."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.alignment import Pieces
from spacy_bioner.architectures.pieces.control_pieces import find_unknown
from spacy_bioner.architectures.pieces.words import Words, find_words

# By benchmarks/languages.py, at most 19 % of the pieces of 1,350 English documents were odd (41 %
# of those of 3,600 single sentences), and they took at most 1.8 pieces a word. Of texts in other
# scripts, 72 % and more were odd; most languages in Latin letters took 2.0 to 3.6 pieces a word.
MOST_ODD = 0.5
MOST_PIECES = 2.0
# A formula or a list of symbols is no text, and single sentences of names have as many pieces.
FEWEST_CHARACTERS, FEWEST_WORDS = 20, 50


@dataclass(frozen=True)
class PieceCounts:
    """What the encoders read of a Doc, all of them together.

    pieces (int): Sub-word pieces, without special ones.
    windows (int): Inputs of the encoders.
    unseen (int): Tokens that some encoder does not see: 0 unless it truncates.
    odd (int): Pieces that are unknown, or a single letter that is no English word: of such are
        texts in scripts that the encoder has no words of.
    encoders (int): How many have read the text.
    words (int): Stretches of the text that are cut into pieces by themselves; 0 without an encoder.
    characters (int): Of these words.
    """

    pieces: int = 0
    windows: int = 0
    unseen: int = 0
    odd: int = 0
    encoders: int = 0
    words: int = 0
    characters: int = 0

    @property
    def is_foreign(self) -> bool:
        """Whether a text seems to be in another language than its encoder has learned."""
        if self.characters < FEWEST_CHARACTERS:
            return False
        is_long = self.words >= FEWEST_WORDS
        return self.odd > MOST_ODD * self.pieces or (
            is_long and self.pieces > MOST_PIECES * self.words * self.encoders
        )


class LayoutNotes:
    """Counts of Docs by what their encoders have laid out; it holds the Docs."""

    def __init__(self) -> None:
        self._found: Dict[int, Dict[int, Tuple[Doc, PieceCounts, np.ndarray]]] = {}

    def add(self, encoder: Any, docs: Sequence[Doc], layout: Any) -> None:
        """Take note of a layout; a later one of the same encoder and Doc replaces it."""
        places = np.asarray([window.doc_index for window in layout.windows], dtype=np.int64)
        windows = np.bincount(places, minlength=len(docs)).tolist()
        unknown = find_unknown(encoder.shims[0].tokenizer)
        for doc, pieces, rows, n_windows in zip(docs, layout.pieces, layout.rows, windows):
            counts = count_pieces(pieces, find_words(doc), unknown, windows=n_windows)
            own = self._found.setdefault(id(doc), {})
            own[id(encoder)] = (doc, counts, rows.unseen)

    def count(self, doc: Doc) -> PieceCounts:
        """Add up what is known of a Doc."""
        found = list(self._found.get(id(doc), {}).values())
        unseen = np.logical_or.reduce([own[2] for own in found]) if found else np.zeros(0)
        counts = [own[1] for own in found]
        return PieceCounts(
            sum(own.pieces for own in counts),
            sum(own.windows for own in counts),
            int(unseen.sum()),
            sum(own.odd for own in counts),
            len(counts),
            max((own.words for own in counts), default=0),
            max((own.characters for own in counts), default=0),
        )


def count_pieces(pieces: Pieces, words: Words, unknown: int, *, windows: int) -> PieceCounts:
    """Count what one encoder reads of a text, all of which it sees.

    pieces (Pieces): Those of `words.text`.
    unknown (int): Id of the unknown piece; -1 where there is none.
    windows (int): See `PieceCounts`.
    """
    odd = count_odd(pieces, words, unknown)
    n_chars = int((words.end_chars - words.start_chars).sum())
    return PieceCounts(len(pieces.ids), windows, 0, odd, 1, len(words), n_chars)


def count_odd(pieces: Pieces, words: Words, unknown: int) -> int:
    """Count the pieces that are unknown, or a single letter; ASCII ones that are a word are none.

    pieces (Pieces): Those of `words.text`.
    unknown (int): Id of the unknown piece; -1 where there is none.
    """
    is_unknown = pieces.ids == unknown
    single = np.flatnonzero((pieces.ends - pieces.starts == 1) & ~is_unknown)
    starts = pieces.starts[single]
    is_word = np.isin(starts, words.start_chars) & np.isin(starts + 1, words.end_chars)
    letters = [words.text[start] for start in starts.tolist()]
    odd = [
        letter.isalpha() and not (whole and letter.isascii())
        for letter, whole in zip(letters, is_word.tolist())
    ]
    return int(is_unknown.sum()) + sum(odd)


_notes: ContextVar[Optional[LayoutNotes]] = ContextVar("layout_notes", default=None)


@contextmanager
def noting_layouts() -> Iterator[LayoutNotes]:
    """Take note of what encoders lay out while the block runs."""
    notes = LayoutNotes()
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note_layout(encoder: Any, docs: Sequence[Doc], layout: Any) -> None:
    """Tell of a layout, where somebody takes note."""
    if (notes := _notes.get()) is not None:
        notes.add(encoder, docs, layout)
