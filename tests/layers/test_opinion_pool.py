"""The opinion pool against numpy, and what learned weights promise."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers.opinion_pool import (  # noqa: E402
    OpinionPool,
    fit_weights,
    pool_opinions,
)

TWO = np.array([[[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]], [[0.2, 0.6, 0.2], [0.1, 0.1, 0.8]]])


def _case(seed: int, n_members: int = 3, n_tokens: int = 60, n_tags: int = 4):
    """Members of different quality, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(n_tags, size=n_tokens)
    scores = random.normal(size=(n_members, n_tokens, n_tags))
    for member in range(n_members):
        scores[member, np.arange(n_tokens), truth] += member
    allowed = np.eye(n_tags, dtype=bool)[truth]
    return torch.log_softmax(torch.from_numpy(scores), dim=-1).float(), torch.from_numpy(allowed)


def _cost(log_probs, allowed, weights, l2):
    probabilities = (weights[:, None].double() * log_probs.double().exp()).sum(dim=0)
    probabilities = probabilities / probabilities.sum(dim=-1, keepdim=True)
    nats = -probabilities[allowed].log().sum()
    return float(nats + l2 / 2 * (weights.double() - 1 / len(weights)).square().sum())


def test_a_new_pool_averages_probabilities():
    pooled = OpinionPool(2, 3)(torch.from_numpy(np.log(TWO)).float())
    expected = [[0.5, 0.35, 0.15], [0.3, 0.2, 0.5]]
    np.testing.assert_allclose(pooled.exp().numpy(), expected, rtol=1e-6)


def test_pool_weighs_members():
    weights = torch.tensor([[0.25], [0.75]])
    pooled = pool_opinions(torch.from_numpy(np.log(TWO)).float(), weights)
    np.testing.assert_allclose(pooled.exp().numpy()[0], [0.35, 0.475, 0.175], rtol=1e-6)


def test_pool_with_weights_by_tag_is_normalized():
    weights = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])
    pooled = pool_opinions(torch.from_numpy(np.log(TWO)).float(), weights)
    sums = np.array([[0.8, 0.35, 0.2], [0.5, 0.2, 0.8]])
    np.testing.assert_allclose(pooled.exp().numpy(), sums / sums.sum(axis=1)[:, None], rtol=1e-6)


def test_all_weight_on_one_member_is_that_member():
    log_probs = torch.from_numpy(np.log(TWO)).float()
    pooled = pool_opinions(log_probs, torch.tensor([[0.0], [1.0]]))
    torch.testing.assert_close(pooled, log_probs[1])


def test_stacking_gives_all_weight_to_a_perfect_member():
    _, allowed = _case(0, n_tokens=400)
    perfect = torch.where(allowed, math.log(0.97), math.log(0.01))
    ignorant = torch.full(allowed.shape, math.log(0.25))
    weights = fit_weights(torch.stack([ignorant, perfect]), allowed)
    assert weights[1, 0] > 0.99
    assert weights.shape == (2, 4)


def test_stacking_finds_the_weights_that_em_finds():
    log_probs, allowed = _case(1, n_tokens=300)
    own = log_probs.double().exp()[:, allowed]
    shares = torch.full((3,), 1 / 3, dtype=torch.float64)
    for _ in range(3000):
        parts = shares[:, None] * own
        shares = (parts / parts.sum(dim=0)).mean(dim=1)
    weights = fit_weights(log_probs, allowed, l2=0.0)
    np.testing.assert_allclose(weights[:, 0].numpy(), shares.numpy(), atol=1e-3)


@pytest.mark.parametrize("per_tag", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_stacking_is_never_less_likely_than_a_member_or_the_average(seed, per_tag):
    log_probs, allowed = _case(seed)
    weights = fit_weights(log_probs, allowed, l2=0.0, per_tag=per_tag)
    others = [*torch.eye(3)[:, :, None], torch.full((3, 1), 1 / 3)]
    costs = [_cost(log_probs, allowed, other, 0.0) for other in others]
    assert _cost(log_probs, allowed, weights, 0.0) <= min(costs) + 1e-6


@pytest.mark.parametrize("l2", [1.0, 50.0])
def test_what_is_minimized_counts_the_prior(l2):
    log_probs, allowed = _case(2)
    weights = fit_weights(log_probs, allowed, l2=l2)[:, :1]
    found = _cost(log_probs, allowed, weights, l2)
    for first in np.linspace(0, 1, 21):
        for second in np.linspace(0, 1 - first, 21):
            tried = torch.tensor([[first], [second], [1 - first - second]])
            assert found <= _cost(log_probs, allowed, tried, l2) + 1e-6


def test_a_strong_prior_gives_the_average():
    log_probs, allowed = _case(3)
    weights = fit_weights(log_probs, allowed, l2=1e9, per_tag=True)
    np.testing.assert_allclose(weights.numpy(), np.full((3, 4), 1 / 3), atol=1e-5)


@pytest.mark.parametrize("per_tag", [False, True])
def test_weights_of_a_tag_are_shares(per_tag):
    weights = fit_weights(*_case(4), per_tag=per_tag)
    np.testing.assert_allclose(weights.sum(dim=0).numpy(), np.ones(4), rtol=1e-6)
    assert (weights >= 0).all()
    assert bool((weights == weights[:, :1]).all()) is not per_tag


def test_learning_twice_gives_the_same():
    case = _case(5)
    assert torch.equal(fit_weights(*case, per_tag=True), fit_weights(*case, per_tag=True))


def test_tokens_of_which_nothing_is_known_teach_nothing():
    log_probs, allowed = _case(6)
    unknown = torch.cat([allowed, torch.ones(20, 4, dtype=torch.bool)])
    more = torch.cat([log_probs, _case(7)[0][:, :20]], dim=1)
    assert torch.equal(fit_weights(log_probs, allowed), fit_weights(more, unknown))


def test_nothing_known_gives_the_average():
    log_probs, allowed = _case(8)
    nothing = torch.ones_like(allowed)
    assert torch.allclose(fit_weights(log_probs, nothing), torch.full((3, 4), 1 / 3))
