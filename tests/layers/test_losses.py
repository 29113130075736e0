"""Token losses, each against its formula."""

import math

import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers.losses import divergence, mean_over_known, tag_loss  # noqa: E402

# Probabilities 1/2, 1/4, 1/4.
ROW = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))


def allow(*flags: bool) -> torch.Tensor:
    return torch.tensor([flags])


def test_one_known_tag_gives_cross_entropy() -> None:
    assert float(tag_loss(ROW, allow(False, True, False))) == pytest.approx(math.log(4))


def test_a_set_of_tags_gives_their_summed_probability() -> None:
    assert float(tag_loss(ROW, allow(True, True, False))) == pytest.approx(-math.log(0.75))


def test_nothing_known_costs_nothing_and_teaches_nothing() -> None:
    row = ROW.clone().requires_grad_()
    loss = tag_loss(row, allow(True, True, True), focal_gamma=2.0, label_smoothing=0.1).sum()
    loss.backward()
    assert loss.item() == 0
    assert row.grad is not None
    assert row.grad.abs().max() == 0


@pytest.mark.parametrize("allowed", [(True, False, False), (True, True, True)])
def test_focal_loss_of_any_power_has_a_slope_where_nothing_is_in_doubt(allowed) -> None:
    certain = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    tag_loss(certain, allow(*allowed), focal_gamma=0.5).sum().backward()
    assert torch.isfinite(certain.grad).all()


def test_focal_loss_scales_by_what_is_missing() -> None:
    found = tag_loss(ROW, allow(True, False, False), focal_gamma=2.0)
    assert found.item() == pytest.approx(0.25 * math.log(2))
    # What is unlikely weighs more: three quarters are missing.
    unlikely = tag_loss(ROW, allow(False, True, False), focal_gamma=2.0)
    assert unlikely.item() == pytest.approx(0.75**2 * math.log(4))


def test_smoothing_spreads_a_share_over_all_tags() -> None:
    found = tag_loss(ROW, allow(True, False, False), label_smoothing=0.3)
    spread = (math.log(2) + 2 * math.log(4)) / 3
    assert found.item() == pytest.approx(0.7 * math.log(2) + 0.3 * spread)


def test_class_weights_scale_by_tag_and_by_probability_in_a_set() -> None:
    weights = torch.tensor([1.0, 4.0, 7.0])
    single = tag_loss(ROW, allow(False, True, False), class_weights=weights)
    assert float(single) == pytest.approx(4 * math.log(4))
    # Believed 2 : 1, so the weight is (2 · 1 + 1 · 4) / 3.
    both = tag_loss(ROW, allow(True, True, False), class_weights=weights)
    assert float(both) == pytest.approx(-2 * math.log(0.75))


def test_the_mean_leaves_out_tokens_of_which_nothing_is_known() -> None:
    rows = ROW.repeat(3, 1)
    allowed = torch.tensor([[True, False, False], [True, True, True], [False, True, False]])
    found = mean_over_known(tag_loss(rows, allowed), allowed)
    assert found.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_the_mean_of_nothing_is_zero() -> None:
    assert float(mean_over_known(torch.zeros(1), allow(True, True, True))) == 0


def test_divergence_is_that_of_the_distributions() -> None:
    even = torch.zeros(1, 3)
    expected = 0.5 * math.log(0.5 * 3) + 0.5 * math.log(0.25 * 3)
    assert float(divergence(even, ROW)) == pytest.approx(expected)
    assert float(divergence(ROW + 5.0, ROW)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("settings", [{}, {"focal_gamma": 2.0}, {"label_smoothing": 0.1}])
def test_gradients_are_those_of_finite_differences(settings: dict) -> None:
    torch.manual_seed(0)
    rows = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    allowed = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x: tag_loss(x, allowed, **settings), (rows,))


def test_a_set_of_tags_is_not_smoothed() -> None:
    found = tag_loss(ROW, allow(True, True, False), label_smoothing=0.3)
    assert float(found) == pytest.approx(-math.log(0.75))
