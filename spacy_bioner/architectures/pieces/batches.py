"""Windows as padded rectangles of piece ids, and the way of their states back to token rows."""

from dataclasses import dataclass
from typing import List, Optional, Tuple

import numpy as np

from spacy_bioner.architectures.pieces.windows import WindowLayout


@dataclass(frozen=True)
class WindowBatch:
    """Windows of like length, padded to a rectangle; all int64.

    ids (np.ndarray): Piece ids with special tokens; shape (windows, length).
    mask (np.ndarray): 1 for pieces, 0 for padding; shape (windows, length).
    source (np.ndarray): Positions in the flattened rectangle; shape (pairs,).
    target (np.ndarray): The row that each of them is added to; shape (pairs,).
    datasets (Optional[np.ndarray]): The corpora by whose rules windows are read, -1 for none in
        particular; shape (windows,).
    """

    ids: np.ndarray
    mask: np.ndarray
    source: np.ndarray
    target: np.ndarray
    datasets: Optional[np.ndarray] = None


def make_batches(
    layout: WindowLayout, *, budget: int, pad_id: int
) -> Tuple[List[WindowBatch], np.ndarray]:
    """Lay all windows out as padded rectangles, the shortest first.

    budget (int): The most padded pieces of a batch; see `group_by_budget`.
    pad_id (int): What padding consists of.
    RETURNS (Tuple[List[WindowBatch], np.ndarray]): The batches, and one over the number of pieces
        of each row, 0 for a row without any; float32, shape (rows, 1).
    """
    targets = np.concatenate([np.zeros(0, np.int64), *layout.targets])
    counts = np.bincount(targets, minlength=layout.n_rows)
    weights = np.where(counts > 0, 1.0 / np.maximum(counts, 1), 0.0).astype(np.float32)
    lengths = layout.lengths
    batches = [_fill(layout, group, lengths, pad_id) for group in layout.group(budget)]
    return batches, weights[:, None]


def _fill(layout: WindowLayout, group: np.ndarray, lengths: List[int], pad_id: int) -> WindowBatch:
    width = layout.pad_width(len(group), max(lengths[index] for index in group))
    ids = np.full((len(group), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(group), width), dtype=np.int64)
    for row, index in enumerate(group):
        window = layout.windows[index]
        inner = layout.pieces[window.doc_index].ids[window.start : window.end]
        ids[row, : lengths[index]] = np.concatenate([layout.before, inner, layout.after])
        mask[row, : lengths[index]] = 1
    source = np.concatenate([layout.sources[i] + row * width for row, i in enumerate(group)])
    target = np.concatenate([layout.targets[index] for index in group])
    datasets = None
    if layout.datasets is not None:
        datasets = layout.datasets[[layout.windows[index].doc_index for index in group]]
    return WindowBatch(ids, mask, source, target, datasets)
