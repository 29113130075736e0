import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers import fast_linear  # noqa: E402
from spacy_bioner.layers.fast_linear import (  # noqa: E402
    PackedLinear,
    can_pack,
    choose_size,
    round_up_rows,
    with_fast_linears,
)

CPU = torch.device("cpu")


@pytest.fixture
def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.LayerNorm(5), torch.nn.Linear(5, 3))


@pytest.mark.parametrize("shape", [(4, 7), (2, 3, 7), (0, 7), (7,), (130, 7), (3, 700, 7)])
def test_with_fast_linears_gives_the_same_states(module, shape):
    states = torch.randn(shape)
    with torch.no_grad():
        assert torch.allclose(with_fast_linears(module)(states), module(states), atol=1e-6)


def test_with_fast_linears_shares_what_it_does_not_pack(module):
    twin = with_fast_linears(module)
    assert isinstance(twin[0], PackedLinear)
    assert twin[1].weight is module[1].weight
    assert type(module[0]) is torch.nn.Linear


def test_can_pack_only_weights_in_float32_on_a_cpu(module):
    assert can_pack(module, CPU)
    assert not can_pack(module, torch.device("meta"))
    assert not can_pack(module, CPU, torch.float16)
    assert not can_pack(module.double(), CPU)


def test_rows_are_padded_to_few_numbers_and_hardly_more_than_they_are():
    sizes = {round_up_rows(n_rows) for n_rows in range(1, 8193)}
    assert len(sizes) < 95
    examples = {0: 0, 1: 16, 16: 16, 17: 32, 129: 160, 2048: 2048, 2049: 2304}
    assert {n: round_up_rows(n) for n in examples} == examples
    assert all(n <= round_up_rows(n) < 1.25 * n for n in range(64, 8193))
    assert all(round_up_rows(n) == n for n in range(0, 2049, 32))


def test_sizes_that_are_rare_take_one_that_is_near(monkeypatch):
    monkeypatch.setattr(fast_linear, "_KEPT", set())
    monkeypatch.setattr(fast_linear, "MOST_SIZES", 3)
    sizes = [choose_size(n_rows) for n_rows in (10, 100, 60, 45, 50, 1000, 800, 16, 64)]
    assert sizes == [16, 112, 64, 48, 64, 1024, 1024, 16, 64]
    assert {16, 48, 64, 112, 1024} == fast_linear._KEPT


def test_a_short_text_after_long_batches_is_not_padded_to_their_size(monkeypatch):
    monkeypatch.setattr(fast_linear, "_KEPT", set())
    for n_rows in range(288, 1057, 32):
        choose_size(n_rows)
    assert len(fast_linear._KEPT) > fast_linear.MOST_SIZES
    assert [choose_size(n_rows) for n_rows in (10, 100, 200)] == [16, 128, 256]
    # However long it goes on, what is kept has a bound.
    for n_rows in range(1, 2049):
        assert n_rows <= choose_size(n_rows) <= 1.5 * fast_linear.round_up_rows(n_rows)
    assert len(fast_linear._KEPT) < 40


def test_onednn_meets_few_numbers_of_rows(module, monkeypatch):
    monkeypatch.setattr(fast_linear, "_KEPT", set())
    met = set()
    linear = torch.ops.mkldnn._linear_pointwise

    def watch(states, *rest):
        met.add(len(states))
        return linear(states, *rest)

    twin = with_fast_linears(module)
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", watch)
    with torch.no_grad():
        for n_rows in range(100, 200):
            twin(torch.randn(n_rows, 7))
    assert met == {112, 128, 160, 192, 224}


@pytest.mark.parametrize("shape", [(4, 7), (3, 700, 7), (0, 7)])
def test_with_fast_linears_gives_the_same_states_in_bfloat16(module, shape):
    if not can_pack(module, CPU, torch.bfloat16):
        pytest.skip("this processor has no bfloat16")
    twin = with_fast_linears(module, torch.bfloat16)
    states = torch.randn(shape)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found, expected = twin(states), module(states)
    assert found.dtype == expected.dtype == torch.bfloat16
    assert torch.allclose(found, expected, atol=1e-2)


class Block(torch.nn.Module):
    """As in BERT: a layer, and the activation behind it."""

    def __init__(self, activation):
        super().__init__()
        self.dense = torch.nn.Linear(7, 5)
        self.intermediate_act_fn = activation

    def forward(self, states):
        return self.intermediate_act_fn(self.dense(states))


@pytest.mark.parametrize(
    ("activation", "is_fused"),
    [
        (torch.nn.GELU(), True),
        (torch.nn.functional.gelu, True),
        (torch.nn.GELU(approximate="tanh"), False),
        (torch.nn.ReLU(), False),
        (torch.nn.Identity(), False),
    ],
)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_gelu_is_computed_with_its_layer(activation, is_fused, precision):
    torch.manual_seed(0)
    block = Block(activation).eval()
    if not can_pack(block, CPU, precision):
        pytest.skip("this processor has no bfloat16")
    twin = with_fast_linears(block, precision)
    assert (twin.dense.after[0] == "gelu") is is_fused
    assert block.intermediate_act_fn is activation
    states = torch.randn(3, 700, 7)
    with torch.no_grad():
        found, expected = twin(states), block(states)
    assert found.dtype == precision
    tolerance = 1e-6 if precision == torch.float32 else 3e-2
    assert torch.allclose(found.float(), expected, atol=tolerance)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_all_layers_of_bert_are_packed_with_their_activations(precision):
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    if not can_pack(model, CPU, precision):
        pytest.skip("this processor has no bfloat16")
    twin = with_fast_linears(model, precision)
    layers = [part for part in twin.modules() if isinstance(part, PackedLinear)]
    assert len(layers) == 12
    assert [layer.after[0] for layer in layers].count("gelu") == 2
    assert not [part for part in twin.modules() if type(part) is torch.nn.Linear]
    ids = torch.randint(50, (3, 9))
    mask = (torch.arange(9) < torch.tensor([[9], [5], [7]])).long()
    with torch.no_grad(), torch.autocast("cpu", precision, enabled=precision != torch.float32):
        found = twin(ids, attention_mask=mask).last_hidden_state.float()
        expected = model(ids, attention_mask=mask).last_hidden_state.float()
    tolerance = 1e-5 if precision == torch.float32 else 5e-2
    assert torch.allclose(found[mask.bool()], expected[mask.bool()], atol=tolerance)
