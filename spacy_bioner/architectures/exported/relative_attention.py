"""MPNet's layers for an export: onnxruntime's node for attention takes their bias as it is, where
its optimizer knows no attention with a bias and would leave a dozen nodes."""

from typing import Any

from spacy_bioner.architectures._torch import nn, torch
from spacy_bioner.layers.relative_encoder import RelativeEncoder, add_mask

NODE = "com.microsoft::MultiHeadAttention"


class ExportedLayers(nn.Module):
    """The layers of a `RelativeEncoder`, whose attention is one node of the graph.

    encoder (RelativeEncoder): Its weights are shared.
    """

    def __init__(self, encoder: RelativeEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        for number, layer in enumerate(encoder.layer):
            parts = layer.attention.attn
            own = torch.cat([part.bias.detach() for part in (parts.q, parts.k, parts.v)])
            self.register_buffer(f"bias_{number}", own, persistent=False)

    def forward(self, states: Any, mask: Any) -> Any:
        """Encode embeddings, shape (windows, length, width).

        mask (Any): 1 for pieces, 0 for padding; int64, shape (windows, length).
        """
        bias, kept = self.encoder.make_bias(states.shape[1]), mask.to(torch.int32)
        for number, layer in enumerate(self.encoder.layer):
            attention, parts = layer.attention, layer.attention.attn
            products = [states @ part.weight.T for part in (parts.q, parts.k, parts.v)]
            own, heads = getattr(self, f"bias_{number}"), parts.num_attention_heads
            mixed = _Attention.apply(*products, own, kept, bias, heads)
            states = attention.LayerNorm(parts.o(mixed) + states)
            states = layer.output(layer.intermediate(states), states)
        return states


class _Attention(torch.autograd.Function):
    """Attention as onnxruntime's node computes it: `symbolic` writes the node."""

    @staticmethod
    def forward(
        ctx: Any, q: Any, k: Any, v: Any, own: Any, mask: Any, bias: Any, heads: int
    ) -> Any:
        q, k, v = (
            (states + part).unflatten(-1, (heads, -1)).transpose(1, 2)
            for states, part in zip((q, k, v), own.chunk(3))
        )
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        masked = add_mask(scores + bias, mask.bool()[:, None, None])
        return (masked.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(
        graph: Any, q: Any, k: Any, v: Any, own: Any, mask: Any, bias: Any, heads: int
    ) -> Any:
        node = graph.op(NODE, q, k, v, own, mask, bias, num_heads_i=heads)
        node.setType(q.type())
        return node
