"""A pre-trained transformer whose piece states are pooled to token states."""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, ContextManager, Dict, Iterable, Iterator, List, Optional, Tuple, cast

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from spacy_bioner.errors import EncoderError
from spacy_bioner.layers.adversary import EmbeddingTap
from spacy_bioner.layers.fast_linear import can_pack, with_fast_linears
from spacy_bioner.layers.out_of_memory import run_in_halves
from spacy_bioner.layers.relative_encoder import RelativeEncoder

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
ACTIVATION = "is_activation_checkpointing"
# Not cuDNN's: it makes a plan for each new shape of a batch, which takes longer than a step.
CUDA_ATTENTION = [
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]


def attention_kernels(device: torch.device) -> ContextManager[Any]:
    """Choose among torch's kernels of attention within the block; a CPU's stay as they are."""
    return sdpa_kernel(CUDA_ATTENTION) if device.type == "cuda" else nullcontext()


def _recompute_alike() -> Tuple[ContextManager[Any], ContextManager[Any]]:
    # The second pass of checkpointing runs outside of the block of the first one.
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return nullcontext(), attention_kernels(device)


CHECKPOINTING: Dict[str, Any] = {"use_reentrant": False, "context_fn": _recompute_alike}


@dataclass(frozen=True)
class PieceBatch:
    """Windows of like length, padded to a rectangle, and where their states go.

    ids (torch.Tensor): Piece ids with special tokens; int64, shape (windows, length).
    mask (torch.Tensor): 1 for pieces, 0 for padding; int64, shape (windows, length).
    source (torch.Tensor): Positions in the flattened rectangle; int64, shape (pairs,).
    target (torch.Tensor): The token row that each of them is added to; int64, shape (pairs,).
    datasets (Optional[torch.Tensor]): The corpora by whose rules windows are read; int64, shape
        (windows,).
    """

    ids: torch.Tensor
    mask: torch.Tensor
    source: torch.Tensor
    target: torch.Tensor
    datasets: Optional[torch.Tensor] = None


class PooledEncoder(nn.Module):
    """Runs batches of windows through a transformer and averages piece states into token states.

    transformer (nn.Module): Takes `input_ids` and `attention_mask`, gives `last_hidden_state`.
    precision (torch.dtype): The dtype of matrix products; the result is always float32.
    ignores_padding (bool): States of pieces are the same whatever padding stands behind them.
    datasets (Optional[nn.Module]): Turns the corpora of windows, int64, shape (windows,), into
        vectors that are added to the embeddings of their pieces, shape (windows, width).
    """

    def __init__(
        self,
        transformer: nn.Module,
        *,
        precision: torch.dtype = torch.float32,
        datasets: Optional[nn.Module] = None,
    ) -> None:
        super().__init__()
        # Typed loosely: a pre-trained model has methods that nn.Module does not know of.
        self.transformer: Any = transformer
        self.width = int(transformer.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.precision = precision
        self.ignores_padding = _ignores_padding(self.transformer)
        self.datasets = datasets
        self.tap: Optional[EmbeddingTap] = None
        # No submodule: its weights are not to be saved, trained or listed.
        self.__dict__["_fast"] = None

    def train(self, mode: bool = True) -> "PooledEncoder":
        """Switch between training and inference; training makes the packed weights stale."""
        if mode:
            self.__dict__["_fast"] = None
        return super().train(mode and (self.tap is None or self.tap.dropout))

    def _apply(self, *args: Any, **kwargs: Any) -> "PooledEncoder":
        # What every move to another device or dtype goes through: the packed weights stay behind.
        self.__dict__["_fast"] = None
        return super()._apply(*args, **kwargs)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_fast": None, "tap": None}

    def forward(self, batches: List[PieceBatch], weights: torch.Tensor) -> torch.Tensor:
        """Encode all batches.

        batches (List[PieceBatch]): Together they hold every token's pieces.
        weights (torch.Tensor): One over the number of pieces of each token; float32, shape
            (tokens, 1); 0 for a token without pieces, whose state is then all zero.
        RETURNS (torch.Tensor): Token states; float32, shape (tokens, width).
        """
        states = torch.zeros((weights.shape[0], self.width), device=weights.device)
        reduced = self.precision != torch.float32
        # One autocast region for all batches: the weights are cast once, not once a batch.
        transformer = self._choose_transformer(weights.device)

        def run(embedded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return transformer(inputs_embeds=embedded, attention_mask=mask).last_hidden_state

        # What learns is halved with its loss: see `components.memory_fallback`.
        encode = run if torch.is_grad_enabled() else partial(run_in_halves, run)
        casting = torch.autocast(weights.device.type, dtype=self.precision, enabled=reduced)
        with casting, attention_kernels(weights.device):
            parts = self._embed(batches)
            if self.datasets is not None:
                parts = self._add_datasets(parts, batches)
            if self.tap is not None:
                parts = self.tap.perturb(list(parts), [batch.mask for batch in batches])
            if torch.is_grad_enabled() and self.learns_together:
                found: Iterable[torch.Tensor] = self._run_together(self._layers, batches, parts)
            else:
                found = (encode(own, batch.mask) for batch, own in zip(batches, parts))
            for batch, encoded in zip(batches, found):
                hidden = encoded.flatten(0, 1)[batch.source]
                # In place: a copy a batch would make a long document's time quadratic.
                states.index_add_(0, batch.target, hidden.float())
        return states * weights

    def set_checkpointing(self, wanted: bool) -> None:
        """Trade time for memory in training, or not; nothing changes where it is so already.

        RAISES (EncoderError): For a family that cannot compute its states anew.
        """
        if self.learns_together:
            self._layers.checkpointing = CHECKPOINTING if wanted else None
            return
        # Newer transformers call it activation checkpointing.
        word = "activation" if hasattr(type(self.transformer), ACTIVATION) else "gradient"
        if wanted == bool(getattr(self.transformer, f"is_{word}_checkpointing", False)):
            return
        if wanted and not getattr(self.transformer, "supports_gradient_checkpointing", True):
            raise EncoderError(
                "encoder setting checkpointing = true: found an encoder of the family "
                f"'{self.transformer.config.model_type}', which cannot compute its states anew; "
                "set checkpointing = false"
            )
        if wanted:
            settings = {f"{word}_checkpointing_kwargs": CHECKPOINTING}
            getattr(self.transformer, f"{word}_checkpointing_enable")(**settings)
        else:
            getattr(self.transformer, f"{word}_checkpointing_disable")()

    @property
    def learns_together(self) -> bool:
        """Whether the batches of a step go through most of the layers together."""
        return isinstance(self._layers, RelativeEncoder)

    @property
    def _layers(self) -> Any:
        return getattr(self.transformer, "encoder", None)

    def _run_together(
        self, layers: RelativeEncoder, batches: List[PieceBatch], parts: Iterable[torch.Tensor]
    ) -> List[torch.Tensor]:
        embedded = [self.transformer.embeddings(inputs_embeds=part) for part in parts]
        if not embedded:
            return []
        masks = [batch.mask.bool()[:, None, None] for batch in batches]
        return layers.run_together(embedded, masks)

    def _choose_transformer(self, device: torch.device) -> nn.Module:
        if self.training or torch.is_grad_enabled() or device.type != "cpu":
            return self.transformer
        if self.__dict__["_fast"] is None:
            self.__dict__["_fast"] = self._make_fast(device)
        return self.__dict__["_fast"]

    def _make_fast(self, device: torch.device) -> nn.Module:
        if not can_pack(self.transformer, device, self.precision):
            return self.transformer
        return with_fast_linears(self.transformer, self.precision)

    def _add_datasets(
        self, parts: Iterable[torch.Tensor], batches: List[PieceBatch]
    ) -> Iterator[torch.Tensor]:
        # One by one: without gradients, only one batch is embedded at a time.
        datasets = cast(nn.Module, self.datasets)
        for rows, batch in zip(parts, batches):
            yield rows + datasets(batch.datasets)[:, None]

    def _embed(self, batches: List[PieceBatch]) -> Iterable[torch.Tensor]:
        embed = self.transformer.get_input_embeddings()
        if not batches or not torch.is_grad_enabled():
            return (embed(batch.ids) for batch in batches)
        # All at once: each look-up of its own would cost a gradient of the vocabulary's size.
        flat = embed(torch.cat([batch.ids.flatten() for batch in batches]))
        parts = flat.split([batch.ids.numel() for batch in batches])
        return [part.view(*batch.ids.shape, -1) for part, batch in zip(parts, batches)]


def _ignores_padding(transformer: nn.Module) -> bool:
    """Attention is masked; convolutions (ConvBERT) and neighbours' embeddings (MobileBERT) not."""
    convolves = any(isinstance(part, _CONVOLUTIONS) for part in transformer.modules())
    return not convolves and not getattr(transformer.config, "trigram_input", False)
