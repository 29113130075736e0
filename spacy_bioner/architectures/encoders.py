"""`spacy_bioner.TransformerEncoder.v1`: any BERT-family checkpoint as token states for spaCy."""

import logging
import re
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import get_torch_default_device, xp2torch

from spacy_bioner.architectures._torch import torch
from spacy_bioner.architectures._transformers import Tokenizer
from spacy_bioner.architectures.encoder_source import build_transformer, load_encoder, special_ids
from spacy_bioner.architectures.loss_scaling import LossScaler, gains_a_digit
from spacy_bioner.architectures.pieces.control_pieces import read_as_text
from spacy_bioner.architectures.pieces.windows import POOLING, UNITS, WindowLayout, lay_out
from spacy_bioner.architectures.precision import PRECISIONS, check_trainable, choose_precision
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim, split_rows
from spacy_bioner.errors import EncoderError
from spacy_bioner.layers.dataset_vectors import pool_encoder
from spacy_bioner.layers.fast_linear import round_up_rows
from spacy_bioner.layers.pooled_encoder import PieceBatch, PooledEncoder

logger = logging.getLogger(__name__)
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
    _check_choice("unit", unit, UNITS)
    _check_choice("pooling", pooling, POOLING)
    _check_choice("precision", precision, ("auto", *PRECISIONS))
    if not truncate and not 0 <= overlap < window - 2:
        raise EncoderError(
            f"encoder setting overlap = {overlap}: expected 0 ≤ overlap < window - 2"
        )
    if window < 3:
        raise EncoderError(f"encoder setting window = {window}: expected 3 or more")
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


class EncoderShim(TorchShim):
    """The torch side of the encoder, with the tokenizer that belongs to the weights."""

    def __init__(self, *, precision: str, layer_decay: float = 1.0) -> None:
        super().__init__(self._build, lr_scale=self._layer_rate)
        self.precision = precision
        self.layer_decay = layer_decay
        # Set together with the module, from the same description.
        self.tokenizer: Any = None
        # Cuts texts; `tokenizer` knows the control pieces.
        self.reader: Any = None
        # Tokens that `truncate` has left out, over all passes.
        self.n_unseen = 0
        self._attrs: Dict[str, Any] = {}
        self._settings: Dict[str, Any] = {}

    def follow(self, attrs: Dict[str, Any]) -> None:
        """Remember the config's settings: loading overwrites a thinc model's attributes by what
        was saved, so `spacy.load(…, config=…)` would change nothing."""
        self._attrs, self._settings = attrs, dict(attrs)

    def from_bytes(self, data: bytes) -> "EncoderShim":
        """Load description and weights; the settings of the config win over saved ones."""
        super().from_bytes(data)
        self._attrs.update(self._settings)
        return self

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the module and choose the precision anew."""
        super().to_device(device_type, device_id)
        if self.is_ready:
            self._choose_precision()

    def set_module(self, spec: Spec, module: torch.nn.Module) -> None:
        """Take over module, description and the tokenizer that the description holds."""
        super().set_module(spec, module)
        self.tokenizer = Tokenizer.from_str(spec["tokenizer"])
        self.reader = read_as_text(self.tokenizer)
        self._choose_precision()

    def count_unseen(self, layout: WindowLayout) -> None:
        """Add up the tokens that were cut off; says so at the first and at each power of ten."""
        found = sum(int(rows.unseen.sum()) for rows in layout.rows)
        before, self.n_unseen = self.n_unseen, self.n_unseen + found
        if gains_a_digit(before, self.n_unseen):
            logger.warning(
                "encoder setting truncate: %d tokens so far, over all passes, lie behind the first "
                "%d pieces of their unit (window = %d) and are not seen; %d of %d in this batch",
                self.n_unseen,
                layout.capacity,
                self._attrs["window"],
                found,
                sum(rows.n_tokens for rows in layout.rows),
            )

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
        return pool_encoder(build_transformer(spec["config"]), spec.get("datasets", ()))


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
    """Lay all windows out as padded rectangles, the shortest first."""
    shim = cast(EncoderShim, model.shims[0])
    lengths, groups = layout.lengths, layout.group(model.attrs["batch_pieces"])
    targets = np.concatenate([np.zeros(0, np.int64), *layout.targets])
    counts = np.bincount(targets, minlength=layout.n_rows)
    weights = np.where(counts > 0, 1.0 / np.maximum(counts, 1), 0.0).astype(np.float32)
    pad_id = int(shim.spec["config"].get("pad_token_id") or 0)
    batches = [_fill_batch(layout, group, lengths, pad_id, shim.device) for group in groups]
    return batches, torch.from_numpy(weights[:, None]).to(shim.device)


def _fill_batch(
    layout: WindowLayout, group: np.ndarray, lengths: List[int], pad_id: int, device: torch.device
) -> PieceBatch:
    width = layout.pad_width(len(group), max(lengths[index] for index in group))
    ids = np.full((len(group), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(group), width), dtype=np.int64)
    for row, index in enumerate(group):
        window = layout.windows[index]
        inner = layout.pieces[window.doc_index].ids[window.start : window.end]
        ids[row, : lengths[index]] = np.concatenate([layout.before, inner, layout.after])
        mask[row, : lengths[index]] = 1
    source = np.concatenate([layout.sources[i] + row * width for row, i in enumerate(group)])
    target = np.concatenate([layout.targets[index] for index in group])
    arrays = [ids, mask, source, target]
    if layout.datasets is not None:
        arrays.append(layout.datasets[[layout.windows[index].doc_index for index in group]])
    return PieceBatch(*(torch.from_numpy(array.astype(np.int64)).to(device) for array in arrays))


def _check_choice(setting: str, value: str, choices: Tuple[str, ...]) -> None:
    if value not in choices:
        raise EncoderError(
            f"encoder setting {setting} = '{value}': expected one of {', '.join(choices)}"
        )
