"""Partial matches, against nervaluate and by hand."""

import random
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate import Evaluator

from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.metrics.partial_matching import (
    SCHEMES,
    count_schemes,
    list_schemes,
    score_schemes,
)
from spacy_bioner.evaluation.scores import SchemeCounts
from spacy_bioner.gold import MentionKey

LABELS = ("Chemical", "Disease")
NAMES = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
FIELDS = ("correct", "incorrect", "partial", "missed", "spurious")
mention = st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from(LABELS)).map(
    lambda row: (row[0], row[0] + row[1], row[2])
)


def ask_nervaluate(documents: List[Comparison]) -> Dict[str, Any]:
    def rows(mentions) -> List[Dict[str, Any]]:
        # Its ends are inclusive.
        return [{"label": c, "start": a, "end": b - 1} for a, b, c in sorted(mentions)]

    gold = [rows(set(item.gold or ())) for item in documents]
    found = [rows(item.predicted) for item in documents]
    return Evaluator(gold, found, tags=list(LABELS), loader="dict").evaluate()


@given(st.lists(st.tuples(st.lists(mention), st.lists(mention)), min_size=1, max_size=5))
@settings(deadline=None, max_examples=300)
def test_figures_are_those_of_nervaluate(documents) -> None:
    compared = [Comparison(gold, found, 40) for gold, found in documents]
    total, by_type = score_schemes(compared)
    wanted = ask_nervaluate(compared)
    pairs = [(total[scheme], wanted["overall"][name]) for scheme, name in NAMES.items()]
    for label, counts in by_type.items():
        pairs += [(counts[key], wanted["entities"][label][name]) for key, name in NAMES.items()]
    for ours, theirs in pairs:
        assert [getattr(ours, key) for key in FIELDS] == [getattr(theirs, key) for key in FIELDS]
        assert (ours.precision or 0.0) == pytest.approx(theirs.precision)
        assert (ours.recall or 0.0) == pytest.approx(theirs.recall)
        assert (ours.f_score or 0.0) == pytest.approx(theirs.f1)


def test_long_texts_are_counted_as_nervaluate_does() -> None:
    drawn = random.Random(0)

    def draw(number: int) -> List[MentionKey]:
        starts = [drawn.randrange(4000) for _ in range(number)]
        return [(s, s + drawn.choice((3, 12, 250)), drawn.choice(LABELS)) for s in starts]

    compared = [Comparison(draw(200), draw(200), 5000) for _ in range(3)]
    total, _ = score_schemes(compared)
    wanted = ask_nervaluate(compared)["overall"]
    for scheme, name in NAMES.items():
        assert [getattr(total[scheme], key) for key in FIELDS] == [
            getattr(wanted[name], key) for key in FIELDS
        ]


@pytest.mark.parametrize(
    ("gold", "found", "wanted"),
    [
        # correct, incorrect, partial, missed, spurious: strict, exact, partial, type
        ([], [], [(0, 0, 0, 0, 0)] * 4),
        ([(0, 5, "A")], [], [(0, 0, 0, 1, 0)] * 4),
        ([], [(0, 5, "A")], [(0, 0, 0, 0, 1)] * 4),
        ([(0, 5, "A")], [(0, 5, "A")], [(1, 0, 0, 0, 0)] * 4),
        ([(0, 5, "A")] * 2, [(0, 5, "A")], [(1, 0, 0, 0, 0)] * 4),
        ([(0, 5, "A")], [(0, 5, "A")] * 2, [(1, 0, 0, 0, 1)] * 4),
        (
            [(0, 5, "A")],
            [(0, 5, "B")],
            [(0, 1, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0), (0, 1, 0, 0, 0)],
        ),
        (
            [(0, 5, "A")],
            [(0, 9, "A")],
            [(0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (1, 0, 0, 0, 0)],
        ),
        # One long prediction over two gold mentions uses up the first of them.
        (
            [(0, 5, "A"), (6, 9, "A")],
            [(0, 9, "A")],
            [(0, 1, 0, 1, 0), (0, 1, 0, 1, 0), (0, 0, 1, 1, 0), (1, 0, 0, 1, 0)],
        ),
        # Mentions that only touch do not overlap.
        ([(0, 5, "A")], [(5, 9, "A")], [(0, 0, 0, 1, 1)] * 4),
        # A hundredth of the gold mention is some overlap, less is none.
        (
            [(0, 100, "A")],
            [(99, 120, "A")],
            [(0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (1, 0, 0, 0, 0)],
        ),
        ([(0, 101, "A")], [(100, 120, "A")], [(0, 0, 0, 1, 1)] * 4),
        # Nested gold: each mention is met by its own prediction.
        ([(0, 9, "A"), (0, 4, "A")], [(0, 9, "A"), (0, 4, "A")], [(2, 0, 0, 0, 0)] * 4),
    ],
)  # fmt: skip
def test_hand_worked_cases(gold, found, wanted) -> None:
    counts = count_schemes(gold, found)
    assert [counts[scheme] for scheme in SCHEMES] == [SchemeCounts(*row) for row in wanted]


def test_unannotated_documents_are_left_out() -> None:
    total, by_type = score_schemes([Comparison(None, [(0, 5, "A")], 9)])
    assert total["strict"] == SchemeCounts()
    assert by_type == {}


def test_what_is_empty_has_no_score() -> None:
    rows = list_schemes(count_schemes([], []))
    assert [row["scheme"] for row in rows] == list(SCHEMES)
    assert all(row["precision"] is row["recall"] is row["f_score"] is None for row in rows)
