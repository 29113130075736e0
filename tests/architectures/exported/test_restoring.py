import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_array_equal

from spacy_bioner.architectures.exported import restoring
from spacy_bioner.architectures.exported.graph import drop_masks, trace_encoder
from spacy_bioner.architectures.exported.quantization import list_products, observe, quantize
from spacy_bioner.architectures.exported.restoring import can_restore, restore_classifier
from spacy_bioner.errors import ConfigError, EncoderError
from tests.architectures.exported.test_graph import FAMILIES, make_encoder

SETTINGS = {"unit": "document", "window": 16, "overlap": 4, "pooling": "first"}


def draw_batches(family):
    width = FAMILIES[family].to_dict().get("embedding_size", 32)
    generator = np.random.default_rng(1)
    for length in (5, 12):
        embeddings = generator.standard_normal((3, length, width)).astype(np.float32)
        yield embeddings, np.ones((3, length), np.int64)


def unlike_others(module):
    # Biases start at 0 and normalizations at 1: with values of their own, a mistake shows.
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


# What DeBERTa makes of its table of distances is computed in tracing: the table is not there.
@pytest.mark.parametrize("family", sorted({*FAMILIES} - {"deberta-v2"}))
def test_weights_of_all_families_are_read_from_their_graph(family):
    module, config = make_encoder(family)
    unlike_others(module)
    compare_weights(module, config)


@pytest.mark.parametrize("family", ["bert", "mpnet"])
def test_weights_that_are_equal_are_told_apart(family):
    # All biases are 0 here: one constant of the graph stands for them.
    compare_weights(*make_encoder(family))


def compare_weights(module, config):
    embeddings = module.transformer.get_input_embeddings().weight
    graph = trace_encoder(module, config)
    found = restoring._read_weights(drop_masks(graph) or graph, config)
    for name, parameter in module.transformer.named_parameters():
        if parameter is not embeddings:
            assert_array_equal(found[name], parameter.detach().numpy(), err_msg=name)


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "distilbert", "mpnet"])
def test_weights_of_an_int8_graph_come_back_rounded(family):
    module, config = make_encoder(family)
    unlike_others(module)
    graph = trace_encoder(module, config)
    batches = list(draw_batches(family))
    light = quantize(graph, observe(graph, batches), keep=[list_products(graph)[1].name])
    found = restoring._read_weights(drop_masks(light) or light, config)
    # Two products in a row may share factors between them: what counts is what they give.
    states = module.transformer(
        inputs_embeds=torch.from_numpy(batches[0][0]),
        attention_mask=torch.from_numpy(batches[0][1]),
    ).last_hidden_state.detach()
    with torch.no_grad():
        for name, parameter in module.transformer.named_parameters():
            if name in found:
                parameter.copy_(torch.from_numpy(np.array(found[name])))
    restored = module.transformer(
        inputs_embeds=torch.from_numpy(batches[0][0]),
        attention_mask=torch.from_numpy(batches[0][1]),
    ).last_hidden_state.detach()
    error = (restored - states).norm() / states.norm()
    assert 0 < error < 0.02


@pytest.mark.parametrize("folder", ["trained_folder", "trained_mpnet_folder"])
def test_a_float32_export_is_restored_to_the_last_bit(folder, request, export_model):
    trained = spacy.load(request.getfixturevalue(folder)).get_pipe("bioner").model
    exported = export_model("float32", spacy.load(request.getfixturevalue(folder)))
    restored = restore_classifier(exported)
    for part in ("encoder", "output_layer"):
        before, after = (model.get_ref(part).shims[0].module for model in (trained, restored))
        assert before.state_dict().keys() == after.state_dict().keys()
        for name, tensor in before.state_dict().items():
            assert_array_equal(after.state_dict()[name].numpy(), tensor.numpy(), err_msg=name)


@pytest.mark.parametrize("value", [SETTINGS, {"unit": "neighbours"}])
def test_settings_of_the_encoder_come_back(value, export_model):
    encoder = restore_classifier(export_model("int8", **value)).get_ref("encoder")
    for name, expected in value.items():
        assert encoder.attrs[name] == expected


def test_an_export_without_its_config_takes_that_of_its_checkpoint(export_model):
    exported = export_model("float32")
    shim = exported.get_ref("encoder").shims[0]
    expected = shim.spec.pop("config")
    restored = restore_classifier(exported).get_ref("encoder").shims[0].spec["config"]
    for name in ("model_type", "hidden_size", "num_hidden_layers"):
        assert restored[name] == expected[name]


def test_an_earlier_export_without_its_checkpoint_says_what_it_needs(export_model):
    exported = export_model("float32")
    encoder = exported.get_ref("encoder")
    del encoder.shims[0].spec["config"]
    encoder.attrs["name"] = "package:not_here"
    with pytest.raises(
        EncoderError, match=r"of an earlier version, .* 'package:not_here' is not h"
    ):
        restore_classifier(exported)


def test_what_cannot_be_restored_is_told(export_model, trained_folder):
    model = spacy.load(trained_folder).get_pipe("bioner").model
    assert not can_restore(model)
    assert not can_restore(None)
    with pytest.raises(ConfigError, match="found no model that `bioner export` made"):
        restore_classifier(model)
    exported = export_model("float32")
    exported.get_ref("encoder").shims[0].spec["config"]["vocab_size"] += 1
    with pytest.raises(EncoderError, match=r"of shape .*; the checkpoint of its name"):
        restore_classifier(exported)


def test_a_graph_of_another_version_is_refused(export_model):
    exported = export_model("float32")
    shim = exported.get_ref("encoder").shims[0]
    graph = restoring.onnx.load_model_from_string(shim.graph)
    for node in graph.graph.node:
        node.name = f"later/{node.name}"
    shim.graph = graph.SerializeToString()
    with pytest.raises(EncoderError, match=r"its graph has no constant at .*; it was written by"):
        restore_classifier(exported)
