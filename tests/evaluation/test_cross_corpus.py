"""Pipelines on corpora of other labels, by hand."""

from typing import Optional

from spacy_bioner.evaluation.cross_corpus import rename_labels, score_cell
from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.scores import Counts

NAMES = {"Drug": "Chemical", "Metal": "Chemical", "Disease": "Disease", "Gene": "Gene"}


def rename(label: str) -> Optional[str]:
    return NAMES.get(label)


def score(*comparisons: Comparison, labels=("Drug", "Metal", "Disease"), **settings):
    return score_cell(
        "model", "corpus", comparisons, labels, rename=rename, n_resamples=10, **settings
    )


def test_labels_have_one_name_in_all_corpora() -> None:
    assert rename_labels(["Drug", "Metal", "Gene", "Word"], rename) == {"Chemical", "Gene"}


def test_only_labels_that_both_know_are_scored() -> None:
    gold = [(0, 4, "Drug"), (5, 9, "Gene"), (10, 14, "Word")]
    found = [(0, 4, "Metal"), (20, 24, "Disease"), (30, 34, "Drug")]
    cell = score(Comparison(gold, found, 40))
    assert (cell.labels, cell.counts) == (["Chemical"], Counts(1, 1, 0))


def test_a_mention_of_two_labels_that_are_one_counts_once() -> None:
    both = [(0, 4, "Drug"), (0, 4, "Metal")]
    assert score(Comparison([(0, 4, "Drug")], both, 9)).counts == Counts(1, 0, 0)
    assert score(Comparison(both, [(0, 4, "Drug")], 9)).counts == Counts(1, 0, 0)


def test_documents_of_the_training_and_without_annotation_are_left_out() -> None:
    right = Comparison([(0, 4, "Drug")], [(0, 4, "Drug")], 9)
    wrong = Comparison([(0, 4, "Drug")], [], 9)
    nothing = Comparison(None, [(0, 4, "Drug")], 9)
    cell = score(wrong, right, nothing, left_out=[0])
    assert (cell.counts, cell.n_docs, cell.n_left_out) == (Counts(1, 0, 0), 1, 1)
    assert score(wrong, right).n_left_out is None


def test_without_a_label_in_common_there_are_no_scores() -> None:
    cell = score(Comparison([(0, 4, "Gene")], [], 9))
    assert (cell.labels, cell.counts, cell.intervals, cell.n_docs) == ([], None, None, 1)
