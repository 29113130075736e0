"""An exported token classifier as one that can be trained again.

What `bioner export` wrote holds all that a trained encoder has learned, in float32 to the last bit,
in int8 rounded. Where a weight went is found by example: an encoder of the same configuration, with
weights drawn at random, is traced as the trained one was, and each constant of its graph is looked
up among the weights that it was given.
"""

from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, cast

import numpy as np
import onnx
from onnx import numpy_helper
from thinc.api import Model

from spacy_bioner.architectures._torch import nn, torch
from spacy_bioner.architectures.encoder_source import build_transformer, load_encoder
from spacy_bioner.architectures.encoders import EncoderShim, build_transformer_encoder
from spacy_bioner.architectures.exported.classifier import PARAMS
from spacy_bioner.architectures.exported.graph import trace_encoder
from spacy_bioner.architectures.exported.onnx_encoder import OnnxShim
from spacy_bioner.architectures.exported.quantization import PRODUCT, Product, list_products
from spacy_bioner.architectures.token_classifier import build_token_classifier
from spacy_bioner.architectures.torch_bridge import Spec, TorchShim
from spacy_bioner.errors import ConfigError, EncoderError
from spacy_bioner.layers.dataset_vectors import pool_encoder
from spacy_bioner.layers.pooled_encoder import PooledEncoder

EXPORTED_CLASSIFIER = "exported_classifier"
# Settings that only concern how a graph is run.
_OF_THE_GRAPH = ("threads", "batch_pieces", "every_piece")
# Queries, keys and values, which lie side by side in the graph.
_PARTS = 3
# Columns of a constant, the name of the weight that lies there, and whether it is turned over.
Place = Tuple[slice, str, bool]


def can_restore(model: Any) -> bool:
    """Tell whether a model is an exported token classifier."""
    return isinstance(model, Model) and model.name == EXPORTED_CLASSIFIER


def restore_classifier(model: Model, dropout: float = 0.1) -> Model:
    """Build a model to train from an exported one.

    Each weight has the value that the graph computes with: that of an int8 graph is rounded as it
    is there, while activations are no longer.

    dropout (float): See `build_token_classifier`.
    RAISES (ConfigError): For another model, and for one with term features, of which an export
        keeps only what they add to the scores.
    RAISES (EncoderError): For a family whose weights cannot be told in its graph.
    """
    if not can_restore(model):
        raise ConfigError("found no model that `bioner export` made: only such a one is restored")
    if model.maybe_get_ref("terms"):
        raise ConfigError(
            "found an exported model with spacy_bioner.ExportedTermFeatures.v1, whose weights an "
            "export does not keep apart from the head's: go on with the pipeline that it was "
            "exported from"
        )
    encoder = _restore_encoder(model.get_ref("encoder"))
    head: Any = model.get_ref("output_layer")
    weights = {name: head.get_param(name) for name in PARAMS if head.has_param(name)}
    restored = build_token_classifier(
        encoder, dropout=dropout, crf=PARAMS[-1] in weights, nO=head.get_dim("nO")
    )
    restored.initialize()
    own = cast(TorchShim, restored.get_ref("output_layer").shims[0])
    _set_head(own.module, {name: model.ops.to_numpy(array) for name, array in weights.items()})
    own.set_module(own.spec, own.module)
    return restored


def describe_restored(model: Model) -> Dict[str, Any]:
    """Return the config section of a restored model."""
    encoder, head = model.get_ref("encoder"), model.get_ref("output_layer")
    settings = {key: value for key, value in encoder.attrs.items() if key != "every_piece"}
    return {
        "@architectures": "spacy_bioner.TokenClassifier.v1",
        "dropout": head.attrs["dropout_rate"],
        "crf": head.attrs["crf"],
        "nO": None,
        "encoder": {"@architectures": "spacy_bioner.TransformerEncoder.v1", **settings},
    }


def _restore_encoder(exported: Model) -> Model:
    source = cast(OnnxShim, exported.shims[0])
    names = list(source.spec.get("datasets", ()))
    settings = {key: value for key, value in exported.attrs.items() if key not in _OF_THE_GRAPH}
    encoder = build_transformer_encoder(**settings, datasets=names or None)
    config = source.spec.get("config") or _load_config(exported.attrs["name"])
    module = pool_encoder(build_transformer(config, drawn=False), names)
    arrays = source.arrays
    table = arrays["table"].astype(np.float32) * arrays.get("scales", np.float32(1.0))
    found = _read_weights(onnx.load_model_from_string(source.graph), config)
    with torch.no_grad():
        for name, parameter in module.transformer.named_parameters():
            if parameter is module.transformer.get_input_embeddings().weight:
                _fill(parameter, table, name)
            elif name in found:
                _fill(parameter, found[name], name)
            else:
                raise EncoderError(
                    f"the family '{config['model_type']}' cannot be restored: the graph does not "
                    f"show the weight {name}; go on with the pipeline that it was exported from"
                )
        if names:
            # The last one is the mean of the others.
            _fill(cast(nn.Embedding, module.datasets).weight, arrays["datasets"][:-1], "datasets")
    spec: Spec = {key: source.spec[key] for key in ("tokenizer", "before", "after", "max_length")}
    spec |= {"config": config} | ({"datasets": names} if names else {})
    cast(EncoderShim, encoder.shims[0]).set_module(spec, module)
    encoder.set_dim("nO", module.width)
    return encoder


def _load_config(name: str) -> Dict[str, Any]:
    try:
        return load_encoder(name).config
    except EncoderError as error:
        raise EncoderError(
            f"this export is of an earlier version, which did not keep the encoder's config, and "
            f"the encoder '{name}' is not here: install or download it first"
        ) from error


def _read_weights(graph: onnx.ModelProto, config: Mapping[str, Any]) -> Dict[str, np.ndarray]:
    """Read an encoder's weights out of its graph.

    RETURNS (Dict[str, np.ndarray]): float32, by the name within the transformer.
    """
    example = PooledEncoder(build_transformer(dict(config)))
    drawn = _draw_weights(example.transformer)
    traced = trace_encoder(example, dict(config))
    constants, reader = _read_constants(traced), _GraphReader(graph, traced)
    found: Dict[str, np.ndarray] = {}
    for node in traced.graph.node:
        for number, given in enumerate(node.input):
            for columns, name, is_turned in _find_places(constants.get(given), drawn):
                part = reader.read(node, number)[..., columns]
                found[name] = part.T if is_turned else part
    return found


def _draw_weights(transformer: nn.Module) -> Dict[str, np.ndarray]:
    """Give each weight values of its own, small enough for states to stay finite."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.copy_(0.05 * torch.randn(parameter.shape, generator=generator))
    return {name: own.detach().numpy() for name, own in transformer.named_parameters()}


def _find_places(array: Optional[np.ndarray], drawn: Mapping[str, np.ndarray]) -> Iterator[Place]:
    """Find the weights that a constant of the graph holds, if it is one.

    YIELDS (Place): Columns of the constant, the weight, and whether it is turned over.
    """
    if array is None or not array.ndim or not array.size:
        return
    cuts: List[slice] = [slice(None)]
    if array.shape[-1] % _PARTS == 0:
        size = array.shape[-1] // _PARTS
        cuts += [slice(start, start + size) for start in range(0, array.shape[-1], size)]
    for columns in cuts:
        part = array[..., columns]
        for name, weight in drawn.items():
            if part.shape == weight.shape and np.array_equal(part, weight):
                yield columns, name, False
            elif part.ndim == 2 and part.T.shape == weight.shape and np.array_equal(part.T, weight):
                yield columns, name, True


class _GraphReader:
    """Reads what a graph has where one that was traced alike, in float32, has a constant.

    It goes by the names of nodes: constants that are equal, such as biases of 0, share a name.
    """

    def __init__(self, graph: onnx.ModelProto, traced: onnx.ModelProto) -> None:
        self.constants = _read_constants(graph)
        self.nodes = {_key(node): node for node in graph.graph.node}
        self.products = {product.name: product for product in list_products(traced)}
        self.makers = {name: _key(node) for node in traced.graph.node for name in node.output}

    def read(self, node: onnx.NodeProto, number: int) -> np.ndarray:
        """Return the constant that is a node's input of that number; float32 for weights.

        RAISES (EncoderError): For a graph that has none there.
        """
        product = self.products.get(_key(node))
        if product is not None and number == 1 and f"{product.name}_int8_weights" in self.constants:
            return self._read_product(product)
        own = self.nodes.get(_key(node))
        if own is None:
            # A bias that a product in integers adds itself, as its last input.
            before = (self.nodes.get(self.makers.get(name, "")) for name in node.input)
            own = next((other for other in before if other and other.op_type == PRODUCT), None)
            number = -1
        name = own.input[number] if own is not None else _key(node)
        if name not in self.constants:
            raise EncoderError(
                f"exported encoder: its graph has no constant at {_key(node)}; it was written by "
                "another version of spacy-bioner or torch: go on with the pipeline that it was "
                "exported from"
            )
        return self.constants[name]

    def _read_product(self, product: Product) -> np.ndarray:
        """Read the weights of a product in integers.

        What attention gives may be divided by factors, by way of its values, that the next
        product's weights are multiplied with: together they are as they were, so both stay.
        """
        stem = f"{product.name}_int8"
        rows = self.constants[f"{stem}_weights"] * self.constants[f"{stem}_scales"]
        divided = self.constants.get(f"{product.activations}_factors")
        return rows if divided is None else rows * divided[:, None]


def _key(node: onnx.NodeProto) -> str:
    return node.name or node.output[0]


def _read_constants(graph: onnx.ModelProto) -> Dict[str, np.ndarray]:
    constants = {item.name: numpy_helper.to_array(item) for item in graph.graph.initializer}
    for node in graph.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return constants


def _set_head(head: Any, weights: Mapping[str, np.ndarray]) -> None:
    """Fill a head; the column of a tag X, which an export does not keep, starts from nothing."""
    n_tags = len(weights["b"])
    with torch.no_grad():
        _fill(head.output.weight[:n_tags], weights["W"], "head")
        _fill(head.output.bias[:n_tags], weights["b"], "head")
        for name in PARAMS[2:]:
            if name in weights:
                _fill(getattr(head.crf, name), weights[name], name)


def _fill(parameter: Any, values: np.ndarray, name: str) -> None:
    if tuple(parameter.shape) != values.shape:
        raise EncoderError(
            f"exported encoder: found {name} of shape {values.shape}, expected "
            f"{tuple(parameter.shape)}; the checkpoint of its name may have changed"
        )
    parameter.copy_(torch.from_numpy(np.array(values, dtype=np.float32)))
