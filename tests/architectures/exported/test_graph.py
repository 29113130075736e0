from collections import Counter

import numpy as np
import pytest
import torch
import transformers
from numpy.testing import assert_array_equal

from spacy_bioner.architectures.encoder_source import build_transformer
from spacy_bioner.architectures.exported import graph as graphs
from spacy_bioner.architectures.exported.graph import drop_masks, trace_encoder
from spacy_bioner.architectures.exported.onnx_encoder import MASK, STATES
from spacy_bioner.architectures.exported.quantization import list_products
from spacy_bioner.architectures.exported.sessions import open_session
from spacy_bioner.errors import EncoderError
from spacy_bioner.layers.pooled_encoder import PooledEncoder

SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 50}
SIZE |= {"intermediate_size": 64, "max_position_embeddings": 66}
FAMILIES = {
    "bert": transformers.BertConfig(**SIZE),
    "roberta": transformers.RobertaConfig(**SIZE, pad_token_id=1),
    "electra": transformers.ElectraConfig(**SIZE, embedding_size=16),
    "albert": transformers.AlbertConfig(**SIZE, embedding_size=16),
    "distilbert": transformers.DistilBertConfig(
        dim=32, n_layers=2, n_heads=2, hidden_dim=64, vocab_size=50, max_position_embeddings=66
    ),
    "deberta-v2": transformers.DebertaV2Config(
        **SIZE, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=8
    ),
    "mpnet": transformers.MPNetConfig(**SIZE),
}


def make_encoder(family):
    torch.manual_seed(0)
    config = FAMILIES[family].to_dict()
    return PooledEncoder(build_transformer(config)).eval(), config


@pytest.mark.parametrize("family", FAMILIES)
def test_families_give_the_states_of_torch(family):
    # `trace_encoder` compares them on windows of other lengths than the traced ones.
    graph = trace_encoder(*make_encoder(family))
    kinds = Counter(node.op_type for node in graph.graph.node)
    assert kinds["MatMul"] + kinds["Attention"] + kinds["Gemm"] > 0


def test_attention_of_bert_is_one_node_a_layer():
    kinds = Counter(node.op_type for node in trace_encoder(*make_encoder("bert")).graph.node)
    assert kinds["Attention"] == 2
    assert kinds["Softmax"] == 0
    assert kinds["LayerNormalization"] == 5


def test_attention_of_mpnet_is_one_node_a_layer_and_its_products_have_names_of_their_own():
    graph = trace_encoder(*make_encoder("mpnet"))
    kinds = Counter(node.op_type for node in graph.graph.node)
    assert kinds["MultiHeadAttention"] == 2
    assert kinds["Softmax"] == kinds["Log"] == 0
    assert kinds["LayerNormalization"] == 5
    # Queries, keys, values, what attention gives, and two more, a layer.
    names = [product.name for product in list_products(graph)]
    assert len(set(names)) == len(names) == 12


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_without_padding_need_no_masks(family):
    graph = trace_encoder(*make_encoder(family))
    before = graph.SerializeToString()
    bare = drop_masks(graph)
    assert graph.SerializeToString() == before
    assert (bare is not None) == (family not in ("albert", "deberta-v2"))
    if bare is not None:
        assert MASK not in {name for node in bare.graph.node for name in node.input}
        assert len(bare.graph.node) < len(graph.graph.node)
        used = {name for node in bare.graph.node for name in node.input}
        assert {item.name for item in bare.graph.initializer} <= used
        width = FAMILIES[family].to_dict().get("embedding_size", 32)
        given = graphs._draw_inputs(width, (7, 7, 7))
        expected, found = (
            open_session(own.SerializeToString()).run([STATES], given)[0] for own in (graph, bare)
        )
        assert_array_equal(found, expected)


def test_a_graph_with_other_states_is_refused(monkeypatch):
    fuse = graphs._fuse

    def spoil(graph, config):
        fused = fuse(graph, config)
        for item in fused.graph.initializer:
            if "LayerNorm.bias" in item.name:
                array = np.zeros(item.dims, np.float32) + 0.1
                item.CopyFrom(graphs.onnx.numpy_helper.from_array(array, item.name))
        return fused

    monkeypatch.setattr(graphs, "_fuse", spoil)
    with pytest.raises(EncoderError, match="family 'bert' cannot be exported: states of the graph"):
        trace_encoder(*make_encoder("bert"))


def test_a_family_that_cannot_be_traced_is_refused(monkeypatch):
    def fail(*args, **settings):
        raise RuntimeError("no symbol\nand more")

    monkeypatch.setattr(graphs.torch.onnx, "export", fail)
    with pytest.raises(EncoderError, match=r"family 'bert' cannot be exported: no symbol$"):
        trace_encoder(*make_encoder("bert"))
