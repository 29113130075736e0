"""The softmax head: dropout and one linear layer from token states to emissions."""

import torch
from torch import nn


class TokenHead(nn.Module):
    """Maps token states to one emission per tag.

    width (int): Size of a token state.
    n_tags (int): Number of tags.
    """

    def __init__(self, width: int, n_tags: int) -> None:
        super().__init__()
        self.output = nn.Linear(width, n_tags)
        nn.init.normal_(self.output.weight, std=0.02)
        nn.init.zeros_(self.output.bias)

    def forward(self, states: torch.Tensor, dropout: float) -> torch.Tensor:
        """Give emissions, shape (tokens, tags), for states of shape (tokens, width)."""
        dropped = nn.functional.dropout(states, p=dropout, training=self.training)
        return self.output(dropped)
