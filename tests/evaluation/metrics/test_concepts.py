"""Concepts of documents, by hand."""

import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_bioner.evaluation.metrics.concepts import compare_concepts, sum_concepts
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import ANNOTATED_KEY, GOLD_KEY

NLP = spacy.blank("en")


def make_pair(gold, found) -> tuple[Doc, Doc]:
    text = "aspirin fever aspirin cough"
    left, right = NLP.make_doc(text), NLP.make_doc(text)
    left.user_data[GOLD_KEY] = [[0, 7, label, ids] for label, ids in gold]
    right.ents = [
        Span(right, place, place + 1, label=label, kb_id=name)
        for place, (label, name) in enumerate(found)
    ]
    return left, right


@pytest.mark.parametrize(
    ("gold", "found", "wanted"),
    [
        ([("C", ["1"])], [("C", "1")], {"C": Counts(1, 0, 0)}),
        ([("C", ["1"])], [("C", "1"), ("C", "1")], {"C": Counts(1, 0, 0)}),
        ([("C", ["1"]), ("C", ["1"])], [], {"C": Counts(0, 0, 1)}),
        ([("C", ["1", "2"])], [("C", "2"), ("C", "3")], {"C": Counts(1, 1, 1)}),
        ([("C", ["1"])], [("D", "1")], {"C": Counts(0, 0, 1), "D": Counts(0, 1, 0)}),
        ([("C", ["-1"]), ("C", ["1"])], [("C", "")], {"C": Counts(0, 0, 1)}),
        # Prefixes that the one writes and the other leaves out.
        ([("G", ["348"])], [("G", "NCBIGene:348")], {"G": Counts(1, 0, 0)}),
        ([("C", ["MESH:D1"]), ("C", ["D1"])], [("C", "D1")], {"C": Counts(1, 0, 0)}),
        ([("D", ["OMIM:1"])], [("D", "MIM:1")], {"D": Counts(1, 0, 0)}),
        ([("D", ["OMIM:1"])], [("D", "1")], {"D": Counts(0, 1, 1)}),
        # An entity that names two.
        ([("C", ["1", "2"])], [("C", "2|MESH:3")], {"C": Counts(1, 1, 1)}),
    ],
)
def test_sets_of_ids(gold, found, wanted) -> None:
    assert compare_concepts(*make_pair(gold, found)) == wanted


def test_an_id_counts_once_in_each_document() -> None:
    pair = make_pair([("C", ["1"])], [("C", "1")])
    assert sum_concepts([compare_concepts(*pair)] * 2) == {"C": Counts(2, 0, 0)}


def test_labels_that_are_not_annotated_are_left_out() -> None:
    gold, found = make_pair([("C", ["1"]), ("D", ["2"])], [("C", "1"), ("D", "3")])
    gold.user_data[ANNOTATED_KEY] = ["C"]
    assert compare_concepts(gold, found) == {"C": Counts(1, 0, 0)}
