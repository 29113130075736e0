"""Matrices of labels, by hand."""

import pytest

from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.metrics.confusion import confuse

A, B = "A", "B"


def cells(*comparisons: Comparison) -> dict:
    confusion = confuse(comparisons)
    names = confusion.labels
    return {
        (names[row], names[column]): int(confusion.matrix[row, column])
        for row, column in zip(*confusion.matrix.nonzero())
    }


@pytest.mark.parametrize(
    ("gold", "found", "wanted"),
    [
        ([], [], {}),
        ([(0, 4, A)], [(0, 4, A)], {(A, A): 1}),
        ([(0, 4, A)], [(0, 4, B)], {(A, B): 1}),
        ([(0, 4, A)], [(2, 9, A)], {(A, A): 1}),
        ([(0, 4, A)], [(4, 9, A)], {(A, "O"): 1, ("O", A): 1}),
        ([(0, 4, A)], [], {(A, "O"): 1}),
        # The same offsets come before a larger overlap, the same label before another one.
        ([(0, 9, A), (0, 4, B)], [(0, 4, A)], {(B, A): 1, (A, "O"): 1}),
        ([(0, 4, A), (0, 4, B)], [(0, 4, B)], {(B, B): 1, (A, "O"): 1}),
        ([(0, 9, A)], [(0, 2, A), (3, 9, B)], {(A, B): 1, ("O", A): 1}),
    ],
)
def test_pairs(gold, found, wanted) -> None:
    assert cells(Comparison(gold, found, 20)) == wanted


def test_documents_add_up_and_unannotated_ones_do_not() -> None:
    documents = [Comparison([(0, 4, A)], [(0, 4, A), (5, 9, B)], 20)] * 2
    confusion = confuse([*documents, Comparison(None, [(0, 4, B)], 20)])
    assert confusion.to_json() == {
        "labels": ["A", "B", "O"],
        "matrix": [[2, 0, 0], [0, 0, 0], [0, 2, 0]],
        "n_exact": 2,
    }


def test_boundary_errors_stand_on_the_diagonal_but_are_not_exact() -> None:
    confusion = confuse([Comparison([(0, 4, A)], [(0, 5, A)], 20)])
    assert (int(confusion.matrix[0, 0]), confusion.n_exact) == (1, 0)
