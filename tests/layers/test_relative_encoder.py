import copy

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from spacy_bioner.layers.relative_encoder import RelativeEncoder, add_mask  # noqa: E402

SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 50}
SIZE |= {"intermediate_size": 64, "max_position_embeddings": 514}


@pytest.fixture
def pair():
    """An MPNet of transformers, biases large enough to count, and the same with our layers."""
    torch.manual_seed(0)
    reference = transformers.MPNetModel(transformers.MPNetConfig(**SIZE)).eval()
    torch.nn.init.normal_(reference.encoder.relative_attention_bias.weight, std=1.0)
    ours = copy.deepcopy(reference)
    ours.encoder = RelativeEncoder(ours.encoder)
    return reference, ours


def draw(*lengths):
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(5, 50, mask.shape)
    return ids.masked_fill(mask == 0, 1), mask


def test_weights_keep_their_names(pair):
    reference, ours = pair
    assert list(ours.state_dict()) == list(reference.state_dict())
    reference.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("lengths", [(1,), (9, 9), (17, 16, 4), (300, 290), (512,)])
def test_states_are_those_of_the_reference(pair, lengths):
    ids, mask = draw(*lengths)
    with torch.no_grad():
        expected, found = (
            model(ids, attention_mask=mask).last_hidden_state[mask.bool()] for model in pair
        )
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_positions_count(pair):
    # What lies in reverse order has other states: the bias has a sign.
    _, ours = pair
    ids, _ = draw(9)
    there, back = (ours(given).last_hidden_state for given in (ids, ids.flip(1)))
    assert (there - back.flip(1)).abs().max() > 0.1


def test_gradients_are_those_of_the_reference(pair):
    ids, mask = draw(30, 12)
    wanted = torch.randn(2, 30, 32)
    found = []
    for model in pair:
        model.pooler = None
        states = model(ids, attention_mask=mask).last_hidden_state
        (states * wanted)[mask.bool()].sum().backward()
        found.append({name: own.grad for name, own in model.named_parameters()})
    assert found[0]["encoder.relative_attention_bias.weight"].abs().max() > 0.01
    torch.testing.assert_close(found[1], found[0], atol=1e-4, rtol=1e-4)


def test_states_computed_anew_give_the_same_gradients(pair):
    _, ours = pair
    ours.train().pooler = None
    ids, mask = draw(30, 12)
    found = []
    for settings in (None, {"use_reentrant": False}):
        ours.encoder.checkpointing = settings
        ours.zero_grad()
        torch.manual_seed(0)
        ours(ids, attention_mask=mask).last_hidden_state.square().sum().backward()
        found.append({name: own.grad.clone() for name, own in ours.named_parameters()})
    torch.testing.assert_close(found[1], found[0])


def test_batches_that_go_together_are_as_they_are_alone(pair):
    layers = pair[1].encoder
    parts = [torch.randn(2, 9, 32), torch.randn(1, 30, 32), torch.randn(3, 1, 32)]
    mask = torch.ones(2, 1, 1, 9, dtype=torch.bool)
    mask[1, ..., 5:] = False
    masks = [mask, None, torch.ones(3, 1, 1, 1, dtype=torch.bool)]
    together = layers.run_together(parts, masks)
    alone = [layers(part, own).last_hidden_state for part, own in zip(parts, masks)]
    for found, expected in zip(together, alone):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    gradients = [
        torch.autograd.grad(sum(own.square().sum() for own in states), list(layers.parameters()))
        for states in (together, alone)
    ]
    torch.testing.assert_close(*gradients, atol=1e-3, rtol=1e-4)


def test_training_drops_attention(pair):
    _, ours = pair
    ids, _ = draw(9)
    for part in ours.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    expected = ours(ids).last_hidden_state
    torch.testing.assert_close(ours.train()(ids).last_hidden_state, expected)
    for layer in ours.encoder.layer:
        layer.attention.attn.dropout.p = 0.5
    first, second = (ours(ids).last_hidden_state for _ in range(2))
    assert (first - second).abs().max() > 0.01
    torch.testing.assert_close(ours.eval()(ids).last_hidden_state, expected)


def test_masks_of_either_kind_leave_padding_out():
    bias = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    lowest = torch.finfo(torch.float32).min
    kept = torch.tensor([[[[True, False]]]])
    added = torch.tensor([[[[0.0, lowest]]]])
    expected = torch.tensor([[[[1.0, lowest], [3.0, lowest]]]])
    assert torch.equal(add_mask(bias, kept), expected)
    assert torch.equal(add_mask(bias, added), expected)
    # A bias below zero does not make it infinite.
    assert torch.equal(add_mask(bias - 5.0, added)[..., 1], torch.full((1, 1, 2), lowest))


def test_attention_in_bfloat16_stays_near(pair):
    ids, mask = draw(30, 12)
    with torch.no_grad():
        expected, found = [], []
        for states, reduced in ((expected, False), (found, True)):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=reduced):
                output = pair[1](ids, attention_mask=mask).last_hidden_state
                states.append(output[mask.bool()].float())
    torch.testing.assert_close(found[0], expected[0], atol=0.1, rtol=0)
