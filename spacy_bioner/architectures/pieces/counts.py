"""How many pieces and windows a Doc takes in its encoders, noted while a pipeline runs over it."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc


@dataclass(frozen=True)
class PieceCounts:
    """What the encoders read of a Doc, all of them together.

    pieces (int): Sub-word pieces, without special ones.
    windows (int): Inputs of the encoders.
    unseen (int): Tokens that some encoder does not see: 0 unless it truncates.
    """

    pieces: int = 0
    windows: int = 0
    unseen: int = 0


class LayoutNotes:
    """Counts of Docs by what their encoders have laid out; it holds the Docs."""

    def __init__(self) -> None:
        self._found: Dict[int, Dict[int, Tuple[Doc, int, int, np.ndarray]]] = {}

    def add(self, encoder: Any, docs: Sequence[Doc], layout: Any) -> None:
        """Take note of a layout; a later one of the same encoder and Doc replaces it."""
        places = np.asarray([window.doc_index for window in layout.windows], dtype=np.int64)
        windows = np.bincount(places, minlength=len(docs)).tolist()
        for doc, pieces, rows, n_windows in zip(docs, layout.pieces, layout.rows, windows):
            own = self._found.setdefault(id(doc), {})
            own[id(encoder)] = (doc, len(pieces.ids), n_windows, rows.unseen)

    def count(self, doc: Doc) -> PieceCounts:
        """Add up what is known of a Doc."""
        found = list(self._found.get(id(doc), {}).values())
        unseen = np.logical_or.reduce([own[3] for own in found]) if found else np.zeros(0)
        return PieceCounts(
            sum(own[1] for own in found), sum(own[2] for own in found), int(unseen.sum())
        )


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
