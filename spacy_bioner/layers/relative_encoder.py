"""The layers of MPNet: attention that adds a learned bias for how far two pieces are apart.

Bias and mask of padding are added up once for all layers, and attention is one of torch's kernels;
the checkpoint's own modules hold the weights, under their own names.
"""

from functools import partial
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

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
        (states,) = self.run_together([hidden_states], [attention_mask])
        return LayerStates(states)

    def run_together(
        self, parts: Sequence[torch.Tensor], masks: Sequence[Optional[torch.Tensor]]
    ) -> List[torch.Tensor]:
        """Encode several batches at once.

        Each takes part in attention alone, and all other products have the rows of all: few rows
        take a processor as long as reading the weights does.

        parts, masks: See `forward`; lengths may differ.
        RETURNS (List[torch.Tensor]): As `parts`.
        """
        shapes = [part.shape[:2] for part in parts]
        biases = [add_mask(self.make_bias(shape[1]), mask) for shape, mask in zip(shapes, masks)]
        rows = torch.cat([part.flatten(0, 1) for part in parts])
        for layer in self.layer:
            run = partial(run_layer, layer, shapes=shapes, biases=biases)
            if self.checkpointing is None or not torch.is_grad_enabled():
                rows = run(rows)
            else:
                rows = checkpoint(run, rows, **self.checkpointing)
        return _cut(rows, shapes)

    def make_bias(self, length: int) -> torch.Tensor:
        """Return the bias of all pairs of pieces, shape (1, heads, length, length)."""
        positions = torch.arange(length, device=self.buckets.device)
        distances = (positions[None] - positions[:, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        return self.relative_attention_bias(self.buckets[distances]).permute(2, 0, 1)[None]


def add_mask(bias: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
    """Add a mask of padding, float or bool, to the bias of attention."""
    if mask is None:
        return bias
    if mask.dtype == torch.bool:
        return bias.masked_fill(~mask, LOWEST)
    # Greater than the lowest number together: what is less than that is infinite.
    return (bias + mask).clamp_min(LOWEST)


def run_layer(
    layer: Any,
    rows: torch.Tensor,
    *,
    shapes: Sequence[torch.Size],
    biases: Sequence[torch.Tensor],
) -> torch.Tensor:
    """Run one of MPNet's layers on the pieces of several batches.

    layer (Any): transformers' `MPNetLayer`.
    rows (torch.Tensor): Shape (pieces, width).
    shapes (Sequence[torch.Size]): Windows and length of each batch, in the order of the rows.
    biases (Sequence[torch.Tensor]): What is added to the scores of pairs of pieces of each, shape
        (1 or windows, heads, length, length).
    """
    attention, attend = layer.attention, layer.attention.attn
    projected = (_cut(part(rows), shapes) for part in (attend.q, attend.k, attend.v))
    mixed = [_mix(attend, heads, bias).flatten(0, 1) for *heads, bias in zip(*projected, biases)]
    attended = attention.dropout(attend.o(torch.cat(mixed)))
    rows = attention.LayerNorm(attended + rows)
    return layer.output(layer.intermediate(rows), rows)


def _cut(rows: torch.Tensor, shapes: Sequence[torch.Size]) -> List[torch.Tensor]:
    parts = rows.split([shape.numel() for shape in shapes])
    return [part.unflatten(0, shape) for part, shape in zip(parts, shapes)]


def _mix(attend: Any, projected: Sequence[torch.Tensor], bias: torch.Tensor) -> torch.Tensor:
    q, k, v = (
        part.unflatten(-1, (attend.num_attention_heads, -1)).transpose(1, 2) for part in projected
    )
    dropout = float(attend.dropout.p) if attend.training else 0.0
    mixed = scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), dropout_p=dropout)
    return mixed.transpose(1, 2).flatten(2)
