"""What training can be told: rates by layer, averaged weights, states computed anew."""

import pytest
import torch
from thinc.api import Adam

from spacy_bioner.architectures.encoders import build_transformer_encoder
from spacy_bioner.architectures.token_classifier import build_token_classifier
from spacy_bioner.architectures.torch_bridge import (
    TorchShim,
    follow_settings,
    make_adamw,
    torch_shims,
)
from spacy_bioner.errors import EncoderError


def make_encoder(tiny_bert, **settings):
    model = build_transformer_encoder(str(tiny_bert), precision="float32", **settings)
    model.initialize()
    return model


def test_layer_decay_lowers_the_rate_of_deeper_layers(tiny_bert):
    (shim,) = torch_shims(make_encoder(tiny_bert, layer_decay=0.5))
    names = [name for name, _ in shim.module.named_parameters()]
    top = next(name for name in names if ".layer.1." in name)
    bottom = next(name for name in names if ".layer.0." in name)
    embeddings = next(name for name in names if "word_embeddings" in name)
    assert [shim.lr_scale(name) for name in (top, bottom, embeddings)] == [1.0, 0.5, 0.25]


def test_layer_decay_out_of_range_is_refused(tiny_bert):
    with pytest.raises(EncoderError, match=r"layer_decay = 1\.5: expected 0 < value ≤ 1"):
        build_transformer_encoder(str(tiny_bert), layer_decay=1.5)


def test_a_crf_has_a_rate_of_its_own(tiny_bert):
    encoder = build_transformer_encoder(str(tiny_bert), precision="float32")
    model = build_token_classifier(encoder, lr_scale=2.0, crf=True, crf_lr_scale=10.0)
    model.set_dim("nO", 3)
    model.initialize()
    head = torch_shims(model)[1]
    assert head.lr_scale("output.weight") == 2.0
    assert head.lr_scale("crf.transitions") == 20.0


def test_states_computed_anew_give_the_same_gradients(tiny_bert, blank_nlp):
    found = []
    for checkpointing in (False, True):
        model = make_encoder(tiny_bert, checkpointing=checkpointing)
        (shim,) = torch_shims(model)
        # The same states are dropped: checkpoints keep the random state of their first pass.
        torch.manual_seed(0)
        states, backprop = model.begin_update([blank_nlp("Naloxone in rats")])
        backprop(states)
        assert shim.module.transformer.is_gradient_checkpointing == checkpointing
        weight = shim.module.transformer.embeddings.word_embeddings.weight
        found.append(weight.grad.clone())
    torch.testing.assert_close(*found)


def build_linear(spec):
    return torch.nn.Linear(1, 1, bias=False)


def test_averages_stand_in_for_the_weights_for_a_while():
    shim = TorchShim(build_linear)
    module = build_linear({})
    shim.set_module({}, module)
    optimizer = Adam(0.1, use_averages=True)
    seen = []
    for _ in range(3):
        shim.module.weight.grad = torch.ones(1, 1)
        shim.finish_update(optimizer)
        seen.append(float(shim.module.weight.detach()))
    # Step t has weight max(1 / t, 10 / (t + 10)) = 1, 10/12, 10/13.
    mean = seen[0]
    for value, share in zip(seen[1:], (10 / 12, 10 / 13)):
        mean += share * (value - mean)
    assert optimizer.averages
    with shim.use_params(optimizer.averages):
        assert float(shim.module.weight.detach()) == pytest.approx(mean)
    assert float(shim.module.weight.detach()) == seen[-1]


def test_weights_that_were_packed_are_stale_after_a_failure_with_averages(monkeypatch):
    module = build_linear({})
    shim = TorchShim(build_linear)
    shim.set_module({}, module)
    optimizer = Adam(0.1, use_averages=True)
    shim.module.weight.grad = torch.ones(1, 1)
    shim.finish_update(optimizer)
    modes = []
    monkeypatch.setattr(module, "train", lambda mode=True: modes.append(mode))
    with pytest.raises(KeyError), shim.use_params(optimizer.averages):
        raise KeyError("stopped")
    assert modes == [True, True]


def test_biases_and_normalizations_are_not_decayed():
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    adamw = make_adamw(module, lambda name: 2.0 if name == "0.bias" else 1.0)
    follow_settings(adamw, Adam(0.1, L2=0.5, beta1=0.8, beta2=0.9, eps=0.01))
    groups = {id(p): group for group in adamw.param_groups for p in group["params"]}
    found = {name: groups[id(parameter)] for name, parameter in module.named_parameters()}
    assert {name: group["weight_decay"] for name, group in found.items()} == {
        "0.weight": 0.5,
        "0.bias": 0.0,
        "1.weight": 0.0,
        "1.bias": 0.0,
    }
    assert {name: group["lr"] for name, group in found.items()} == pytest.approx(
        {"0.weight": 0.1, "0.bias": 0.2, "1.weight": 0.1, "1.bias": 0.1}
    )
    assert all(group["betas"] == (0.8, 0.9) and group["eps"] == 0.01 for group in found.values())
