import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spacy_bioner.architectures.exported import quantization
from spacy_bioner.architectures.exported.quantization import (
    GREATEST,
    list_products,
    measure_sensitivity,
    observe,
    quantize,
    quantize_table,
    run_graph,
)
from tests.architectures.exported.test_graph import make_encoder, trace_encoder


@pytest.fixture(scope="module")
def graph():
    return trace_encoder(*make_encoder("bert"))


@pytest.fixture(scope="module")
def batches():
    generator = np.random.default_rng(1)
    mask = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    return [(generator.standard_normal((2, 5, 32)).astype(np.float32), mask) for _ in range(6)]


def kinds_of(graph):
    return [node.op_type for node in graph.graph.node]


def test_products_of_a_layer_are_four(graph):
    names = [product.name for product in list_products(graph)]
    assert len(names) == len(set(names)) == 8
    assert list_products(graph)[0].weights.shape == (32, 96)


def test_ranges_leave_padding_out(graph, batches):
    ranges = observe(graph, batches)
    embeddings, mask = batches[0]
    far = np.where(mask[..., None] == 1, embeddings, 100.0).astype(np.float32)
    padded = observe(graph, [(far, mask), *batches[1:]])
    for name, found in ranges.items():
        assert (found.low <= found.high).all()
        assert_allclose(padded[name].low, found.low, atol=1e-6)
        assert_allclose(padded[name].high, found.high, atol=1e-6)


def test_ranges_hold_all_batches(graph, batches):
    together, parts = observe(graph, batches), [observe(graph, [batch]) for batch in batches]
    for name, found in together.items():
        assert_array_equal(found.low, np.min([part[name].low for part in parts], axis=0))
        assert_array_equal(found.high, np.max([part[name].high for part in parts], axis=0))


def test_quantized_graph_has_integer_products_and_near_states(graph, batches):
    quantized = quantize(graph, observe(graph, batches))
    kinds = kinds_of(quantized)
    assert kinds.count("QAttention") == 2
    assert kinds.count("MatMulIntegerToFloat") == 6
    assert kinds.count("QuantizeLinear") == 8
    assert not {"MatMul", "Attention", "BiasGelu"} & set(kinds)
    expected, found = run_graph(graph, batches), run_graph(quantized, batches)
    assert 0 < np.sqrt(np.mean((found - expected) ** 2)) < 0.05 * np.sqrt(np.mean(expected**2))


def test_what_attention_gives_is_divided_by_way_of_its_values(graph, batches, monkeypatch):
    ranges = observe(graph, batches)
    folded = quantize(graph, ranges)
    monkeypatch.setattr(quantization, "_list_folded", lambda graph, products: set())
    multiplied = quantize(graph, ranges)
    counts = [kinds_of(own).count("Mul") for own in (multiplied, folded)]
    assert counts[0] - counts[1] == 2
    left, right = run_graph(folded, batches), run_graph(multiplied, batches)
    assert np.sqrt(np.mean((left - right) ** 2)) < 0.01 * np.sqrt(np.mean(right**2))


def test_an_attention_in_float32_is_not_divided(graph, batches):
    products = list_products(graph)
    attentions = [own.name for own in products if own.weights.shape == (32, 96)]
    ranges = observe(graph, batches)
    expected = run_graph(graph, batches)
    for kept in (attentions, [own.name for own in products if own.weights.shape == (32, 32)]):
        found = run_graph(quantize(graph, ranges, keep=kept), batches)
        assert np.sqrt(np.mean((found - expected) ** 2)) < 0.05 * np.sqrt(np.mean(expected**2))


def test_weights_have_seven_bits(graph, batches):
    quantized = quantize(graph, observe(graph, batches))
    arrays = [
        onnx.numpy_helper.to_array(item)
        for item in quantized.graph.initializer
        if item.name.endswith("_weights")
    ]
    assert len(arrays) == 8
    assert {array.dtype for array in arrays} == {np.dtype(np.int8)}
    assert max(np.abs(array.astype(int)).max() for array in arrays) == GREATEST == 63


def test_kept_products_stay_as_they_are(graph, batches):
    names = [product.name for product in list_products(graph)]
    ranges = observe(graph, batches)
    kept = quantize(graph, ranges, keep=names)
    assert kinds_of(kept) == kinds_of(graph)
    assert_array_equal(run_graph(kept, batches), run_graph(graph, batches))
    one = quantize(graph, ranges, keep=names[:1])
    assert kinds_of(one).count("Attention") == 1
    assert kinds_of(one).count("QAttention") == 1


def test_the_original_stays_as_it_is(graph, batches):
    before = graph.SerializeToString()
    quantize(graph, observe(graph, batches))
    assert graph.SerializeToString() == before


def test_uneven_columns_cost_less_where_they_are_smoothed(graph, batches, monkeypatch):
    wide = np.ones(32, np.float32)
    wide[3] = 40.0
    uneven = [(embeddings * wide, mask) for embeddings, mask in batches]
    expected = run_graph(graph, uneven)

    def error():
        found = run_graph(quantize(graph, observe(graph, uneven)), uneven)
        return float(np.mean((found - expected) ** 2))

    smoothed = error()
    monkeypatch.setattr("spacy_bioner.architectures.exported.quantization.SMOOTHING", 0.0)
    assert smoothed < error()


def test_sensitivity_names_the_spoiled_product_first(graph, batches):
    ranges = observe(graph, batches)
    products = list_products(graph)
    spoiled = products[5].activations
    broad = type(ranges[spoiled])(ranges[spoiled].low * 50, ranges[spoiled].high * 50)
    found = measure_sensitivity(graph, {**ranges, spoiled: broad}, batches)
    assert next(iter(found)) == products[5].name
    assert set(found) == {product.name for product in products}
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_table_has_a_scale_for_each_row():
    table = np.array([[0.0, 0.0], [1.27, -0.5], [1000.0, 3.0]], dtype=np.float32)
    rows, scales = quantize_table(table)
    assert rows.dtype == np.int8
    assert_array_equal(rows, [[0, 0], [127, -50], [127, 0]])
    assert_allclose(rows * scales, [[0, 0], [1.27, -0.5], [1000, 0]], atol=1e-5)
