"""Token states from several sources, concatenated, and a BiLSTM over them.

Each part is an encoder like any other: `Model[List[Doc], List[Floats2d]]`, one row per token. So
each can be switched on and off in a config, and stand alone.
"""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from thinc.util import xp2torch

from spacy_bioner.architectures._torch import nn, torch
from spacy_bioner.architectures.datasets import dataset_rows
from spacy_bioner.architectures.pieces.words import find_words
from spacy_bioner.architectures.torch_bridge import ConstantScale, Spec, TorchShim, split_rows
from spacy_bioner.errors import ConfigError
from spacy_bioner.layers.char_encoder import CharacterEncoder, SequenceLstm, character_ids
from spacy_bioner.layers.dataset_vectors import DatasetVectors

Backprop = Callable[[List[Floats2d]], List[Doc]]


def build_character_encoder(
    kind: str = "lstm", embedding: int = 25, width: int = 50, lr_scale: float = 10.0
) -> Model[List[Doc], List[Floats2d]]:
    """Build token states from characters: `spacy_bioner.CharacterEncoder.v1`.

    kind (str): "lstm" or "cnn".
    embedding (int): Size of a character's vector.
    width (int): Size of a token's state; even for "lstm".
    lr_scale (float): The learning rate, as a multiple of the optimizer's: unlike a pre-trained
        encoder, these weights start from nothing.
    RAISES (ConfigError): For another kind, or an odd width with "lstm".
    """
    if kind not in ("lstm", "cnn"):
        raise ConfigError(f"character setting kind = '{kind}': expected lstm or cnn")
    if kind == "lstm" and width % 2:
        raise ConfigError(f"character setting width = {width}: expected an even number for lstm")
    spec: Spec = {"kind": kind, "embedding": embedding, "width": width}
    return make_lookup("character_encoder", _build_characters, spec, _read_characters, lr_scale)


def build_attribute_embedding(
    rows: int = 20000, width: int = 100, attribute: str = "NORM", lr_scale: float = 10.0
) -> Model[List[Doc], List[Floats2d]]:
    """Build embeddings of a token attribute: `spacy_bioner.AttributeEmbedding.v1`.

    attribute (str): Any that `Doc.to_array` knows: "NORM" for words, "POS" or "TAG" where a
        component before this one sets them, "SHAPE", "PREFIX", "SUFFIX".
    rows (int): Values are hashed into so many rows.
    width (int): Size of a token's state.
    lr_scale (float): The learning rate, as a multiple of the optimizer's.
    """
    spec: Spec = {"rows": rows, "width": width, "attribute": attribute}
    return make_lookup("attribute_embedding", _build_rows, spec, _read_attribute, lr_scale)


def build_dataset_embedding(
    names: List[str], width: int = 16, lr_scale: float = 10.0
) -> Model[List[Doc], List[Floats2d]]:
    """Build one vector per corpus: `spacy_bioner.DatasetEmbedding.v1`.

    The reader `spacy_bioner.MultiCorpus.v1` says which corpus a Doc is from. Other texts get the
    mean of the vectors of all corpora, until `choose_dataset` names one.

    names (List[str]): The corpora.
    width (int): Size of a token's state.
    lr_scale (float): The learning rate, as a multiple of the optimizer's.
    """
    spec: Spec = {"datasets": list(names), "width": width}
    read = _read_dataset
    return make_lookup("dataset_embedding", _build_datasets, spec, read, lr_scale, dataset="")


def build_concatenation(
    *parts: Model[List[Doc], List[Floats2d]],
) -> Model[List[Doc], List[Floats2d]]:
    """Build the concatenation of token states: `spacy_bioner.Concatenation.v1`.

    parts (Model[List[Doc], List[Floats2d]]): In a config, sections `[….*.NAME]`, in the order in
        which they stand.
    RAISES (ConfigError): For none.
    """
    if not parts:
        raise ConfigError("the concatenation has no parts; name at least one encoder")
    layers = list(parts)
    return Model("concatenation", _concatenate, init=_init_parts, layers=layers, dims={"nO": None})


def build_sequence_lstm(
    encoder: Model[List[Doc], List[Floats2d]],
    width: int = 200,
    depth: int = 1,
    dropout: float = 0.1,
    lr_scale: float = 10.0,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a bidirectional LSTM over an encoder's states: `spacy_bioner.SequenceLstm.v1`.

    encoder (Model[List[Doc], List[Floats2d]]): Gives a state per token.
    width (int): Size of a token's new state; even.
    depth (int): Layers.
    dropout (float): Dropout on the states that come in.
    lr_scale (float): The learning rate, as a multiple of the optimizer's.
    RAISES (ConfigError): For an odd width.
    """
    if width % 2:
        raise ConfigError(f"LSTM setting width = {width}: expected an even number")
    model: Model = Model(
        "sequence_lstm",
        _run_lstm,
        init=_init_lstm,
        layers=[encoder],
        dims={"nO": width},
        attrs={"depth": depth, "dropout_rate": dropout},
        shims=[TorchShim(_build_lstm, lr_scale=ConstantScale(lr_scale))],
    )
    return model


def make_lookup(
    name: str,
    build: Callable[[Spec], nn.Module],
    spec: Spec,
    read: Callable[[Dict[str, Any], Spec, List[Doc]], Tuple[Any, ...]],
    lr_scale: float,
    *,
    init: Optional[Callable] = None,
    **attrs: Any,
) -> Model[List[Doc], List[Floats2d]]:
    """Make a part of token states from what is read off the Docs.

    build (Callable[[Spec], nn.Module]): Makes the module that turns what is read into states.
    spec (Spec): Describes the module; "width" is the size of a token's state.
    read (Callable[[Dict[str, Any], Spec, List[Doc]], Tuple[Any, ...]]): Gives the module's inputs
        for all Docs one behind another, as arrays of any device, from the model's attributes,
        the description and the Docs.
    lr_scale (float): The learning rate, as a multiple of the optimizer's.
    init (Optional[Callable]): Makes the module on `initialize`; None builds it from `spec`.
    attrs (Any): Further attributes of the model.
    """
    model: Model = Model(
        name,
        _look_up,
        init=init or _init_lookup,
        dims={"nO": spec["width"]},
        attrs={"spec": spec, "read": read, **attrs},
        shims=[TorchShim(build, lr_scale=ConstantScale(lr_scale))],
    )
    return model


def run_module(
    model: Model, docs: List[Doc], inputs: Sequence[Any], is_train: bool
) -> Tuple[List[Floats2d], Backprop]:
    """Run a part's module on what was read off the Docs.

    inputs (Sequence[Any]): Its inputs for all Docs one behind another, as arrays of any device.
    """
    shim = cast(TorchShim, model.shims[0])
    module = shim.module
    module.train(is_train)
    given = [xp2torch(array, device=shim.device) for array in inputs]
    lengths = [len(doc) for doc in docs]
    with torch.set_grad_enabled(is_train):
        states = module(*given)

    def backprop(d_states: List[Floats2d]) -> List[Doc]:
        _backward(model, states, d_states)
        return docs

    return split_rows(states, lengths), backprop


def _init_lookup(model: Model, X: Optional[Any] = None, Y: Optional[Any] = None) -> None:
    shim = cast(TorchShim, model.shims[0])
    if not shim.is_ready:
        shim.set_module(model.attrs["spec"], shim.build(model.attrs["spec"]))


def _look_up(model: Model, docs: List[Doc], is_train: bool) -> Tuple[List[Floats2d], Backprop]:
    spec = cast(TorchShim, model.shims[0]).spec
    return run_module(model, docs, model.attrs["read"](model.attrs, spec, docs), is_train)


def _read_characters(attrs: Dict[str, Any], spec: Spec, docs: List[Doc]) -> Tuple[np.ndarray, ...]:
    words = [token.text for doc in docs for token in doc]
    distinct: Dict[str, int] = {}
    rows = np.array([distinct.setdefault(word, len(distinct)) for word in words], dtype=np.int64)
    return character_ids(list(distinct)), rows


def _read_attribute(attrs: Dict[str, Any], spec: Spec, docs: List[Doc]) -> Tuple[np.ndarray, ...]:
    attribute = spec["attribute"]
    for doc in docs:
        if attribute in ("POS", "TAG") and len(doc) and not doc.has_annotation(attribute):
            raise ConfigError(
                f"embedding of {attribute}: the text has no such annotation; put a component that "
                "sets it before this one and name it in training.annotating_components"
            )
    values = [doc.to_array([attribute]).reshape(-1).astype(np.uint64) for doc in docs]
    return ((np.concatenate(values) % np.uint64(spec["rows"])).astype(np.int64),)


def _read_dataset(attrs: Dict[str, Any], spec: Spec, docs: List[Doc]) -> Tuple[np.ndarray, ...]:
    rows = dataset_rows(docs, spec["datasets"], attrs["dataset"])
    return (np.repeat(rows, [len(doc) for doc in docs]),)


def _build_characters(spec: Spec) -> nn.Module:
    return CharacterEncoder(spec["kind"], spec["embedding"], spec["width"])


def _build_rows(spec: Spec) -> nn.Module:
    return nn.Embedding(spec["rows"], spec["width"])


def _build_datasets(spec: Spec) -> nn.Module:
    return DatasetVectors(len(spec["datasets"]), spec["width"])


def _concatenate(model: Model, docs: List[Doc], is_train: bool) -> Tuple[List[Floats2d], Backprop]:
    outputs, backprops = zip(*(layer(docs, is_train) for layer in model.layers))
    xp = model.ops.xp
    widths = [layer.get_dim("nO") for layer in model.layers]
    borders = np.cumsum(widths)[:-1].tolist()
    rows = [cast(Floats2d, xp.hstack(parts)) for parts in zip(*outputs)]

    def backprop(d_rows: List[Floats2d]) -> List[Doc]:
        split = [xp.split(gradient, borders, axis=1) for gradient in d_rows]
        for index, backward in enumerate(backprops):
            backward([xp.ascontiguousarray(parts[index]) for parts in split])
        return docs

    return rows, backprop


def _init_parts(model: Model, X: Optional[Any] = None, Y: Optional[Any] = None) -> None:
    for layer in model.layers:
        layer.initialize(X=X)
    model.set_dim("nO", sum(layer.get_dim("nO") for layer in model.layers))


def _build_lstm(spec: Spec) -> nn.Module:
    return SequenceLstm(spec["n_in"], spec["width"], spec["depth"])


def _init_lstm(model: Model, X: Optional[Any] = None, Y: Optional[Any] = None) -> None:
    encoder, shim = model.layers[0], cast(TorchShim, model.shims[0])
    encoder.initialize(X=X)
    if not shim.is_ready:
        sizes = {"n_in": encoder.get_dim("nO"), "width": model.get_dim("nO")}
        spec: Spec = {**sizes, "depth": model.attrs["depth"]}
        shim.set_module(spec, _build_lstm(spec))


def _run_lstm(model: Model, docs: List[Doc], is_train: bool) -> Tuple[List[Floats2d], Backprop]:
    """Read the words of each Doc one behind another; states of other tokens are 0."""
    states, backprop_encoder = model.layers[0](docs, is_train)
    shim = cast(TorchShim, model.shims[0])
    module = shim.module
    module.train(is_train)
    words = [find_words(doc) for doc in docs]
    lengths = [len(own) for own in words]
    picked = [cast(Floats2d, own.pick(rows)) for own, rows in zip(words, states)]
    stacked = xp2torch(model.ops.flatten(picked), requires_grad=is_train, device=shim.device)
    with torch.set_grad_enabled(is_train):
        output = module(stacked, lengths, model.attrs["dropout_rate"])

    def place(rows: torch.Tensor) -> List[Floats2d]:
        parts = zip(words, split_rows(rows, lengths))
        return [cast(Floats2d, own.place(part, own.n_tokens)) for own, part in parts]

    def backprop(d_output: List[Floats2d]) -> List[Doc]:
        pairs = zip(words, d_output)
        _backward(model, output, [cast(Floats2d, own.pick(rows)) for own, rows in pairs])
        return backprop_encoder(place(cast(torch.Tensor, stacked.grad)))

    return place(output), backprop


def _backward(model: Model, states: torch.Tensor, gradient: List[Floats2d]) -> None:
    flat = xp2torch(model.ops.flatten(gradient), device=states.device)
    torch.autograd.backward(states, grad_tensors=flat)
