import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from thinc.api import Adam, Model

from spacy_bioner.architectures.encoders import (
    _may_pad,
    build_transformer_encoder,
    prepare_batches,
)
from spacy_bioner.architectures.loss_scaling import FIRST_SCALE, LossScaler
from spacy_bioner.architectures.torch_bridge import clip_shims
from spacy_bioner.errors import EncoderError
from spacy_bioner.layers.fast_linear import round_up_rows


@pytest.fixture
def make_encoder(tiny_bert):
    def build(**settings) -> Model:
        settings = {"precision": "float32", **settings}
        model = build_transformer_encoder(str(tiny_bert), **settings)
        model.initialize()
        return model

    return build


@pytest.fixture
def docs(blank_nlp):
    texts = [
        "Naloxone reverses the effect of clonidine. It rose.",
        "",
        "rats",
        "  \n ",
        "hypertension in rats " * 40,
    ]
    return [blank_nlp(text) for text in texts]


def test_encoder_gives_a_row_per_token(make_encoder, docs):
    states = make_encoder().predict(docs)
    assert [rows.shape for rows in states] == [(len(doc), 32) for doc in docs]
    assert all(rows.dtype == np.float32 for rows in states)


def test_encoder_state_is_the_mean_of_the_pieces(make_encoder, blank_nlp):
    import torch

    model = make_encoder(unit="document")
    doc = blank_nlp("Naloxone zz rats")
    module = model.shims[0].module.transformer.eval()
    encoding = model.shims[0].tokenizer.encode(doc.text)
    assert encoding.tokens == ["[CLS]", "Naloxone", "z", "##z", "rats", "[SEP]"]
    with torch.no_grad():
        hidden = module(input_ids=torch.tensor([encoding.ids])).last_hidden_state[0].numpy()
    expected = np.stack([hidden[1], hidden[2:4].mean(axis=0), hidden[4]])
    assert_allclose(model.predict([doc])[0], expected, atol=1e-5)


def test_encoder_pooling_first_takes_the_first_piece(make_encoder, blank_nlp):
    doc = blank_nlp("Naloxone zz rats")
    mean, first = make_encoder(unit="document"), make_encoder(unit="document", pooling="first")
    assert_allclose(mean.predict([doc])[0][[0, 2]], first.predict([doc])[0][[0, 2]], atol=1e-5)
    assert abs(mean.predict([doc])[0][1] - first.predict([doc])[0][1]).max() > 1e-3


def test_encoder_token_without_pieces_is_zero(make_encoder, blank_nlp):
    doc = blank_nlp("rats \n\n rats")
    spaces = [token.i for token in doc if token.is_space]
    assert spaces
    assert not make_encoder().predict([doc])[0][spaces].any()


def test_encoder_batch_equals_one_by_one(make_encoder, docs):
    model = make_encoder(batch_pieces=200)
    together = model.predict(docs)
    for doc, rows in zip(docs, together):
        assert_allclose(model.predict([doc])[0], rows, atol=1e-5)


def test_batches_of_inference_that_do_not_fit_are_halved(make_encoder, blank_nlp, monkeypatch):
    encoder = make_encoder()
    docs = [blank_nlp("hypertension in rats") for _ in range(5)]
    expected = encoder.predict(docs)
    transformer, sizes = encoder.shims[0].module.transformer, []
    whole = transformer.forward

    def forward(inputs_embeds, **others):
        sizes.append(len(inputs_embeds))
        if len(inputs_embeds) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(inputs_embeds=inputs_embeds, **others)

    monkeypatch.setattr(transformer, "forward", forward)
    monkeypatch.setattr(encoder.shims[0].module, "_choose_transformer", lambda device: transformer)
    for own, other in zip(encoder.predict(docs), expected, strict=True):
        assert_allclose(own, other, atol=1e-5)
    assert sizes == [5, 2, 3, 1, 2]
    with pytest.raises(torch.OutOfMemoryError):
        encoder.begin_update(docs)


def test_batches_of_inference_have_one_of_few_sizes(make_encoder, blank_nlp, monkeypatch):
    from spacy_bioner.layers import pooled_encoder

    model, met = make_encoder(unit="document"), []
    forward = pooled_encoder.PooledEncoder.forward

    def watch(self, batches, weights):
        met.extend(batch.ids.numel() for batch in batches)
        return forward(self, batches, weights)

    monkeypatch.setattr(pooled_encoder.PooledEncoder, "forward", watch)
    doc = blank_nlp("rats " * 29)
    model.predict([doc])
    model.begin_update([doc])
    assert met == [32, 31]
    assert round_up_rows(31) == 32


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("Bert", {}, True),
        ("ConvBert", {"embedding_size": 16}, False),
        ("MobileBert", {"embedding_size": 16, "intra_bottleneck_size": 16}, False),
    ],
)
def test_only_encoders_that_ignore_padding_are_padded(name, settings, expected):
    import torch
    import transformers

    from spacy_bioner.layers.pooled_encoder import PooledEncoder

    small = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = getattr(transformers, f"{name}Config")(**small, intermediate_size=16, **settings)
    module = PooledEncoder(getattr(transformers, f"{name}Model")(config))
    assert module.ignores_padding is expected
    assert _may_pad(module, torch.device("cpu")) is expected
    assert not _may_pad(module, torch.device("meta"))


def test_encoder_windows_hold_every_piece_of_a_long_document(make_encoder, blank_nlp):
    doc = blank_nlp("rats in hypertension " * 100)
    model = make_encoder(unit="document", overlap=10)
    batches, weights = prepare_batches(model, [doc])
    assert sum(len(batch.ids) for batch in batches) > 4
    assert all(batch.ids.shape[1] <= 64 for batch in batches)
    assert int(sum(len(batch.target) for batch in batches)) == len(doc)
    assert weights.min() == 1.0


def test_encoder_gradient_matches_finite_differences(make_encoder, blank_nlp):
    import torch

    model = make_encoder(unit="document")
    module = model.shims[0].module.double()
    doc = blank_nlp("Naloxone zz")
    batches, weights = prepare_batches(model, [doc])
    module.eval()
    parameter = module.transformer.encoder.layer[0].output.dense.bias
    direction = torch.randn(2, 32, generator=torch.Generator().manual_seed(1))

    def value() -> torch.Tensor:
        return (module(batches, weights) * direction).sum()

    value().backward()
    step = 1e-2
    with torch.no_grad():
        for index in (0, 7, 31):
            parameter[index] += step
            above = value()
            parameter[index] -= 2 * step
            below = value()
            parameter[index] += step
            expected = (above - below) / (2 * step)
            assert float(parameter.grad[index]) == pytest.approx(
                float(expected), rel=0.02, abs=1e-3
            )


def test_encoder_inference_equals_the_training_path(make_encoder, docs):
    # Inference in float32 runs on packed copies of the linear layers.
    model = make_encoder()
    for part in model.shims[0].module.modules():
        for setting in {"p", "dropout_prob"} & set(vars(part)):
            setattr(part, setting, 0.0)
    trained, _ = model.begin_update(docs)
    for left, right in zip(model.predict(docs), trained):
        assert_allclose(left, right, atol=1e-5)


def test_encoder_inference_follows_an_update(make_encoder, docs):
    model = make_encoder()
    before = model.predict(docs)[0].copy()
    states, backprop = model.begin_update(docs)
    backprop([np.ones_like(rows) for rows in states])
    model.finish_update(Adam(0.01))
    after = model.predict(docs)[0]
    fresh = build_transformer_encoder("x", precision="float32").from_bytes(model.to_bytes())
    assert abs(after - before).max() > 1e-4
    np.testing.assert_array_equal(fresh.predict(docs)[0], after)


def test_encoder_copies_leave_packed_weights_behind(make_encoder, docs):
    model = make_encoder()
    expected = model.predict(docs)[0]
    assert "_fast" not in "".join(model.shims[0].module.state_dict())
    np.testing.assert_array_equal(model.copy().predict(docs)[0], expected)


def test_encoder_learns(make_encoder, docs):
    model = make_encoder()
    before = model.predict(docs)[0].copy()
    states, backprop = model.begin_update(docs)
    backprop([np.ones_like(rows) for rows in states])
    model.finish_update(Adam(0.01))
    assert abs(model.predict(docs)[0] - before).max() > 1e-4


def test_encoder_bytes_carry_weights_and_tokenizer(make_encoder, docs):
    model = make_encoder()
    again = build_transformer_encoder("no/such-name", precision="float32").from_bytes(
        model.to_bytes()
    )
    assert again.get_dim("nO") == 32
    for left, right in zip(model.predict(docs), again.predict(docs)):
        np.testing.assert_array_equal(left, right)


def test_encoder_bfloat16_is_close_to_float32(make_encoder, docs):
    full, half = make_encoder(), make_encoder(precision="bfloat16")
    assert_allclose(half.predict(docs)[0], full.predict(docs)[0], atol=0.1)


@pytest.mark.parametrize(
    "settings", [{"unit": "page"}, {"pooling": "max"}, {"precision": "int3"}, {"overlap": 600}]
)
def test_encoder_rejects_unknown_settings(settings):
    with pytest.raises(EncoderError, match=next(iter(settings))):
        build_transformer_encoder("x", **settings)


def test_encoder_float16_needs_a_gpu(tiny_bert):
    with pytest.raises(EncoderError, match="GPU"):
        build_transformer_encoder(str(tiny_bert), precision="float16").initialize()


def test_encoder_trained_in_float16_runs_on_a_cpu(make_encoder, docs, tiny_bert, caplog):
    full = make_encoder()
    half = build_transformer_encoder(str(tiny_bert), precision="float16")
    half.from_bytes(full.to_bytes())
    assert "taken as auto on this CPU" in caplog.text
    assert half.predict(docs)[0].shape == full.predict(docs)[0].shape


def test_encoder_in_float16_learns_with_scaled_gradients(make_encoder, docs):
    import torch

    gradients = {}
    for scaled in (False, True):
        model = make_encoder()
        shim = model.shims[0]
        shim.module.eval().train = lambda mode=True, module=shim.module: module  # no dropout
        if scaled:
            # What a GPU would choose by the setting; the CPU computes it too, if slowly.
            shim.module.precision, shim.scaler = torch.float16, LossScaler()
        states, backprop = model.begin_update(docs)
        # Too small for float16, whose least number is 6e-8.
        backprop([np.full_like(rows, 1e-8) for rows in states])
        norm = clip_shims([shim], 1e9)
        gradients[scaled] = norm
    assert gradients[True] == pytest.approx(gradients[False], rel=0.05)
    shim.finish_update(Adam(0.1))
    assert shim.scaler.n_skipped == 0


def test_encoder_in_float16_leaves_a_step_out_that_overflows(make_encoder, docs):
    model = make_encoder()
    shim = model.shims[0]
    shim.scaler = LossScaler()
    before = shim.to_bytes()
    states, backprop = model.begin_update(docs)
    backprop([np.full_like(rows, np.inf) for rows in states])
    shim.finish_update(Adam(0.1))
    assert shim.to_bytes() == before
    assert (shim.scaler.n_skipped, shim.scaler.scale) == (1, FIRST_SCALE / 2)
    assert all(parameter.grad is None for parameter in shim.module.parameters())


def test_encoder_chooses_precision_anew_on_another_device(make_encoder):
    import torch

    model = make_encoder()
    shim = model.shims[0]
    shim.module.precision = torch.bfloat16
    shim.to_device("cpu", -1)
    assert shim.module.precision == torch.float32


def test_encoder_packed_weights_do_not_outlive_a_move(make_encoder, docs):
    model = make_encoder()
    module = model.shims[0].module
    before = model.predict(docs)
    assert vars(module)["_fast"] is not None
    module.double()
    assert vars(module)["_fast"] is None
    for left, right in zip(before, model.predict(docs)):
        assert_allclose(left, right, atol=1e-5)


def test_loading_draws_no_weights(tiny_bert):
    model = build_transformer_encoder(str(tiny_bert))
    model.initialize()
    saved = model.to_bytes()
    before = torch.random.get_rng_state()
    again = build_transformer_encoder("nowhere").from_bytes(saved)
    assert torch.equal(torch.random.get_rng_state(), before)
    states = [node.shims[0].module.state_dict() for node in (model, again)]
    for name, weights in states[0].items():
        assert torch.equal(states[1][name], weights)
