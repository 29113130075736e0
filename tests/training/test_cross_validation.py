import pytest

from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.records import Mention, Record
from spacy_bioner.training.cross_validation import (
    Spread,
    list_types,
    plan_folds,
    summarize_counts,
)

RECORDS = [
    Record(f"d{i}", "ab", (Mention(0, 1, "A" if i % 2 else "B"),), meta={"patient": str(i // 2)})
    for i in range(12)
]


def test_every_document_is_tested_once_and_each_fold_has_all_documents():
    folds = plan_folds(RECORDS, 3, seed=0)
    every = sorted(record.id for record in RECORDS)
    assert sorted(name for fold in folds for name in fold.test) == every
    for fold in folds:
        assert sorted((*fold.train, *fold.dev, *fold.test)) == every
        assert (len(fold.dev), len(fold.test)) == (1, 4)
        # Stratified: two of each label.
        assert sum(int(name[1:]) % 2 for name in fold.test) == 2


def test_seed_decides_and_the_order_of_documents_does_not():
    assert plan_folds(RECORDS, 3, seed=1) == plan_folds(RECORDS[::-1], 3, seed=1)
    assert plan_folds(RECORDS, 3, seed=1) != plan_folds(RECORDS, 3, seed=2)


def test_groups_stay_together_in_all_parts():
    for fold in plan_folds(RECORDS, 3, seed=0, group_by="patient", dev_share=0.25):
        for ids in fold.parts.values():
            assert all(f"d{int(name[1:]) ^ 1}" in ids for name in ids)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_impossible_share_for_development_is_an_error(share):
    with pytest.raises(ConfigError, match="as share for development"):
        plan_folds(RECORDS, 3, seed=0, dev_share=share)


def test_two_documents_leave_nothing_to_develop_on():
    with pytest.raises(CorpusError, match="found 1 documents that may be separated for 2 parts"):
        plan_folds(RECORDS[:2], 2, seed=0)


def test_mean_and_deviation_leave_out_undefined_scores():
    summary = summarize_counts([Counts(1, 1, 0), Counts(1, 0, 1), Counts(0, 0, 1)])
    assert summary["precision"] == Spread(0.75, pytest.approx(0.125**0.5), 2)
    assert summary["recall"].mean == pytest.approx(0.5)
    assert summarize_counts([Counts()])["recall"] == Spread(None, None, 0)


def test_types_know_the_folds_that_lack_them():
    def fold(number, **by_type):
        rows = {label: dict(zip(("tp", "fp", "fn"), counts)) for label, counts in by_type.items()}
        return {"fold": number, "scores": {"by_type": rows}}

    folds = [
        fold(1, A=(3, 1, 1), B=(0, 0, 2)),
        fold(2, A=(1, 1, 1), C=(0, 2, 0)),
        fold(3, A=(2, 0, 0), B=(1, 0, 0)),
    ]
    first, second = list_types(folds, {1: {"A"}, 2: {"A", "B"}, 3: {"A", "B"}})
    assert (first.label, first.n_folds, first.untested, first.untrained) == ("A", 3, [], [])
    assert (second.label, second.gold, second.n_folds) == ("B", 3, 2)
    assert (second.untested, second.untrained) == ([2], [1])
    # F1 of 0 where nothing could be learned, 1 where it could.
    assert second.spreads["f_score"].mean == 0.5
