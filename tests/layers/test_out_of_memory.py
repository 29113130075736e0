import logging

import pytest
import torch

from spacy_bioner.layers.out_of_memory import is_out_of_memory, run_in_halves


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error, expected) -> None:
    assert is_out_of_memory(error) is expected


def make_run(most, sizes):
    """A run that holds so many rows, and notes how many it was given."""

    def run(left, right):
        sizes.append(len(left))
        if len(left) > most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return left + right

    return run


@pytest.mark.parametrize(
    ("n_rows", "most", "expected"),
    [(5, 5, [5]), (5, 2, [5, 2, 3, 1, 2]), (4, 1, [4, 2, 1, 1, 2, 1, 1]), (0, 1, [0])],
)
def test_what_does_not_fit_is_run_in_halves(n_rows, most, expected, caplog):
    sizes = []
    left, right = torch.arange(n_rows), 10 * torch.arange(n_rows)
    with caplog.at_level(logging.WARNING):
        found = run_in_halves(make_run(most, sizes), left, right)
    assert found.tolist() == (left + right).tolist()
    assert sizes == expected
    assert ("batch_pieces" in caplog.text) == (len(sizes) > 1)


def test_a_single_row_that_does_not_fit_is_told():
    with pytest.raises(RuntimeError, match="out of memory"):
        run_in_halves(make_run(0, []), torch.zeros(2), torch.zeros(2))


def test_other_faults_are_told_at_once():
    sizes = []

    def run(rows):
        sizes.append(len(rows))
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        run_in_halves(run, torch.zeros(4))
    assert sizes == [4]
