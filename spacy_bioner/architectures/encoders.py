"""`spacy_bioner.TransformerEncoder.v1`: any BERT-family checkpoint as token states for spaCy."""

import re
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from tokenizers import Tokenizer

from spacy_bioner.architectures.alignment import (
    Pieces,
    Window,
    align_pieces,
    cut_windows,
    group_by_budget,
    token_offsets,
    unit_starts,
)
from spacy_bioner.architectures.encoder_source import build_transformer, load_encoder, special_ids
from spacy_bioner.architectures.precision import PRECISIONS, choose_precision
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim
from spacy_bioner.errors import EncoderError
from spacy_bioner.layers.pooled_encoder import PieceBatch, PooledEncoder

UNITS = ("sentence", "document")
POOLING = ("mean", "first")
LAYER = re.compile(r"\.layers?\.(\d+)\.")


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
) -> Model[List[Doc], List[Floats2d]]:
    """Build an encoder with one row of `nO` float32 values per token; nothing is truncated.

    name (str): A hub name, a folder, or "package:NAME" for weights in an installed package. It
        is read on `initialize` only: a saved pipeline carries its weights.
    unit (str): What goes through the model together: "sentence" or "document".
    pooling (str): A token's state is the "mean" of its pieces' states, or the "first" one's.
    precision (str): "float32", "bfloat16", "float16" (GPU, prediction only), or "auto": bfloat16
        where the processor or the GPU computes it in hardware, else float32.
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
    RAISES EncoderError: For settings that name no known choice; on `initialize` for weights that
        cannot be loaded.
    """
    _check_choice("unit", unit, UNITS)
    _check_choice("pooling", pooling, POOLING)
    _check_choice("precision", precision, ("auto", *PRECISIONS))
    if not 0 <= overlap < window - 2:
        raise EncoderError(
            f"encoder setting overlap = {overlap}: expected 0 ≤ overlap < window - 2"
        )
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
    }
    shim = EncoderShim(precision=precision, layer_decay=layer_decay)
    model: Model = Model(
        "transformer_encoder", forward, init=init, dims={"nO": None}, attrs=settings, shims=[shim]
    )
    shim.follow(model.attrs)
    return model


class EncoderShim(TorchShim):
    """The torch side of the encoder, with the tokenizer that belongs to the weights."""

    def __init__(self, *, precision: str, layer_decay: float = 1.0) -> None:
        super().__init__(self._build, lr_scale=self._layer_rate)
        self.precision = precision
        self.layer_decay = layer_decay
        # Set together with the module, from the same description.
        self.tokenizer: Any = None
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
            self._model.precision = choose_precision(self.precision, self.device)

    def set_module(self, spec: Spec, module: torch.nn.Module) -> None:
        """Take over module, description and the tokenizer that the description holds."""
        super().set_module(spec, module)
        self.tokenizer = Tokenizer.from_str(spec["tokenizer"])
        self._model.precision = choose_precision(self.precision, self.device)

    def _layer_rate(self, name: str) -> float:
        """Scale the learning rate of a parameter by its distance from the topmost layer."""
        n_layers = int(self.spec["config"].get("num_hidden_layers") or 0)
        found = LAYER.search(name)
        below = n_layers if found is None else n_layers - 1 - int(found.group(1))
        return self.layer_decay**below

    def _build(self, spec: Spec) -> torch.nn.Module:
        return PooledEncoder(build_transformer(spec["config"]))


def init(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Any] = None) -> None:
    """Load the pre-trained weights, unless the model has weights already."""
    shim = cast(EncoderShim, model.shims[0])
    if shim.is_ready:
        return
    files = load_encoder(model.attrs["name"], cased=model.attrs["cased"])
    before, after = special_ids(files.tokenizer)
    spec: Dict[str, Any] = {
        "config": files.config,
        "tokenizer": files.tokenizer.to_str(),
        "max_length": files.max_length,
        "before": before,
        "after": after,
    }
    shim.set_module(spec, PooledEncoder(files.module))
    model.set_dim("nO", int(files.config["hidden_size"]))


def forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Encode Docs; see `build_transformer_encoder`."""
    shim = cast(EncoderShim, model.shims[0])
    module = cast(PooledEncoder, shim.module)
    lengths = [len(doc) for doc in docs]
    batches, weights = prepare_batches(model, docs)
    if is_train and module.precision == torch.float16:
        raise EncoderError(
            "encoder setting precision = float16 cannot be trained with: small gradients become 0; "
            "train with auto, bfloat16 or float32, and set float16 when the pipeline is loaded"
        )
    module.train(is_train)
    if is_train:
        module.set_checkpointing(model.attrs["checkpointing"])
    with torch.set_grad_enabled(is_train):
        states = module(batches, weights)
    output = _split(cast(Floats2d, torch2xp(states.detach())), lengths)

    def backprop(d_output: List[Floats2d]) -> List[Doc]:
        if not states.requires_grad:
            # Texts without any piece, of white space only: there is nothing to learn from.
            return docs
        d_states = model.ops.xp.concatenate(d_output, axis=0)
        torch.autograd.backward(states, grad_tensors=xp2torch(d_states, device=states.device))
        return docs

    return output, backprop


def prepare_batches(model: Model, docs: List[Doc]) -> Tuple[List[PieceBatch], torch.Tensor]:
    """Tokenise Docs and lay their windows out in padded batches.

    RETURNS (Tuple[List[PieceBatch], torch.Tensor]): The batches, and one over the number of
        pieces per token, shape (tokens, 1), on the model's device.
    """
    shim = cast(EncoderShim, model.shims[0])
    layout = _Layout(model.attrs, shim.spec)
    encodings = shim.tokenizer.encode_batch([doc.text for doc in docs], add_special_tokens=False)
    row = 0
    for doc, encoding in zip(docs, encodings):
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        ids = np.asarray(encoding.ids, dtype=np.int64)
        layout.add(doc, Pieces(ids, offsets[:, 0], offsets[:, 1]), row)
        row += len(doc)
    return layout.batches(row, shim.device)


class _Layout:
    """Gathers the windows of a batch of Docs, then lays them out as padded rectangles."""

    def __init__(self, settings: Dict[str, Any], spec: Spec) -> None:
        self.settings = settings
        self.before: List[int] = spec["before"]
        self.after: List[int] = spec["after"]
        length = min(settings["window"], spec["max_length"])
        self.capacity = length - len(self.before) - len(self.after)
        self.overlap = min(settings["overlap"], self.capacity // 2)
        self.pad_id = int(spec["config"].get("pad_token_id") or 0)
        self.windows: List[Window] = []
        self.pieces: List[Pieces] = []
        # Per window: positions of owned pieces within it, and the token rows they belong to.
        self.sources: List[np.ndarray] = []
        self.targets: List[np.ndarray] = []

    def add(self, doc: Doc, pieces: Pieces, first_row: int) -> None:
        """Cut one Doc, whose first token has row `first_row`, into windows."""
        alignment = align_pieces(pieces, *token_offsets(doc))
        piece, token = alignment.piece, alignment.token
        if self.settings["pooling"] == "first" and len(token):
            keep = np.concatenate([[True], token[1:] != token[:-1]])
            piece, token = piece[keep], token[keep]
        borders = unit_starts(doc, self.settings["unit"])
        windows = cut_windows(
            len(self.pieces), alignment, borders, capacity=self.capacity, overlap=self.overlap
        )
        self.pieces.append(pieces)
        self.windows.extend(windows)
        for window in windows:
            low, high = np.searchsorted(piece, [window.own_start, window.own_end])
            self.sources.append(piece[low:high] - window.start + len(self.before))
            self.targets.append(token[low:high] + first_row)

    def batches(self, n_tokens: int, device: torch.device) -> Tuple[List[PieceBatch], torch.Tensor]:
        """Lay all windows out, the shortest first."""
        special = len(self.before) + len(self.after)
        lengths = [len(window) + special for window in self.windows]
        groups = group_by_budget(lengths, self.settings["batch_pieces"])
        counts = np.bincount(
            np.concatenate([np.zeros(0, np.int64), *self.targets]), minlength=n_tokens
        )
        weights = np.where(counts > 0, 1.0 / np.maximum(counts, 1), 0.0).astype(np.float32)
        batches = [self._batch(group, lengths, device) for group in groups]
        return batches, torch.from_numpy(weights[:, None]).to(device)

    def _batch(self, group: np.ndarray, lengths: List[int], device: torch.device) -> PieceBatch:
        width = max(lengths[index] for index in group)
        ids = np.full((len(group), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(group), width), dtype=np.int64)
        for row, index in enumerate(group):
            window = self.windows[index]
            inner = self.pieces[window.doc_index].ids[window.start : window.end]
            ids[row, : lengths[index]] = np.concatenate([self.before, inner, self.after])
            mask[row, : lengths[index]] = 1
        source = np.concatenate([self.sources[i] + row * width for row, i in enumerate(group)])
        target = np.concatenate([self.targets[index] for index in group])
        arrays = (ids, mask, source, target)
        return PieceBatch(
            *(torch.from_numpy(array.astype(np.int64)).to(device) for array in arrays)
        )


def _split(states: Floats2d, lengths: List[int]) -> List[Floats2d]:
    ends = np.cumsum(lengths).tolist()
    return [states[end - length : end] for end, length in zip(ends, lengths)]


def _check_choice(setting: str, value: str, choices: Tuple[str, ...]) -> None:
    if value not in choices:
        raise EncoderError(
            f"encoder setting {setting} = '{value}': expected one of {', '.join(choices)}"
        )
