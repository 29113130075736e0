import numpy as np
import pytest
import torch
from thinc.api import Adam, Model, set_dropout_rate

from spacy_bioner.architectures.encoders import build_transformer_encoder
from spacy_bioner.architectures.token_classifier import build_token_classifier
from spacy_bioner.architectures.torch_bridge import (
    clip_gradients,
    follow_settings,
    make_adamw,
    torch_shims,
)


@pytest.fixture
def classifier(tiny_bert) -> Model:
    model = build_token_classifier(build_transformer_encoder(str(tiny_bert), precision="float32"))
    model.set_dim("nO", 3)
    model.initialize()
    return model


def test_classifier_gives_emissions_per_token(classifier, blank_nlp):
    docs = [blank_nlp("Naloxone in rats"), blank_nlp("rats")]
    assert [rows.shape for rows in classifier.predict(docs)] == [(3, 3), (1, 3)]


def test_classifier_sends_the_head_gradient_to_the_encoder(classifier, blank_nlp):
    set_dropout_rate(classifier, 0.0)
    emissions, backprop = classifier.begin_update([blank_nlp("Naloxone in rats")])
    backprop([np.ones_like(rows) for rows in emissions])
    encoder, head = torch_shims(classifier)
    # Each token's emissions get gradient 1, so the bias gets one per token.
    assert head.module.output.bias.grad.tolist() == [3.0, 3.0, 3.0]
    assert encoder.module.transformer.embeddings.word_embeddings.weight.grad.abs().sum() > 0


def test_clip_gradients_scales_all_parts_to_one_norm(classifier, blank_nlp):
    emissions, backprop = classifier.begin_update([blank_nlp("Naloxone in rats")])
    backprop([10 * np.ones_like(rows) for rows in emissions])
    before = clip_gradients(classifier, 0.5)
    grads = [
        p.grad for s in torch_shims(classifier) for p in s.module.parameters() if p.grad is not None
    ]
    after = torch.sqrt(sum((grad**2).sum() for grad in grads))
    assert before > 0.5
    assert float(after) == pytest.approx(0.5, rel=1e-4)


def test_follow_settings_takes_schedule_and_decay_from_the_config():
    module = torch.nn.Linear(2, 2)
    adamw = make_adamw(module, lambda name: 3.0)
    optimizer = Adam(0.1, beta1=0.8, beta2=0.9, L2=0.05, use_averages=False)
    follow_settings(adamw, optimizer)
    weights, biases = adamw.param_groups
    assert weights["lr"] == pytest.approx(0.3)
    assert weights["betas"] == (0.8, 0.9)
    assert weights["weight_decay"] == 0.05
    assert biases["weight_decay"] == 0.0
    assert len(biases["params"]) == 1


def test_finish_update_equals_a_bare_torch_step(classifier, blank_nlp):
    import copy

    set_dropout_rate(classifier, 0.0)
    head = classifier.get_ref("output_layer").shims[0]
    twin = copy.deepcopy(head.module)
    emissions, backprop = classifier.begin_update([blank_nlp("Naloxone in rats")])
    backprop([np.ones_like(rows) for rows in emissions])
    for mine, its in zip(twin.parameters(), head.module.parameters()):
        mine.grad = its.grad.clone()
    groups = [
        {"params": [twin.output.weight], "weight_decay": 0.01},
        {"params": [twin.output.bias], "weight_decay": 0.0},
    ]
    torch.nn.utils.clip_grad_norm_(twin.parameters(), 1e9)
    torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.999), eps=1e-8).step()
    classifier.finish_update(Adam(0.01, L2=0.01, grad_clip=0.0, use_averages=False))
    assert torch.allclose(twin.output.weight, head.module.output.weight, atol=1e-6)
    assert torch.allclose(twin.output.bias, head.module.output.bias, atol=1e-6)


def test_classifier_bytes_round_trip(classifier, blank_nlp):
    docs = [blank_nlp("Naloxone in rats")]
    again = build_token_classifier(build_transformer_encoder("x", precision="float32"))
    again.from_bytes(classifier.to_bytes())
    np.testing.assert_array_equal(again.predict(docs)[0], classifier.predict(docs)[0])
