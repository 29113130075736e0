"""Masked language modeling on top of a transformer (Devlin et al. 2019, section 3.1)."""

from functools import partial
from typing import Any, Callable, Dict

import torch
from torch import nn

ACTIVATIONS: Dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "gelu_new": partial(nn.GELU, approximate="tanh"),
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
}


class LMHead(nn.Module):
    """Dense layer, activation and normalization in front of the tied output matrix.

    width (int): Size of a piece's state.
    embedding_width (int): Size of a row of the input embeddings.
    n_pieces (int): Rows of the input embeddings.
    activation (str): One of `ACTIVATIONS`; GELU for any other.
    epsilon (float): Of the normalization.
    """

    def __init__(
        self,
        width: int,
        embedding_width: int,
        n_pieces: int,
        *,
        activation: str = "gelu",
        epsilon: float = 1e-12,
    ) -> None:
        super().__init__()
        self.dense = nn.Linear(width, embedding_width)
        self.activation = ACTIVATIONS.get(activation, nn.GELU)()
        self.norm = nn.LayerNorm(embedding_width, eps=epsilon)
        self.bias = nn.Parameter(torch.zeros(n_pieces))
        nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)

    def forward(self, states: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """Return scores, shape (positions, pieces), for states of shape (positions, width).

        embeddings (torch.Tensor): The input embeddings, shape (pieces, embedding_width).
        """
        hidden = self.norm(self.activation(self.dense(states)))
        return nn.functional.linear(hidden, embeddings, self.bias)


class MaskedLM(nn.Module):
    """A transformer that guesses masked pieces; the output matrix is that of the input embeddings.

    transformer (nn.Module): Takes `input_ids` and `attention_mask`, gives `last_hidden_state`.
    precision (torch.dtype): The dtype of matrix products; the loss is always float32.
    """

    def __init__(self, transformer: nn.Module, *, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        # Typed loosely: a pre-trained model has methods that nn.Module does not know of.
        body: Any = transformer
        self.transformer: Any = transformer
        config: Any = body.config
        n_pieces, embedding_width = body.get_input_embeddings().weight.shape
        self.head = LMHead(
            int(config.hidden_size),
            embedding_width,
            n_pieces,
            activation=getattr(config, "hidden_act", getattr(config, "activation", "gelu")),
            epsilon=float(getattr(config, "layer_norm_eps", 1e-12)),
        )
        self.precision = precision

    def forward(
        self, ids: torch.Tensor, positions: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        """Sum the cross-entropy over the masked positions, and over nothing else.

        ids (torch.Tensor): Piece ids, some of them masked; int64, shape (sequences, length). There
            is no padding: packed sequences are of one length.
        positions (torch.Tensor): Positions in the flattened `ids`; int64, shape (masked,).
        targets (torch.Tensor): The pieces that stood there; int64, shape (masked,).
        RETURNS (torch.Tensor): The sum; float32, a scalar.
        """
        reduced = self.precision != torch.float32
        with torch.autocast(ids.device.type, dtype=self.precision, enabled=reduced):
            output = self.transformer(input_ids=ids, attention_mask=torch.ones_like(ids))
            # Scores of all positions would take vocabulary × pieces floats, most for nothing.
            states = output.last_hidden_state.flatten(0, 1)[positions]
            scores = self.head(states, self.transformer.get_input_embeddings().weight)
        return nn.functional.cross_entropy(scores.float(), targets, reduction="sum")


# Where model families keep their head: our name → theirs.
_BERT = {
    "dense.weight": "cls.predictions.transform.dense.weight",
    "dense.bias": "cls.predictions.transform.dense.bias",
    "norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "bias": "cls.predictions.bias",
}
_ROBERTA = {
    "dense.weight": "lm_head.dense.weight",
    "dense.bias": "lm_head.dense.bias",
    "norm.weight": "lm_head.layer_norm.weight",
    "norm.bias": "lm_head.layer_norm.bias",
    "bias": "lm_head.bias",
}
_DISTILBERT = {
    "dense.weight": "vocab_transform.weight",
    "dense.bias": "vocab_transform.bias",
    "norm.weight": "vocab_layer_norm.weight",
    "norm.bias": "vocab_layer_norm.bias",
    "bias": "vocab_projector.bias",
}
_NAMES = {
    **dict.fromkeys(("roberta", "xlm-roberta", "camembert", "mpnet"), _ROBERTA),
    "distilbert": _DISTILBERT,
}


def head_names(model_type: str) -> Dict[str, str]:
    """Say how checkpoints of a family call the head's tensors; unknown families as BERT does."""
    return _NAMES.get(model_type, _BERT)


def load_head(head: LMHead, weights: Dict[str, torch.Tensor], model_type: str) -> bool:
    """Take the head's weights out of a checkpoint's.

    weights (Dict[str, torch.Tensor]): Of the whole checkpoint, by the family's names.
    RETURNS (bool): Whether all were there, in the right shapes; if not, the head stays as it is.
    """
    # Checkpoints converted from TensorFlow call scale and shift of normalization so.
    modern = {
        name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
            "LayerNorm.beta", "LayerNorm.bias"
        ): tensor
        for name, tensor in weights.items()
    }
    state = head.state_dict()
    found = {
        ours: modern[theirs]
        for ours, theirs in head_names(model_type).items()
        if theirs in modern and modern[theirs].shape == state[ours].shape
    }
    if len(found) < len(state):
        return False
    head.load_state_dict(found)
    return True
