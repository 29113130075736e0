"""The layers of MPNet: attention that adds a learned bias for how far two pieces are apart.

Bias and mask of padding are added up once for all layers, and attention is one of torch's kernels;
the checkpoint's own modules hold the weights, under their own names.
"""

from functools import partial
from typing import Any, Dict, NamedTuple, Optional

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

# The reference model counts so many buckets whatever the configuration says.
N_BUCKETS = 32
# Pieces farther apart than this share the buckets of the farthest.
FARTHEST = 128
LOWEST = torch.finfo(torch.float32).min


class LayerStates(NamedTuple):
    """What transformers expects of an encoder's layers."""

    last_hidden_state: torch.Tensor
    hidden_states: None = None
    attentions: None = None


class RelativeEncoder(nn.Module):
    """Runs MPNet's layers; takes the place of the `encoder` of transformers' `MPNetModel`.

    encoder (nn.Module): That encoder; its layers and biases are taken over.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        # Typed loosely: a pre-trained model has methods that nn.Module does not know of.
        source: Any = encoder
        self.layer = source.layer
        self.relative_attention_bias = source.relative_attention_bias
        distances = torch.arange(-FARTHEST, FARTHEST + 1)
        buckets = source.relative_position_bucket(distances, num_buckets=N_BUCKETS)
        self.buckets: torch.Tensor
        self.register_buffer("buckets", buckets, persistent=False)
        # The settings of `torch.utils.checkpoint`; None keeps the inner states of layers.
        self.checkpointing: Optional[Dict[str, Any]] = None

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: Optional[torch.Tensor] = None,
        **unused: Any,
    ) -> LayerStates:
        """Encode embeddings.

        hidden_states (torch.Tensor): Shape (windows, length, width).
        attention_mask (Optional[torch.Tensor]): What is added to the scores of pairs of pieces, or
            bool, False for padding; shape (windows, 1, 1 or length, length).
        """
        bias = self.make_bias(hidden_states.shape[1])
        if attention_mask is not None:
            bias = add_mask(bias, attention_mask)
        for layer in self.layer:
            if self.checkpointing is None or not torch.is_grad_enabled():
                hidden_states = run_layer(layer, hidden_states, bias)
            else:
                run = partial(run_layer, layer)
                hidden_states = checkpoint(run, hidden_states, bias, **self.checkpointing)
        return LayerStates(hidden_states)

    def make_bias(self, length: int) -> torch.Tensor:
        """Return the bias of all pairs of pieces, shape (1, heads, length, length)."""
        positions = torch.arange(length, device=self.buckets.device)
        distances = (positions[None] - positions[:, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        return self.relative_attention_bias(self.buckets[distances]).permute(2, 0, 1)[None]


def add_mask(bias: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Add a mask of padding, float or bool, to the bias of attention."""
    if mask.dtype == torch.bool:
        return bias.masked_fill(~mask, LOWEST)
    # Greater than the lowest number together: what is less than that is infinite.
    return (bias + mask).clamp_min(LOWEST)


def run_layer(layer: Any, states: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Run one of MPNet's layers.

    layer (Any): transformers' `MPNetLayer`.
    states (torch.Tensor): Shape (windows, length, width).
    bias (torch.Tensor): See `RelativeEncoder.make_bias`; the first axis may be the windows.
    """
    attention = layer.attention
    attended = attention.attn.o(_attend(attention.attn, states, bias))
    states = attention.LayerNorm(attention.dropout(attended) + states)
    return layer.output(layer.intermediate(states), states)


def _attend(attention: Any, states: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    def project(layer: nn.Module) -> torch.Tensor:
        split = layer(states).unflatten(-1, (attention.num_attention_heads, -1))
        return split.transpose(1, 2)

    q, k, v = project(attention.q), project(attention.k), project(attention.v)
    dropout = attention.dropout.p if attention.training else 0.0
    mixed = scaled_dot_product_attention(
        q, k, v, attn_mask=bias.to(q.dtype), dropout_p=float(dropout)
    )
    return mixed.transpose(1, 2).flatten(2)
