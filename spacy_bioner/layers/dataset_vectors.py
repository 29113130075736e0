"""A vector per corpus, which tells an encoder by whose rules of annotation a text is to be read."""

from typing import Any, Sequence, cast

import torch
from torch import nn

from spacy_bioner.layers.pooled_encoder import PooledEncoder


class DatasetVectors(nn.Embedding):
    """One vector per corpus; a text of none in particular gets their mean."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Look vectors up.

        rows (torch.Tensor): The corpora, -1 for none; int64, shape (texts,).
        RETURNS (torch.Tensor): Float32, shape (texts, width).
        """
        known = super().forward(rows.clamp_min(0))
        return torch.where((rows < 0)[:, None], self.weight.mean(dim=0), known)


def pool_encoder(transformer: nn.Module, names: Sequence[str]) -> PooledEncoder:
    """Pool a transformer's states, with a vector for each corpus where some are named.

    The vectors start at zero: what a pre-trained encoder has learned holds until the first step.
    """
    if not names:
        return PooledEncoder(transformer)
    vectors = DatasetVectors(
        len(names), cast(Any, transformer).get_input_embeddings().embedding_dim
    )
    nn.init.zeros_(vectors.weight)
    return PooledEncoder(transformer, datasets=vectors)
