"""`spacy_bioner.TransformerEncoder.v1`: any BERT-family checkpoint as token states for spaCy."""

import re
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import get_torch_default_device, xp2torch

from spacy_bioner.architectures import _transformers as _transformers
from spacy_bioner.architectures._torch import torch
from spacy_bioner.architectures.encoder_source import build_transformer, load_encoder, special_ids
from spacy_bioner.architectures.loss_scaling import LossScaler
from spacy_bioner.architectures.pieces.alignment import GPU_STRETCH, STRETCH
from spacy_bioner.architectures.pieces.batches import make_batches
from spacy_bioner.architectures.pieces.reader import PieceReader
from spacy_bioner.architectures.pieces.windows import (
    WindowLayout,
    check_choice,
    check_layout,
    lay_out,
)
from spacy_bioner.architectures.precision import PRECISIONS, check_trainable, choose_precision
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim, split_rows
from spacy_bioner.errors import EncoderError
from spacy_bioner.layers.dataset_vectors import pool_encoder
from spacy_bioner.layers.fast_linear import round_up_rows
from spacy_bioner.layers.pooled_encoder import PieceBatch, PooledEncoder

LAYER = re.compile(r"\.layers?\.(\d+)\.")
# ALBERT's layers share their weights by groups.
SHARED = re.compile(r"\.albert_layer_groups\.(\d+)\.")
# The learning rate of vectors that start from nothing, as a multiple of the optimizer's.
DATASET_RATE = 10.0
# A normalization behind the topmost layer: ModernBERT's, ESM's.
ABOVE = re.compile(r"\.(final_norm|emb_layer_norm_after)\.")


def build_transformer_encoder(
    name: str,
    unit: str = "sentence",
    pooling: str = "mean",
    precision: str = "auto",
    window: int = 512,
    overlap: int = 128,
    batch_pieces: int = 1024,
    cased: Optional[bool] = None,
    layer_decay: float = 1.0,
    checkpointing: bool = False,
    truncate: bool = False,
    datasets: Optional[List[str]] = None,
    dataset: str = "",
) -> Model[List[Doc], List[Floats2d]]:
    """Build an encoder with one row of `nO` float32 values per token.

    Nothing is truncated, unless `truncate` says so.

    name (str): A hub name, a folder, or "package:NAME" for weights in an installed package. It
        is read on `initialize` only: a saved pipeline carries its weights.
    unit (str): What goes through the model together: "sentence"; "neighbours", a sentence with
        those before and behind it, or what fits of them, as context; or "document".
    pooling (str): The sub-word strategy. A token's state is the "mean" of its pieces' states, or
        the "first" one's. "x" and "parent" predict as "first" does, but in training each further
        piece has a row of its own too: it is taught a tag X, or its token's tag.
    precision (str): "float32", "bfloat16", "float16" (trained with loss scaling), or "auto":
        bfloat16 where the processor or the GPU computes it in hardware, else float32.
    window (int): The most pieces of one input, special tokens included; the model's own limit
        holds where it is lower.
    overlap (int): How many pieces consecutive windows of a longer unit share.
    batch_pieces (int): The most padded pieces that go through the model at once; about 1,000
        serve the caches of a CPU best, a GPU wants many more.
    cased (Optional[bool]): Whether to keep case; None follows the checkpoint.
    layer_decay (float): The learning rate of each layer, as a share of that of the layer above it
        (Howard and Ruder, 2018); embeddings count as the lowest layer.
    checkpointing (bool): Compute a layer's inner states anew in the backward pass instead of
        keeping them: less memory, more time.
    truncate (bool): A unit of more than `window` pieces loses those tokens that do not fit, where
        otherwise it would get several windows. They are counted, taught nothing and outside of
        all entities.
    datasets (Optional[List[str]]): The corpora that `spacy_bioner.MultiCorpus.v1` reads: each has
        a vector that is added to the embeddings of its texts' pieces.
    dataset (str): Which of them texts count as that name none; "" takes the mean of the vectors.
    RAISES (EncoderError): For settings that name no known choice; on `initialize` for weights that
        cannot be loaded.
    """
    check_layout(unit, pooling, window, overlap, truncate=truncate)
    check_choice("precision", precision, ("auto", *PRECISIONS))
    if not 0 < layer_decay <= 1:
        raise EncoderError(f"encoder setting layer_decay = {layer_decay}: expected 0 < value ≤ 1")
    settings = {
        "name": name,
        "unit": unit,
        "pooling": pooling,
        "window": window,
        "overlap": overlap,
        "batch_pieces": batch_pieces,
        "cased": cased,
        "checkpointing": checkpointing,
        "truncate": truncate,
        "datasets": datasets,
        "dataset": dataset,
    }
    shim = EncoderShim(precision=precision, layer_decay=layer_decay)
    model: Model = Model(
        "transformer_encoder", forward, init=init, dims={"nO": None}, attrs=settings, shims=[shim]
    )
    shim.follow(model.attrs)
    model.attrs["every_piece"] = False
    return model


class EncoderShim(PieceReader, TorchShim):
    """The torch side of the encoder, with the tokenizer that belongs to the weights."""

    def __init__(self, *, precision: str, layer_decay: float = 1.0) -> None:
        super().__init__(self._build, lr_scale=self._layer_rate)
        self.precision = precision
        self.layer_decay = layer_decay

    @property
    def stretch(self) -> float:
        """How many times as long as the shortest the longest window of a batch may be."""
        return GPU_STRETCH if self.device.type == "cuda" else STRETCH

    def from_bytes(self, data: bytes) -> "EncoderShim":
        """Load description and weights; the settings of the config win over saved ones."""
        super().from_bytes(data)
        self.keep_settings()
        return self

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module and choose the precision anew."""
        super().to_device(device_type, device_id)
        if self.is_ready:
            self._choose_precision()

    def set_module(self, spec: Spec, module: torch.nn.Module) -> None:
        """Take over module, description and the tokenizer that the description holds."""
        super().set_module(spec, module)
        self.set_tokenizer(spec["tokenizer"])
        self._choose_precision()

    def set_precision(self, precision: str) -> None:
        """Compute in another precision from now on; see `build_transformer_encoder`."""
        self.precision = precision
        self._choose_precision()

    def _choose_precision(self) -> None:
        self._model.precision = choose_precision(self.precision, self.device)
        self.scaler = LossScaler() if self._model.precision == torch.float16 else None

    def _layer_rate(self, name: str) -> float:
        """Scale the learning rate of a parameter by its distance from the topmost layer."""
        if name.startswith("datasets."):
            return DATASET_RATE
        # Not from the plain description, where DistilBERT and others have names of their own.
        config = cast(PooledEncoder, self.module).transformer.config
        n_layers = below = int(config.num_hidden_layers)
        if found := LAYER.search(name):
            below = n_layers - 1 - int(found.group(1))
        elif found := SHARED.search(name):
            # The rate of the topmost layer that has these weights.
            below = n_layers - (int(found.group(1)) + 1) * n_layers // config.num_hidden_groups
        elif ABOVE.search(name):
            below = 0
        return self.layer_decay**below

    def _build(self, spec: Spec) -> torch.nn.Module:
        return pool_encoder(
            build_transformer(spec["config"], drawn=False), spec.get("datasets", ())
        )


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Load the pre-trained weights, unless the model has weights already."""
    shim = cast(EncoderShim, model.shims[0])
    if shim.is_ready:
        return
    check_trainable(shim.precision, get_torch_default_device())
    files = load_encoder(model.attrs["name"], cased=model.attrs["cased"])
    before, after = special_ids(files.tokenizer)
    spec: Dict[str, Any] = {
        "config": files.config,
        "tokenizer": files.tokenizer.to_str(),
        "max_length": files.max_length,
        "before": before,
        "after": after,
    }
    if model.attrs["datasets"]:
        spec["datasets"] = list(model.attrs["datasets"])
    shim.set_module(spec, pool_encoder(files.module, spec.get("datasets", ())))
    model.set_dim("nO", cast(PooledEncoder, shim.module).width)


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Encode Docs; see `build_transformer_encoder`.

    With the attribute `every_piece` and a pooling that tags each piece, rows of continuation
    pieces follow those of a Doc's tokens.
    """
    shim = cast(EncoderShim, model.shims[0])
    module = cast(PooledEncoder, shim.module)
    layout = lay_out(model, docs, every_piece=model.attrs["every_piece"])
    shim.count_unseen(layout)
    if _may_pad(module, shim.device) and not is_train:
        layout.round_up = round_up_rows
    if is_train and module.learns_together and shim.device.type == "cpu":
        # Small batches cost nothing then, and padding does.
        layout.stretch = 1.0
    batches, weights = _make_batches(model, layout)
    module.train(is_train)
    if is_train:
        module.set_checkpointing(model.attrs["checkpointing"])
    with torch.set_grad_enabled(is_train):
        states = module(batches, weights)
    lengths = [len(rows) for rows in layout.rows]
    output = split_rows(states, lengths)

    def backprop(d_output: List[Floats2d]) -> List[Doc]:
        if not states.requires_grad:
            # Texts without any piece, of white space only: there is nothing to learn from.
            return docs
        d_states = model.ops.xp.concatenate(d_output, axis=0)
        gradient = xp2torch(d_states, device=states.device)
        if shim.scaler is not None:
            gradient = gradient * shim.scaler.scale
        torch.autograd.backward(states, grad_tensors=gradient)
        return docs

    return output, backprop


def _may_pad(module: PooledEncoder, device: torch.device) -> bool:
    """Tell whether batches of inference may be padded to few sizes; a tap has a perturbation for
    each piece."""
    return device.type == "cpu" and module.tap is None and module.ignores_padding


def prepare_batches(model: Model, docs: List[Doc]) -> Tuple[List[PieceBatch], torch.Tensor]:
    """Tokenize Docs and lay their windows out in padded batches, with one row per token.

    RETURNS (Tuple[List[PieceBatch], torch.Tensor]): The batches, and one over the number of
        pieces per token, shape (tokens, 1), on the model's device.
    """
    return _make_batches(model, lay_out(model, docs))


def _make_batches(model: Model, layout: WindowLayout) -> Tuple[List[PieceBatch], torch.Tensor]:
    shim = cast(EncoderShim, model.shims[0])
    pad_id = int(shim.spec["config"].get("pad_token_id") or 0)
    batches, weights = make_batches(layout, budget=model.attrs["batch_pieces"], pad_id=pad_id)
    moved = [
        PieceBatch(*(_move(array, shim.device) for array in vars(own).values())) for own in batches
    ]
    return moved, torch.from_numpy(weights).to(shim.device)


def _move(array: Optional[np.ndarray], device: torch.device) -> Any:
    return None if array is None else torch.from_numpy(array).to(device)
