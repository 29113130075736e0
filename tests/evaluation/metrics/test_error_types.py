"""Kinds of mistakes, by hand."""

import pytest

from spacy_bioner.evaluation.matching import Comparison, count_matches
from spacy_bioner.evaluation.metrics.error_types import (
    CLASSES,
    Mistake,
    count_mistakes,
    find_mistakes,
)

A, B = "Chemical", "Disease"


@pytest.mark.parametrize(
    ("gold", "found", "kinds"),
    [
        ([], [], []),
        ([(0, 4, A)], [(0, 4, A)], []),
        ([(0, 4, A)], [], ["missed"]),
        ([], [(0, 4, A)], ["spurious"]),
        ([(0, 4, A)], [(0, 4, B)], ["wrong type"]),
        ([(2, 4, A)], [(0, 4, A)], ["too long"]),
        ([(2, 4, A)], [(0, 9, B)], ["too long"]),
        ([(0, 9, A)], [(0, 4, A)], ["too short"]),
        ([(0, 9, A)], [(2, 7, A)], ["too short"]),
        ([(0, 6, A)], [(4, 9, A)], ["shifted"]),
        ([(0, 4, A), (5, 9, A)], [(0, 9, A)], ["merged"]),
        ([(0, 9, A)], [(0, 4, A), (5, 9, A)], ["split"]),
        ([(0, 4, A), (5, 9, A)], [(0, 6, A), (7, 9, A)], ["tangled"]),
        # Mentions that touch are two mistakes.
        ([(0, 4, A)], [(4, 9, A)], ["missed", "spurious"]),
        # What is right is out of the way: the rest of a prediction beside it is spurious.
        ([(0, 4, A)], [(0, 4, A), (2, 9, A)], ["spurious"]),
        ([(0, 4, A)], [(0, 4, A), (0, 4, A)], ["spurious"]),
        # Nested gold, of which a flat system finds the outer one.
        ([(0, 9, A), (0, 4, B)], [(0, 9, A)], ["missed"]),
        # Two gold mentions that overlap each other alone are not linked.
        ([(0, 9, A), (4, 12, B)], [], ["missed", "missed"]),
        ([(0, 4, A), (10, 14, B)], [(0, 5, A), (10, 14, A)], ["too long", "wrong type"]),
    ],
)
def test_kinds(gold, found, kinds) -> None:
    comparison = Comparison(gold, found, 20)
    mistakes = find_mistakes(comparison)
    assert [mistake.kind for mistake in mistakes] == kinds
    # Each mention that strict matching counts as wrong is in one mistake.
    counts = count_matches(set(gold), found).values()
    assert sum(len(item.gold) for item in mistakes) == sum(count.fn for count in counts)
    assert sum(len(item.predicted) for item in mistakes) == sum(count.fp for count in counts)


def test_counts_have_every_kind() -> None:
    mistakes = [Mistake("missed", ((0, 4, A),), ()), Mistake("missed", ((5, 9, A),), ())]
    assert count_mistakes(mistakes) == {**dict.fromkeys(CLASSES, 0), "missed": 2}


def test_labels_may_differ_beside_the_borders() -> None:
    [mistake] = find_mistakes(Comparison([(2, 4, A)], [(0, 4, B)], 9))
    assert mistake.to_json() == {"kind": "too long", "gold": [[2, 4, A]], "predicted": [[0, 4, B]]}


def test_a_document_without_annotation_has_no_mistakes() -> None:
    assert find_mistakes(Comparison(None, [(0, 4, A)], 9)) == []
