"""Steps and norms of perturbations, by hand."""

import pytest

torch = pytest.importorskip("torch")

from spacy_bioner.layers.adversary import EmbeddingTap, project, steepest  # noqa: E402

# Two windows of two pieces; norms of 5 and 13.
ROWS = torch.tensor([[[3.0, 0.0], [0.0, -4.0]], [[5.0, 0.0], [0.0, 12.0]]])


def test_a_step_has_its_size_over_a_window() -> None:
    expected = 2 * ROWS / torch.tensor([5.0, 13.0])[:, None, None]
    torch.testing.assert_close(steepest(ROWS, 2.0, "l2"), expected)
    assert steepest(torch.zeros(1, 2, 2), 2.0, "l2").abs().max() == 0


def test_a_step_by_coordinates_has_its_size_in_each() -> None:
    assert steepest(ROWS, 0.5, "linf").tolist() == (0.5 * ROWS.sign()).tolist()


def test_only_what_is_too_large_is_brought_back() -> None:
    expected = torch.stack([ROWS[0], ROWS[1] * 6 / 13])
    torch.testing.assert_close(project(ROWS, 6.0, "l2"), expected)
    found = project(ROWS, 4.5, "linf")
    assert found.tolist() == [[[3.0, 0.0], [0.0, -4.0]], [[4.5, 0.0], [0.0, 4.5]]]


def test_padding_is_left_alone() -> None:
    tap = EmbeddingTap()
    embedded = torch.ones(2, 3, 2, requires_grad=True)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    (rows,) = tap.perturb([embedded * 1.0], [mask])
    (5 * rows).sum().backward()
    (gradient,) = tap.gradients()
    assert gradient.tolist() == (5.0 * mask[..., None].expand(2, 3, 2)).tolist()


def test_gradients_that_overflowed_count_as_none() -> None:
    tap = EmbeddingTap()
    (rows,) = tap.perturb([torch.ones(1, 3, 1, requires_grad=True) * 1.0], [torch.ones(1, 3)])
    rows.grad = torch.tensor([[[float("inf")], [float("nan")], [2.0]]])
    assert tap.gradients()[0].flatten().tolist() == [0.0, 0.0, 2.0]


def test_perturbations_are_added_to_their_batch() -> None:
    tap = EmbeddingTap()
    batches = [torch.zeros(1, 2, 1), torch.ones(1, 1, 1)]
    masks = [torch.ones(1, 2), torch.ones(1, 1)]
    assert [rows.flatten().tolist() for rows in tap.perturb(batches, masks)] == [[0, 0], [1]]
    tap.deltas = [torch.full((1, 2, 1), 3.0), torch.full((1, 1, 1), 4.0)]
    assert [rows.flatten().tolist() for rows in tap.perturb(batches, masks)] == [[3, 3], [5]]
