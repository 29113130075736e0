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
from spacy_bioner.architectures.exported.term_features import (
    TableShim,
    build_exported_term_features,
)
from spacy_bioner.architectures.pieces.batches import make_batches
from spacy_bioner.architectures.pieces.term_flags import FEATURES
from spacy_bioner.architectures.pieces.windows import lay_out
from spacy_bioner.architectures.term_features import TermLinear
from spacy_bioner.architectures.torch_bridge import TorchShim
from spacy_bioner.errors import ConfigError
from spacy_bioner.layers.pooled_encoder import PooledEncoder

PRECISIONS = ("float32", "int8")
ENCODER = "spacy_bioner.OnnxEncoder.v1"
CLASSIFIER = "spacy_bioner.ExportedClassifier.v1"
TERMS = "spacy_bioner.ExportedTermFeatures.v1"
ENCODER_NODE = "transformer_encoder"
# The settings that an encoder keeps.
_KEPT = ("unit", "pooling", "window", "overlap", "truncate", "dataset", "name")
# Batches, of the shortest windows, that say how far each product moves the states.
N_PROBED = 16


def can_export(model: Any) -> bool:
    """Tell whether a model is a token classifier over a transformer encoder of ours.

    Beside the encoder there may be names of a term table (Concatenation, TermFeatures).
    """
    if not isinstance(model, Model) or model.name != "token_classifier":
        return False
    names = sorted(part.name for part in _list_parts(model))
    return names in ([ENCODER_NODE], [FEATURES, ENCODER_NODE])


def find_encoder(model: Model) -> Model:
    """Return the transformer encoder of a model that can be exported."""
    (encoder,) = (part for part in _list_parts(model) if part.name == ENCODER_NODE)
    return encoder


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
        encoder = find_encoder(self.model)
        shim = OnnxShim()
        shim.arrays = self._read_arrays()
        layout = lay_out(encoder, self.docs)
        batches, _ = make_batches(
            layout, budget=encoder.attrs["batch_pieces"], pad_id=_pad_id(encoder)
        )
        return [(shim.embed(batch), batch.mask) for batch in batches]

    def _assemble(self, graph: bytes, arrays: Dict[str, np.ndarray], precision: str) -> Model:
        encoder, module = find_encoder(self.model), _module_of(self.model)
        trained = cast(EncoderShim, encoder.shims[0]).spec
        spec = {key: trained[key] for key in ("tokenizer", "before", "after", "max_length")}
        spec |= {"pad_id": _pad_id(encoder), "width": module.width, "precision": precision}
        # Where it was loaded from is of this machine.
        spec["config"] = {k: v for k, v in trained["config"].items() if k != "_name_or_path"}
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
            "spacy_bioner.TransformerEncoder.v1, alone or beside spacy_bioner.TermFeatures.v1: "
            "only such a model can be exported"
        )
    config = cast(EncoderShim, find_encoder(model).shims[0]).spec["config"]
    return Export(model, trace_encoder(_module_of(model), config), docs)


def describe_model(model: Model) -> Dict[str, Any]:
    """Return the config section of an exported model."""
    encoder = model.get_ref("encoder")
    settings: Mapping[str, Any] = {
        key: value for key, value in encoder.attrs.items() if key != "every_piece"
    }
    section: Dict[str, Any] = {
        "@architectures": CLASSIFIER,
        "nO": None,
        "encoder": {"@architectures": ENCODER, **settings},
    }
    if model.maybe_get_ref("terms"):
        section["terms"] = {"@architectures": TERMS, "nO": None}
    return section


def _add_head(model: Model, encoder: Model) -> Model:
    trained: Any = model.get_ref("output_layer")
    # Without the column of a tag X, which no token can have.
    n_tags = trained.shims[0].spec["n_tags"]
    linear = trained.shims[0].module.output
    weights, bias = _to_numpy(linear.weight)[:n_tags], _to_numpy(linear.bias)[:n_tags]
    terms = None
    for part, columns in _divide_columns(model, weights):
        if part.name == FEATURES:
            terms, shift = _export_terms(part, columns)
            bias = bias + shift
        else:
            weights = columns
    exported = build_exported_classifier(encoder, nO=n_tags, terms=terms)
    head = exported.get_ref("output_layer")
    head.set_dim("nI", encoder.get_dim("nO"))
    for name, array in zip(PARAMS, [weights, bias, *(learned_transitions(model) or ())]):
        head.set_param(name, cast(Any, array))
    return exported


def _divide_columns(model: Model, weights: np.ndarray) -> List[Tuple[Model, np.ndarray]]:
    """Return the parts of a token's state, and what the head has learned of each."""
    parts = _list_parts(model)
    borders = np.cumsum([part.get_dim("nO") for part in parts])[:-1].tolist()
    return list(zip(parts, map(np.ascontiguousarray, np.split(weights, borders, axis=1))))


def _export_terms(part: Model, weights: np.ndarray) -> Tuple[Model, np.ndarray]:
    """Return names as they score, and what their layer's bias adds to every score."""
    module = cast(TermLinear, cast(TorchShim, part.shims[0]).module)
    terms = build_exported_term_features(nO=len(weights))
    terms.set_param("W", cast(Any, weights @ _to_numpy(module.weight)))
    cast(TableShim, terms.shims[0]).matcher = module.matcher
    terms.attrs["path"] = part.attrs["path"]
    return terms, weights @ _to_numpy(module.bias)


def _list_parts(model: Model) -> List[Model]:
    encoder = model.get_ref("encoder")
    return list(encoder.layers) if encoder.name == "concatenation" else [encoder]


def _module_of(model: Model) -> PooledEncoder:
    return cast(PooledEncoder, cast(EncoderShim, find_encoder(model).shims[0]).module)


def _pad_id(encoder: Model) -> int:
    return int(cast(EncoderShim, encoder.shims[0]).spec["config"].get("pad_token_id") or 0)


def _to_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().float().cpu().numpy())
