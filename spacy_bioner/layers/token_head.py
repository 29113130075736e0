"""The head: dropout and one linear layer from token states to emissions, with a CRF or without."""

from typing import Optional

import torch
from torch import nn

from spacy_bioner.layers.crf import LinearChainCRF


class TokenHead(nn.Module):
    """Maps token states to one emission per tag, and holds the weights of transitions if any.

    width (int): Size of a token state.
    n_tags (int): Number of tags.
    crf (bool): Whether transitions between tags are learned.
    """

    def __init__(self, width: int, n_tags: int, *, crf: bool = False) -> None:
        super().__init__()
        self.output = nn.Linear(width, n_tags)
        nn.init.normal_(self.output.weight, std=0.02)
        nn.init.zeros_(self.output.bias)
        self.crf: Optional[LinearChainCRF] = LinearChainCRF(n_tags) if crf else None

    def forward(self, states: torch.Tensor, dropout: float) -> torch.Tensor:
        """Return emissions, shape (tokens, tags), for states of shape (tokens, width)."""
        dropped = nn.functional.dropout(states, p=dropout, training=self.training)
        return self.output(dropped)
