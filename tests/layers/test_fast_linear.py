import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers.fast_linear import PackedLinear, can_pack, with_fast_linears  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.LayerNorm(5), torch.nn.Linear(5, 3))


@pytest.mark.parametrize("shape", [(4, 7), (2, 3, 7), (0, 7)])
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
