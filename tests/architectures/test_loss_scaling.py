import pytest
import torch

from spacy_bioner.architectures.loss_scaling import FIRST_SCALE, GROWTH_STEPS, LossScaler
from spacy_bioner.errors import TrainingDataError


@pytest.fixture
def module() -> torch.nn.Module:
    return torch.nn.Linear(2, 1)


def put(module: torch.nn.Module, value: float) -> None:
    for parameter in module.parameters():
        parameter.grad = torch.full_like(parameter, value)


def test_gradients_come_back_to_their_size(module) -> None:
    scaler = LossScaler()
    put(module, 3.0 * FIRST_SCALE)
    assert scaler.unscale(module)
    assert module.weight.grad.tolist() == [[3.0, 3.0]]


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_an_overflow_halves_the_factor(module, value: float) -> None:
    scaler = LossScaler()
    put(module, value)
    assert not scaler.unscale(module)
    assert (scaler.scale, scaler.n_skipped) == (FIRST_SCALE / 2, 1)


def test_an_overflow_at_the_smallest_factor_stops_training(module) -> None:
    scaler = LossScaler()
    for _ in range(14):
        put(module, float("nan"))
        assert not scaler.unscale(module)
    put(module, float("nan"))
    with pytest.raises(TrainingDataError, match="no number at the smallest loss scale"):
        scaler.unscale(module)


def test_steps_that_are_left_out_are_logged_at_powers_of_ten(module, caplog) -> None:
    scaler = LossScaler()
    for _ in range(12):
        put(module, float("inf"))
        scaler.unscale(module)
    counts = [int(record.getMessage().split()[2]) for record in caplog.records]
    assert counts == [1, 10]


def test_the_factor_grows_after_many_good_steps(module) -> None:
    scaler = LossScaler()
    for _ in range(GROWTH_STEPS):
        put(module, 1.0)
        scaler.unscale(module)
    assert scaler.scale == 2 * FIRST_SCALE


def test_without_gradients_nothing_happens(module) -> None:
    scaler = LossScaler()
    assert scaler.unscale(module)
    assert scaler.good_steps == 0


def test_good_steps_are_counted_anew_after_an_overflow(module) -> None:
    scaler = LossScaler()
    for value, number in ((1.0, GROWTH_STEPS - 1), (float("inf"), 1), (1.0, GROWTH_STEPS - 1)):
        for _ in range(number):
            put(module, value)
            scaler.unscale(module)
    assert scaler.scale == FIRST_SCALE / 2
    put(module, 1.0)
    scaler.unscale(module)
    assert scaler.scale == FIRST_SCALE
