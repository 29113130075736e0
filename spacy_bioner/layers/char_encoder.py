"""Token states from characters: BiLSTM (Lample and others, 2016) or CNN (Ma and Hovy, 2016)."""

from typing import List, Sequence

import numpy as np
import torch
from torch import nn

# Latin, Greek, Cyrillic and marks have rows of their own; what lies beyond shares the last ones.
N_CHARACTERS = 1280
_DIRECT = 1248
MAX_CHARACTERS = 40
PADDING = 0


def character_ids(words: Sequence[str]) -> np.ndarray:
    """Return the rows of each word's characters; int64, shape (words, longest), 0 in the padding.

    Of words longer than `MAX_CHARACTERS` the first and the last half of so many are taken.
    """
    half = MAX_CHARACTERS // 2
    cut = [word if len(word) <= MAX_CHARACTERS else word[:half] + word[-half:] for word in words]
    ids = np.zeros((len(cut), max([1, *map(len, cut)])), dtype=np.int64)
    for row, word in enumerate(cut):
        ids[row, : len(word)] = [_row(ord(character)) for character in word]
    return ids


class CharacterEncoder(nn.Module):
    """Maps the characters of words to one state per word.

    kind (str): "lstm": the last states of both directions; "cnn": the maximum of filters over
        three characters.
    embedding (int): Size of a character's vector.
    width (int): Size of a word's state; even for "lstm".
    """

    def __init__(self, kind: str, embedding: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(N_CHARACTERS, embedding, padding_idx=PADDING)
        self.width = width
        self.lstm = (
            nn.LSTM(embedding, width // 2, batch_first=True, bidirectional=True)
            if kind == "lstm"
            else None
        )
        self.cnn = nn.Conv1d(embedding, width, 3, padding=1) if kind == "cnn" else None

    def forward(self, ids: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Encode each distinct word once.

        ids (torch.Tensor): Rows of characters; int64, shape (words, characters).
        rows (torch.Tensor): The word of each token; int64, shape (tokens,).
        RETURNS (torch.Tensor): Shape (tokens, width).
        """
        lengths = (ids != PADDING).sum(dim=1).clamp_min(1)
        embedded = self.embed(ids)
        if self.cnn is not None:
            filtered = self.cnn(embedded.transpose(1, 2))
            inside = torch.arange(ids.shape[1], device=ids.device)[None] < lengths[:, None]
            states = filtered.masked_fill(~inside[:, None], float("-inf")).amax(dim=2)
        else:
            states = self._run_lstm(embedded, lengths)
        return states[rows]

    def _run_lstm(self, embedded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        assert self.lstm is not None
        packed = nn.utils.rnn.pack_padded_sequence(
            embedded, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.lstm(packed)
        return torch.cat([last[0], last[1]], dim=1)


class SequenceLstm(nn.Module):
    """A bidirectional LSTM over the token states of documents.

    n_in (int): Size of a token's state.
    width (int): Size of what it becomes; even.
    depth (int): Layers.
    """

    def __init__(self, n_in: int, width: int, depth: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_in, width // 2, depth, batch_first=True, bidirectional=True)

    def forward(self, states: torch.Tensor, lengths: List[int], dropout: float) -> torch.Tensor:
        """Return shape (tokens, width) for stacked states and each document's number of tokens."""
        dropped = nn.functional.dropout(states, p=dropout, training=self.training)
        parts = [rows for rows in dropped.split(lengths) if len(rows)]
        if not parts:
            return states.new_zeros((0, 2 * self.lstm.hidden_size))
        packed = nn.utils.rnn.pack_sequence(parts, enforce_sorted=False)
        output, _ = self.lstm(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)
        return torch.cat([rows[: len(part)] for rows, part in zip(padded, parts)])


def _row(code: int) -> int:
    # Row 0 is the padding.
    return 1 + (code if code < _DIRECT else _DIRECT + code % (N_CHARACTERS - _DIRECT - 1))
