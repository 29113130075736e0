"""The conditional random field against enumeration of every sequence and finite differences."""

from itertools import product
from typing import Iterator, List, Tuple

import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers import crf as crf_layer  # noqa: E402
from spacy_bioner.layers.crf import (  # noqa: E402
    MAX_PADDING,
    LinearChainCRF,
    Weights,
    expectations,
    group_lengths,
)

N_TAGS = 3
LENGTHS = torch.tensor([4, 1, 3])
ALL_LEGAL = Weights(
    torch.ones(N_TAGS, N_TAGS, dtype=torch.bool),
    torch.ones(N_TAGS, dtype=torch.bool),
    torch.ones(N_TAGS, dtype=torch.bool),
)


@pytest.fixture
def weights() -> Weights:
    torch.manual_seed(0)
    return Weights(
        torch.randn(N_TAGS, N_TAGS, dtype=torch.float64),
        torch.randn(N_TAGS, dtype=torch.float64),
        torch.randn(N_TAGS, dtype=torch.float64),
    )


@pytest.fixture
def emissions() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(3, 4, N_TAGS, dtype=torch.float64)


@pytest.fixture
def crf(weights: Weights) -> LinearChainCRF:
    field = LinearChainCRF(N_TAGS).double()
    with torch.no_grad():
        for parameter, value in zip((field.transitions, field.starts, field.ends), weights):
            parameter.copy_(value)
    return field


def score_all(rows: torch.Tensor, weights: Weights) -> Iterator[Tuple[Tuple[int, ...], float]]:
    for path in product(range(N_TAGS), repeat=len(rows)):
        score = weights.starts[path[0]] + weights.ends[path[-1]]
        score = score + sum(rows[step, tag] for step, tag in enumerate(path))
        score = score + sum(weights.transitions[i, j] for i, j in zip(path, path[1:]))
        yield path, float(score)


def enumerate_log_z(rows: torch.Tensor, weights: Weights) -> float:
    scores = torch.tensor([score for _, score in score_all(rows, weights)], dtype=torch.float64)
    return float(torch.logsumexp(scores, 0))


def test_log_z_is_that_of_all_sequences(emissions: torch.Tensor, weights: Weights) -> None:
    found = expectations(emissions, LENGTHS, weights).log_z
    expected = [enumerate_log_z(rows[:n], weights) for rows, n in zip(emissions, LENGTHS)]
    assert found.tolist() == pytest.approx(expected, abs=1e-10)


def test_marginals_are_those_of_all_sequences(emissions: torch.Tensor, weights: Weights) -> None:
    found = expectations(emissions, LENGTHS, weights)
    uses = torch.zeros(N_TAGS, N_TAGS, dtype=torch.float64)
    for row, length in enumerate(LENGTHS.tolist()):
        rows = emissions[row, :length]
        log_z = enumerate_log_z(rows, weights)
        tags = torch.zeros(length, N_TAGS, dtype=torch.float64)
        for path, score in score_all(rows, weights):
            probability = torch.tensor(score - log_z, dtype=torch.float64).exp()
            for step, tag in enumerate(path):
                tags[step, tag] += probability
            for left, right in zip(path, path[1:]):
                uses[left, right] += probability
        torch.testing.assert_close(found.tags[row, :length], tags)
        assert found.tags[row, length:].abs().sum() == 0
    torch.testing.assert_close(found.weights.transitions, uses)


def one_hot(paths: List[List[int]], n_steps: int) -> torch.Tensor:
    allowed = torch.zeros(len(paths), n_steps, N_TAGS, dtype=torch.bool)
    for row, path in enumerate(paths):
        allowed[row, torch.arange(len(path)), path] = True
    return allowed


def test_loss_of_known_tags(crf: LinearChainCRF, emissions: torch.Tensor, weights: Weights) -> None:
    paths = [[0, 1, 2, 2], [1], [2, 0, 0]]
    found = crf(emissions, LENGTHS, one_hot(paths, 4), ALL_LEGAL)
    expected = [
        enumerate_log_z(emissions[row, : len(path)], weights)
        - dict(score_all(emissions[row, : len(path)], weights))[tuple(path)]
        for row, path in enumerate(paths)
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def test_loss_of_tags_known_in_part_sums_over_what_agrees(
    crf: LinearChainCRF, emissions: torch.Tensor, weights: Weights
) -> None:
    allowed = one_hot([[0, 1, 2, 2], [1], [2, 0, 0]], 4)
    allowed[0, 1] = True
    allowed[0, 2, 0] = True
    found = crf(emissions, LENGTHS, allowed, ALL_LEGAL)[0]
    agreeing = [
        score
        for path, score in score_all(emissions[0], weights)
        if path[0] == 0 and path[2] in (0, 2) and path[3] == 2
    ]
    numerator = torch.logsumexp(torch.tensor(agreeing, dtype=torch.float64), 0)
    expected = enumerate_log_z(emissions[0], weights) - float(numerator)
    assert found.item() == pytest.approx(expected, abs=1e-9)


def test_nothing_known_teaches_nothing(crf: LinearChainCRF, emissions: torch.Tensor) -> None:
    emissions.requires_grad_()
    allowed = torch.ones(3, 4, N_TAGS, dtype=torch.bool)
    loss = crf(emissions, LENGTHS, allowed, ALL_LEGAL).sum()
    loss.backward()
    assert loss.item() == 0
    assert emissions.grad is not None
    assert emissions.grad.abs().max() == 0
    assert crf.transitions.grad is not None
    assert crf.transitions.grad.abs().max() == 0


def test_gradients_are_those_of_finite_differences(
    crf: LinearChainCRF, emissions: torch.Tensor
) -> None:
    allowed = one_hot([[0, 1, 2, 2], [1], [2, 0, 0]], 4)
    allowed[0, 1] = True

    def loss(rows: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        for name, value in zip(("transitions", "starts", "ends"), weights):
            del crf._parameters[name]
            setattr(crf, name, value)
            crf._parameters[name] = value  # type: ignore[assignment]
        return crf(rows, LENGTHS, allowed, ALL_LEGAL).mean()

    own = [p.detach().clone().requires_grad_() for p in (crf.transitions, crf.starts, crf.ends)]
    assert torch.autograd.gradcheck(loss, (emissions.requires_grad_(), *own))


def test_illegal_sequences_have_no_probability(
    crf: LinearChainCRF, emissions: torch.Tensor
) -> None:
    legal = Weights(*(allowed.clone() for allowed in ALL_LEGAL))
    legal.transitions[0, 1] = False
    legal.starts[1] = False
    found = expectations(emissions[:1], LENGTHS[:1], crf.constrained(legal))
    assert float(found.tags[0, 0, 1]) == 0
    assert float(found.weights.transitions[0, 1]) == 0
    torch.testing.assert_close(found.tags[0].sum(-1), torch.ones(4, dtype=torch.float64))


def test_padding_does_not_matter(crf: LinearChainCRF, emissions: torch.Tensor) -> None:
    allowed = one_hot([[0, 1, 2, 2], [1], [2, 0, 0]], 4)
    before = crf(emissions, LENGTHS, allowed, ALL_LEGAL)
    emissions[1, 1:] = 1e3
    emissions[2, 3:] = -1e3
    torch.testing.assert_close(crf(emissions, LENGTHS, allowed, ALL_LEGAL), before)


@pytest.mark.parametrize("pairs", [1, 4 * N_TAGS**2, 1 << 20])
def test_pairs_of_tokens_are_counted_in_parts(
    emissions: torch.Tensor, weights: Weights, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = expectations(emissions, LENGTHS, weights).weights.transitions
    assert float(expected.sum()) == pytest.approx(sum(LENGTHS.tolist()) - len(LENGTHS))
    monkeypatch.setattr(crf_layer, "PAIRS", pairs)
    found = expectations(emissions, LENGTHS, weights).weights.transitions
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("lengths", "groups"),
    [
        ([], []),
        ([4, 1, 3], [[0, 1, 2]]),
        ([250, 200, 300, 5000, 260], [[2, 3], [0, 1, 4]]),
        ([1, 10, 10, 1, 1], [[0, 1, 2, 3], [4]]),
    ],
)
def test_sequences_of_like_length_are_together(lengths: List[int], groups: list) -> None:
    assert group_lengths(lengths) == groups


def test_padding_is_bounded() -> None:
    lengths = [2**n for n in range(12)] * 3
    for group in group_lengths(lengths):
        rows = [lengths[index] for index in group]
        assert len(rows) * max(rows) <= MAX_PADDING * sum(rows)


def test_the_total_loss_is_that_of_each_sequence_alone(crf: LinearChainCRF) -> None:
    lengths = [2, 30, 1, 3, 2, 2, 1]
    assert len(group_lengths(lengths)) > 1
    rows = torch.randn(sum(lengths), N_TAGS, dtype=torch.float64, requires_grad=True)
    known = torch.zeros(sum(lengths), N_TAGS, dtype=torch.bool)
    known[:, 1] = True
    known[::5] = True
    crf.total_loss(rows.split(lengths), known.split(lengths), ALL_LEGAL).backward()
    assert rows.grad is not None
    found = [rows.grad.clone(), *(weight.grad.clone() for weight in crf.parameters())]
    rows.grad = None
    crf.zero_grad()
    for part, allowed in zip(rows.split(lengths), known.split(lengths)):
        crf(part[None], torch.tensor([len(part)]), allowed[None], ALL_LEGAL).sum().backward()
    for ours, theirs in zip(found, [rows.grad, *(weight.grad for weight in crf.parameters())]):
        torch.testing.assert_close(ours, theirs)


def test_marginals_of_a_long_sequence_sum_to_one_in_float32() -> None:
    torch.manual_seed(0)
    n_tags = 83
    weights = Weights(torch.randn(n_tags, n_tags), torch.randn(n_tags), torch.randn(n_tags))
    emissions = 10 * torch.randn(1, 2000, n_tags)
    tags = expectations(emissions, torch.tensor([2000]), weights).tags
    torch.testing.assert_close(tags.sum(-1), torch.ones(1, 2000), atol=5e-3, rtol=0)


def test_a_loss_weighted_by_sequence_is_refused(
    crf: LinearChainCRF, emissions: torch.Tensor
) -> None:
    loss = crf(emissions.requires_grad_(), LENGTHS, one_hot([[0] * 4, [0], [0] * 3], 4), ALL_LEGAL)
    with pytest.raises(ValueError, match="not weighted by sequence"):
        (loss * torch.tensor([1.0, 2.0, 1.0])).sum().backward()
