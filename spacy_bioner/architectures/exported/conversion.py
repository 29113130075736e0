"""A trained token classifier as one that needs no torch."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Collection, Dict, List, Mapping, Tuple, cast

import numpy as np
import onnx
from spacy.tokens import Doc
from thinc.api import Model

from spacy_bioner.architectures._torch import nn
from spacy_bioner.architectures.decoding import learned_transitions
from spacy_bioner.architectures.encoders import EncoderShim
from spacy_bioner.architectures.exported.classifier import PARAMS, build_exported_classifier
from spacy_bioner.architectures.exported.graph import drop_masks, trace_encoder
from spacy_bioner.architectures.exported.onnx_encoder import OnnxShim, build_onnx_encoder
from spacy_bioner.architectures.exported.quantization import (
    Ranges,
    list_products,
    measure_sensitivity,
    observe,
    quantize,
    quantize_table,
)
from spacy_bioner.architectures.pieces.batches import make_batches
from spacy_bioner.architectures.pieces.windows import lay_out
from spacy_bioner.errors import ConfigError
from spacy_bioner.layers.pooled_encoder import PooledEncoder

PRECISIONS = ("float32", "int8")
ENCODER = "spacy_bioner.OnnxEncoder.v1"
CLASSIFIER = "spacy_bioner.ExportedClassifier.v1"
# The settings that an encoder keeps.
_KEPT = ("unit", "pooling", "window", "overlap", "truncate", "dataset", "name")
# Batches, of the shortest windows, that say how far each product moves the states.
N_PROBED = 16


def can_export(model: Any) -> bool:
    """Tell whether a model is a token classifier over a transformer encoder of ours."""
    if not isinstance(model, Model) or model.name != "token_classifier":
        return False
    return model.get_ref("encoder").name == "transformer_encoder"


@dataclass(frozen=True)
class Export:
    """A token classifier on its way out of torch, traced once for several tries.

    model (Model): The trained one.
    graph (onnx.ModelProto): Of its encoder, in float32.
    docs (List[Doc]): Texts that scales of activations are found on; tokens and nothing else.
    """

    model: Model
    graph: onnx.ModelProto
    docs: List[Doc]

    def build(self, precision: str, *, keep: Collection[str] = ()) -> Model:
        """Build the exported model.

        precision (str): "float32" or "int8", of matrix products and embeddings.
        keep (Collection[str]): Products that stay in float32, by name.
        """
        graph, arrays = self.graph, self._read_arrays()
        if precision == "int8":
            graph = quantize(graph, self._ranges, keep=keep)
            arrays["table"], arrays["scales"] = quantize_table(arrays["table"])
        graph = drop_masks(graph) or graph
        return self._assemble(graph.SerializeToString(), arrays, precision)

    def rank_products(self) -> List[str]:
        """Name the products that int8 can have, the one that moves the states most first."""
        probed = self._batches[:N_PROBED]
        return list(measure_sensitivity(self.graph, self._ranges, probed))

    def count_products(self) -> int:
        """Count the products that int8 can have."""
        return len(list_products(self.graph))

    def _read_arrays(self) -> Dict[str, np.ndarray]:
        module = _module_of(self.model)
        table = module.transformer.get_input_embeddings().weight
        arrays = {"table": _to_numpy(table)}
        if module.datasets is not None:
            vectors = _to_numpy(cast(nn.Embedding, module.datasets).weight)
            arrays["datasets"] = np.concatenate([vectors, vectors.mean(axis=0, keepdims=True)])
        return arrays

    @cached_property
    def _ranges(self) -> Dict[str, Ranges]:
        """What the activations of the texts come to: the same for all tries."""
        return observe(self.graph, self._batches)

    @cached_property
    def _batches(self) -> List[Tuple[np.ndarray, np.ndarray]]:
        """The texts as batches of embeddings and masks."""
        encoder = self.model.get_ref("encoder")
        shim = OnnxShim()
        shim.arrays = self._read_arrays()
        layout = lay_out(encoder, self.docs)
        batches, _ = make_batches(
            layout, budget=encoder.attrs["batch_pieces"], pad_id=_pad_id(encoder)
        )
        return [(shim.embed(batch), batch.mask) for batch in batches]

    def _assemble(self, graph: bytes, arrays: Dict[str, np.ndarray], precision: str) -> Model:
        encoder, module = self.model.get_ref("encoder"), _module_of(self.model)
        trained = cast(EncoderShim, encoder.shims[0]).spec
        spec = {key: trained[key] for key in ("tokenizer", "before", "after", "max_length")}
        spec |= {"pad_id": _pad_id(encoder), "width": module.width, "precision": precision}
        if trained.get("datasets"):
            spec["datasets"] = list(trained["datasets"])
        exported = build_onnx_encoder(**{name: encoder.attrs[name] for name in _KEPT})
        cast(OnnxShim, exported.shims[0]).set_graph(spec, graph, arrays)
        exported.set_dim("nO", module.width)
        return _add_head(self.model, exported)


def start_export(model: Model, docs: List[Doc]) -> Export:
    """Trace a token classifier's encoder.

    docs (List[Doc]): See `Export`.
    RAISES (ConfigError): For another kind of model.
    RAISES (EncoderError): For a family that cannot be traced.
    """
    if not can_export(model):
        raise ConfigError(
            f"found a model '{model.name}', expected spacy_bioner.TokenClassifier.v1 over "
            "spacy_bioner.TransformerEncoder.v1: only such a model can be exported"
        )
    config = cast(EncoderShim, model.get_ref("encoder").shims[0]).spec["config"]
    return Export(model, trace_encoder(_module_of(model), config), docs)


def describe_model(model: Model) -> Dict[str, Any]:
    """Return the config section of an exported model."""
    encoder = model.get_ref("encoder")
    settings: Mapping[str, Any] = {
        key: value for key, value in encoder.attrs.items() if key != "every_piece"
    }
    return {
        "@architectures": CLASSIFIER,
        "nO": None,
        "encoder": {"@architectures": ENCODER, **settings},
    }


def _add_head(model: Model, encoder: Model) -> Model:
    trained: Any = model.get_ref("output_layer")
    # Without the column of a tag X, which no token can have.
    n_tags = trained.shims[0].spec["n_tags"]
    linear = trained.shims[0].module.output
    exported = build_exported_classifier(encoder, nO=n_tags)
    head = exported.get_ref("output_layer")
    head.set_dim("nI", encoder.get_dim("nO"))
    weights = [_to_numpy(linear.weight)[:n_tags], _to_numpy(linear.bias)[:n_tags]]
    for name, array in zip(PARAMS, [*weights, *(learned_transitions(model) or ())]):
        head.set_param(name, cast(Any, array))
    return exported


def _module_of(model: Model) -> PooledEncoder:
    return cast(PooledEncoder, cast(EncoderShim, model.get_ref("encoder").shims[0]).module)


def _pad_id(encoder: Model) -> int:
    return int(cast(EncoderShim, encoder.shims[0]).spec["config"].get("pad_token_id") or 0)


def _to_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().float().cpu().numpy())
