"""All figures of a pipeline at once, on a few documents that are worked by hand elsewhere."""

import json

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from spacy_bioner.components.evidence import Evidence, add_evidence, register_extensions
from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.evaluation import measure
from spacy_bioner.evaluation.metrics.stratified_recall import TrainingMentions
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import GOLD_KEY, GoldMention

register_extensions()
NLP = spacy.blank("en")
TEXT = "aspirin eases severe headache"


def make_pair(found, *, confidence=0.9, gold=True) -> tuple[Doc, Doc]:
    left, right = NLP.make_doc(TEXT), NLP.make_doc(TEXT)
    if gold:
        left.user_data[GOLD_KEY] = [
            [0, 7, "Chemical", ["D1"]], [14, 29, "Disease", ["D2"]]
        ]  # fmt: skip
    right.ents = [right.char_span(start, end, label=label) for start, end, label in found]
    for start, end, label in found:
        if confidence is not None:
            add_evidence(right, Evidence(start, end, label, "bioner", confidence))
    return left, right


PAIRS = [
    make_pair([(0, 7, "Chemical"), (21, 29, "Disease")], confidence=0.6),
    make_pair([(0, 7, "Chemical"), (14, 29, "Disease")]),
    make_pair([(0, 7, "Disease")], gold=False),
]


def test_all_figures_agree_on_what_is_right() -> None:
    train = TrainingMentions([GoldMention((0, 7, "Chemical"), "Aspirin")])
    found = measure(PAIRS, train=train, n_resamples=50)
    assert found.strict.micro == Counts(3, 1, 1)
    assert found.counts == (Counts(1, 1, 1), Counts(2, 0, 0))
    assert found.intervals.averages["micro"]["f_score"].value == found.strict.micro.f_score
    assert found.schemes["strict"].correct == 3
    assert found.schemes["type"].correct == 4
    assert found.confusion.n_exact == 3
    assert [[item.kind for item in row] for row in found.mistakes] == [["too short"], [], []]
    assert found.judged is not None
    assert found.judged.right.tolist() == [True, False, True, True]
    assert found.calibration is not None
    assert [item.label for item in found.sweeps] == [None, "Chemical", "Disease"]
    seen = next(item for item in found.strata if item.name == "seen in training")
    assert (seen.found, seen.gold) == (2, 2)
    assert found.tokens.n_tokens == 8
    assert found.missing == {"concepts": "no entity of the pipeline has a concept id"}
    data = json.loads(json.dumps(found.to_json()))
    assert data["documents"] == [[1, 1, 1], [2, 0, 0]]
    assert data["mistakes"]["too short"] == 1


def test_areas_come_from_the_tags_of_a_component() -> None:
    def marginals(docs):
        rows = [np.eye(3)[[0, 1, 2, 2]] for _ in docs]
        return ["O", "B-Chemical", "B-Disease"], rows

    areas = measure(PAIRS, marginals=marginals).areas
    assert areas is not None
    assert {label: area.value for label, area in areas.items()} == {
        "Chemical": pytest.approx(1 / 3),
        "Disease": 1.0,
    }


def test_what_cannot_be_measured_says_why() -> None:
    left, right = make_pair([(0, 7, "Chemical")], confidence=None)
    left.user_data[GOLD_KEY] = [[0, 7, "Chemical", []]]
    found = measure([(left, right)])
    assert (found.calibration, found.concepts, found.areas, found.sweeps) == (None, None, None, ())
    assert set(found.missing) == {"calibration", "concepts"}
    assert json.loads(json.dumps(found.to_json()))["calibration"] is None


def test_a_system_that_finds_nothing_is_measured() -> None:
    found = measure([make_pair([])])
    assert found.strict.micro == Counts(0, 0, 2)
    assert (found.calibration, found.judged, found.sweeps) == (None, None, ())
    assert found.missing["calibration"] == "nothing was predicted"
    assert json.dumps(found.to_json(), allow_nan=False)


def test_documents_without_annotation_are_refused() -> None:
    with pytest.raises(CorpusError, match="found no annotated document"):
        measure([make_pair([], gold=False)])
    with pytest.raises(CorpusError, match="found no annotated document"):
        measure([])


def test_white_space_is_no_token(blank_nlp):
    def make(text, start, end):
        doc = blank_nlp(text)
        doc.set_ents([doc.char_span(start, end, label="Disease")], default="outside")
        return doc

    def marginals(docs):
        rows = [[float(token.text in "Acute kidney") for token in doc] for doc in docs]
        return ("O", "B-Disease"), [np.array([1 - np.array(row), row]).T for row in rows]

    plain, broken = make("Acute kidney rose", 0, 12), make("\nAcute\n\u200bkidney\t rose\n", 1, 14)
    found = [measure([(doc, doc)], marginals=marginals) for doc in (plain, broken)]
    assert found[0].tokens == found[1].tokens
    assert found[0].tokens.n_tokens == 3
    assert found[0].areas == found[1].areas
