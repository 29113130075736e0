from spacy_bioner.reports.text.cross_validation import render_folds, render_types
from spacy_bioner.training.cross_validation import CrossValidation, Spread, TypeInFolds


def make_fold(number):
    return {
        "fold": number,
        "train": 2,
        "dev": 1,
        "test": 3,
        "dev_f_score": 0.5,
        "seconds": 12.0,
        "scores": {"by_type": {"A": {"tp": 3, "fp": 0, "fn": 1}}},
        "document_counts": [[1, 0, 0], [1, 0, 1], [1, 0, 0]],
    }


def test_folds_have_a_row_each_mean_deviation_and_pooled_score():
    outcome = CrossValidation([make_fold(1), make_fold(2)], 0, {1: {"A"}, 2: {"A"}})
    _, table, pooled, types = render_folds(outcome).split("\n\n", 3)
    assert pooled.startswith("pooled F1 ")
    assert types.splitlines()[0].startswith("| type ")
    rows = [line.split("|")[1].strip() for line in table.splitlines()]
    assert rows[2:] == ["1", "2", "mean", "std. dev.", "pooled"]


def test_folds_without_a_type_are_named():
    spreads = {name: Spread(0.5, 0.1, 2) for name in ("precision", "recall", "f_score")}
    table = render_types(
        [TypeInFolds("A", 9, 3, spreads, [], []), TypeInFolds("B", 3, 2, spreads, [2], [1])]
    )
    assert "- B: no mention to find in fold 2, left out of means" in table
    assert "- B: no mention to learn from in fold 1, where all of them are missed" in table
    assert "- A" not in table
