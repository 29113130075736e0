import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers.fast_linear import (  # noqa: E402
    PackedLinear,
    PaddedLinear,
    can_pack,
    round_up_rows,
    with_fast_linears,
    with_padded_linears,
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


def test_can_pack_only_float32_on_a_cpu(module):
    assert can_pack(module, CPU)
    assert not can_pack(module, torch.device("meta"))
    assert not can_pack(module.double(), CPU)


def test_rows_are_padded_to_few_numbers_and_hardly_more_than_they_are():
    sizes = {round_up_rows(n_rows) for n_rows in range(1, 8193)}
    assert len(sizes) < 100
    assert [round_up_rows(n) for n in (0, 1, 16, 17, 129, 513, 2048, 2049)] == [
        0,
        16,
        16,
        32,
        160,
        576,
        2048,
        2176,
    ]
    assert all(n <= round_up_rows(n) < 1.25 * n for n in range(64, 8193))


def test_onednn_meets_few_numbers_of_rows(module, monkeypatch):
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
def test_with_padded_linears_gives_the_same_states_in_bfloat16(module, shape):
    twin = with_padded_linears(module)
    assert isinstance(twin[0], PaddedLinear)
    assert twin[0].weight is module[0].weight
    states = torch.randn(shape)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found, expected = twin(states), module(states)
    assert found.dtype == expected.dtype == torch.bfloat16
    assert torch.allclose(found, expected, atol=1e-2)
