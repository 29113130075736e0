"""Matrix products in integers: weights with a scale for each column, activations at fixed scales.

Scales of activations are found on texts ahead of time, once for the graph. Taken from each batch,
as dynamic quantization does, they would make a text's states depend on what else is in the batch.

Columns of activations differ in size, which one scale for all serves badly: part of the difference
is moved into the rows of the weights (Xiao and others, 2023, "SmoothQuant"). What attention gives
is divided by way of its values, which costs nothing.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Collection, Dict, Iterable, List, Mapping, Set, Tuple

import numpy as np
import onnx
from onnx import helper, numpy_helper

from spacy_bioner.architectures.exported.graph import CONTRIB, drop_unused
from spacy_bioner.architectures.exported.onnx_encoder import EMBEDDINGS, MASK, STATES
from spacy_bioner.architectures.exported.sessions import open_session

# How much of the difference between columns of activations is moved into the weights.
SMOOTHING = 0.85
# Processors without VNNI add two products of an 8-bit activation and a weight in 16 bits: with
# weights of 7 bits no such sum overflows, so that all processors give the same integers.
GREATEST = 63
PRODUCT = "MatMulIntegerToFloat"
_KEPT_ATTRIBUTES = ("num_heads", "mask_filter_value", "scale", "unidirectional")


@dataclass(frozen=True)
class Product:
    """A node that multiplies activations with weights.

    name (str): The node's, such as "/transformer/encoder/layer.0/output/dense/MatMul".
    activations (str): What it multiplies.
    weights (np.ndarray): float32, shape (width in, width out).
    """

    name: str
    activations: str
    weights: np.ndarray


@dataclass(frozen=True)
class Ranges:
    """Least and greatest values of each column of some activations, shape (width,)."""

    low: np.ndarray
    high: np.ndarray


def list_products(graph: onnx.ModelProto) -> List[Product]:
    """List what can be computed in integers, in the order of the graph."""
    weights = {item.name: item for item in graph.graph.initializer}
    found = []
    for node in graph.graph.node:
        is_product = node.op_type in ("MatMul", "Attention") and node.input[1] in weights
        if is_product and len(weights[node.input[1]].dims) == 2:
            array = numpy_helper.to_array(weights[node.input[1]]).astype(np.float32)
            found.append(Product(node.name or node.output[0], node.input[0], array))
    return found


def observe(
    graph: onnx.ModelProto, batches: Iterable[Tuple[np.ndarray, np.ndarray]]
) -> Dict[str, Ranges]:
    """Run texts through a graph and keep between which values the activations of products lie.

    batches (Iterable[Tuple[np.ndarray, np.ndarray]]): Embeddings and masks.
    RETURNS (Dict[str, Ranges]): By the activations' name; of pieces, padding left out.
    """
    names = sorted({product.activations for product in list_products(graph)})
    seen = onnx.ModelProto()
    seen.CopyFrom(graph)
    seen.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = open_session(seen.SerializeToString())
    ranges: Dict[str, Ranges] = {}
    for embeddings, mask in batches:
        kept = mask.astype(bool)
        found = session.run(names, {EMBEDDINGS: embeddings, MASK: mask})
        for name, values in zip(names, found):
            rows = values.reshape(*kept.shape, -1)[kept]
            low, high = rows.min(axis=0), rows.max(axis=0)
            if name in ranges:
                low, high = np.minimum(low, ranges[name].low), np.maximum(high, ranges[name].high)
            ranges[name] = Ranges(low, high)
    return ranges


def quantize(
    graph: onnx.ModelProto, ranges: Mapping[str, Ranges], *, keep: Collection[str] = ()
) -> onnx.ModelProto:
    """Copy a graph with its products in integers.

    ranges (Mapping[str, Ranges]): See `observe`.
    keep (Collection[str]): Products that stay in float32, by name.
    """
    products = {item.name: item for item in list_products(graph) if item.name not in keep}
    quantized = onnx.ModelProto()
    quantized.CopyFrom(graph)
    writer = _Writer(quantized.graph, list(products.values()), ranges)
    nodes: List[onnx.NodeProto] = []
    for node in graph.graph.node:
        product = products.get(node.name or node.output[0])
        nodes += [node] if product is None else writer.replace(node, product)
    nodes = _fold_biases(nodes, quantized.graph)
    del quantized.graph.node[:]
    quantized.graph.node.extend(nodes)
    drop_unused(quantized)
    return quantized


def measure_sensitivity(
    graph: onnx.ModelProto,
    ranges: Mapping[str, Ranges],
    batches: List[Tuple[np.ndarray, np.ndarray]],
) -> Dict[str, float]:
    """Say for each product how far states move if it alone is computed in integers.

    RETURNS (Dict[str, float]): Root mean square of the difference, as a share of the states', by
        the product's name, the greatest first.
    """
    names = [product.name for product in list_products(graph)]
    expected = run_graph(graph, batches)
    size = float(np.sqrt(np.mean(expected**2)))
    moved = {}
    for name in names:
        alone = quantize(graph, ranges, keep=[other for other in names if other != name])
        difference = run_graph(alone, batches) - expected
        moved[name] = float(np.sqrt(np.mean(difference**2))) / size
    return dict(sorted(moved.items(), key=lambda item: -item[1]))


def run_graph(
    graph: onnx.ModelProto, batches: Iterable[Tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return the states of all pieces, padding left out; float32, shape (pieces, width)."""
    session = open_session(graph.SerializeToString())
    rows = []
    for embeddings, mask in batches:
        states = session.run([STATES], {EMBEDDINGS: embeddings, MASK: mask})[0]
        rows.append(states[mask.astype(bool)])
    return np.concatenate(rows)


def quantize_table(table: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Turn embeddings into int8 with a scale for each row.

    table (np.ndarray): float32, shape (pieces, width).
    RETURNS (Tuple[np.ndarray, np.ndarray]): int8, and float32, shape (pieces, 1).
    """
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(table / scales).astype(np.int8), scales.astype(np.float32)


class _Writer:
    """Writes the nodes that stand in for products, and what they need once."""

    def __init__(
        self, graph: onnx.GraphProto, products: List[Product], ranges: Mapping[str, Ranges]
    ) -> None:
        self.graph = graph
        self.ranges = ranges
        self.factors = _smooth(products, ranges)
        self.folded = _list_folded(graph, products)
        self.written: Dict[str, Tuple[str, str, str]] = {}

    def replace(self, node: onnx.NodeProto, product: Product) -> List[onnx.NodeProto]:
        before, (activations, scale, zero) = self._quantize_activations(product.activations)
        weights = product.weights * self.factors[product.activations][:, None]
        if node.output[0] in self.folded:
            weights[:, self._values(node)] /= self.factors[node.output[0]]
        scales = np.maximum(np.abs(weights).max(axis=0), 1e-12) / GREATEST
        stem = f"{product.name}_int8"
        names = [
            self._add(f"{stem}_weights", np.round(weights / scales).astype(np.int8)),
            self._add(f"{stem}_scales", scales.astype(np.float32)),
            self._add(f"{stem}_zeros", np.zeros(len(scales), np.int8)),
        ]
        if node.op_type == "MatMul":
            given = [activations, names[0], scale, names[1], zero, names[2]]
            return [*before, self._make(PRODUCT, given, node)]
        bias, mask = self._divide_bias(node, stem), node.input[3]
        given = [activations, names[0], bias, scale, names[1], mask, zero, names[2]]
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        kept = {name: attributes[name] for name in _KEPT_ATTRIBUTES if name in attributes}
        return [*before, self._make("QAttention", given, node, **kept)]

    def _divide_bias(self, node: onnx.NodeProto, stem: str) -> str:
        """Let an attention give what it gave, divided by the factors of the product behind it."""
        if node.output[0] not in self.folded:
            return node.input[2]
        (found,) = (item for item in self.graph.initializer if item.name == node.input[2])
        bias = numpy_helper.to_array(found).astype(np.float32)
        bias[self._values(node)] /= self.factors[node.output[0]]
        return self._add(f"{stem}_bias", bias)

    def _values(self, node: onnx.NodeProto) -> slice:
        """Return the columns of an attention's values, behind those of queries and keys."""
        return slice(-len(self.factors[node.output[0]]), None)

    def _quantize_activations(self, name: str) -> Tuple[List[onnx.NodeProto], Tuple[str, str, str]]:
        if name in self.written:
            return [], self.written[name]
        factors = self.factors[name]
        low = float(min(0.0, (self.ranges[name].low / factors).min()))
        high = float(max(0.0, (self.ranges[name].high / factors).max()))
        scale = max(high - low, 1e-12) / 255
        names = (
            f"{name}_uint8",
            self._add(f"{name}_scale", np.array(scale, np.float32)),
            self._add(f"{name}_zero", np.array(round(-low / scale), np.uint8)),
        )
        self.written[name] = names
        if name in self.folded:
            return [helper.make_node("QuantizeLinear", [name, *names[1:]], [names[0]])], names
        divided = self._add(f"{name}_factors", (1.0 / factors).astype(np.float32))
        nodes = [
            helper.make_node("Mul", [name, divided], [f"{name}_even"]),
            helper.make_node("QuantizeLinear", [f"{name}_even", *names[1:]], [names[0]]),
        ]
        return nodes, names

    def _make(
        self, kind: str, given: List[str], node: onnx.NodeProto, **attributes: Any
    ) -> onnx.NodeProto:
        return helper.make_node(
            kind, given, list(node.output), name=node.name, domain=CONTRIB, **attributes
        )

    def _add(self, name: str, array: np.ndarray) -> str:
        self.graph.initializer.append(numpy_helper.from_array(array, name))
        return name


def _list_folded(graph: onnx.GraphProto, products: List[Product]) -> Set[str]:
    """List what attentions give to one product alone: its factors can go into their values."""
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(item.name for item in graph.output)
    computed = {product.name for product in products}
    given = {product.activations for product in products}
    return {
        node.output[0]
        for node in graph.node
        if node.op_type == "Attention"
        and (node.name or node.output[0]) in computed
        and node.output[0] in given
        and uses[node.output[0]] == 1
    }


def _fold_biases(nodes: List[onnx.NodeProto], graph: onnx.GraphProto) -> List[onnx.NodeProto]:
    """Let products in integers add the bias that is added to what they give."""
    vectors = {item.name for item in graph.initializer if len(item.dims) == 1}
    uses = Counter(name for node in nodes for name in node.input)
    products = {node.output[0]: node for node in nodes if node.op_type == PRODUCT}
    kept = []
    for node in nodes:
        summed = [name for name in node.input if name in products and uses[name] == 1]
        bias = [name for name in node.input if name in vectors]
        if node.op_type not in ("Add", "BiasGelu") or len(summed) != 1 or len(bias) != 1:
            kept.append(node)
            continue
        product = products[summed[0]]
        product.input.append(bias[0])
        if node.op_type == "Add":
            product.output[0] = node.output[0]
        else:
            kept.append(helper.make_node("Gelu", summed, list(node.output), domain=CONTRIB))
    return kept


def _smooth(products: List[Product], ranges: Mapping[str, Ranges]) -> Dict[str, np.ndarray]:
    """Find what each column of activations is divided by, and its weights are multiplied with."""
    heaviest: Dict[str, np.ndarray] = {}
    for product in products:
        own = np.abs(product.weights).max(axis=1)
        heaviest[product.activations] = np.maximum(heaviest.get(product.activations, 0.0), own)
    factors = {}
    for name, weights in heaviest.items():
        size = np.maximum(np.abs(ranges[name].low), np.abs(ranges[name].high))
        raw = np.maximum(size, 1e-5) ** SMOOTHING / np.maximum(weights, 1e-5) ** (1 - SMOOTHING)
        factors[name] = raw / np.exp(np.mean(np.log(raw)))
    return factors
