"""Probabilities of readings that were not chosen, against counting all tag sequences."""

from itertools import product

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.architectures.decoding import log_softmax, make_grammar
from spacy_bioner.architectures.pieces.words import find_words
from spacy_bioner.components.tag_probabilities import (
    NO_ENTITY,
    TagProbabilities,
    has_tag_probabilities,
)
from spacy_bioner.tags import tag_set, tags_to_spans


class Tagger:
    def __init__(self, learned=None, scheme="BIO") -> None:
        self.labels = ("Chemical", "Disease")
        self.cfg = {"scheme": scheme}
        self.tags = tag_set(self.labels, scheme)
        self.learned = learned

    def grammar(self):
        return make_grammar(self.tags, self.cfg["scheme"], self.learned)

    def predict(self, docs):
        raise AssertionError("scores are given")


def make_probabilities(tagger: Tagger, scores: np.ndarray) -> TagProbabilities:
    return TagProbabilities(tagger, scores, find_words(Doc(Vocab(), words=["rats"] * len(scores))))


def count(tagger: Tagger, scores: np.ndarray, wanted) -> float:
    """The share of legal sequences, by their weights, that have a span or none in its tokens."""
    grammar, total, found = tagger.grammar(), 0.0, 0.0
    start, end, label = wanted
    for path in product(range(len(tagger.tags)), repeat=len(scores)):
        score = grammar.starts[path[0]] + grammar.ends[path[-1]]
        score += sum(grammar.transitions[a, b] for a, b in zip(path, path[1:]))
        score += sum(scores[row, tag] for row, tag in enumerate(path))
        weight = np.exp(score)
        total += weight
        spans = tags_to_spans([tagger.tags[index] for index in path])
        free = all(tagger.tags[index] == "O" for index in path[start:end])
        found += weight * (free if label == NO_ENTITY else wanted in spans)
    return found / total


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "IO"])
@pytest.mark.parametrize("wanted", [(1, 3, "Disease"), (0, 1, "Chemical"), (1, 3, NO_ENTITY)])
def test_with_transitions_they_are_shares_of_all_sequences(wanted, scheme) -> None:
    rng = np.random.default_rng(0)
    n = len(Tagger(scheme=scheme).tags)
    learned = (rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=n))
    tagger = Tagger(learned, scheme)
    scores = log_softmax(rng.normal(size=(4, n)))
    probabilities = make_probabilities(tagger, scores)
    assert probabilities.confidence(*wanted) == pytest.approx(count(tagger, scores, wanted))


def test_readings_are_sorted_and_do_not_repeat_what_was_chosen() -> None:
    tagger = Tagger()
    rows = np.array([[0.1, 0.2, 0.0, 0.6, 0.1], [0.5, 0.1, 0.0, 0.1, 0.3]]) + 1e-9
    probabilities = make_probabilities(tagger, np.log(rows))
    found = probabilities.alternatives(0, 1, "Disease")
    assert [(item.start, item.end, item.label) for item in found] == [
        (0, 1, "Chemical"), (0, 2, "Disease"), (0, 1, NO_ENTITY)
    ]  # fmt: skip
    assert found[0].confidence == pytest.approx(0.2)
    assert found[1].confidence == pytest.approx(0.6 * 0.3)
    assert found[2].confidence == pytest.approx(0.1)
    assert probabilities.alternatives(0, 1, "Disease", least=0.15) == found[:2]


def test_without_begin_tags_a_span_may_not_go_on_to_the_left() -> None:
    tagger = Tagger(scheme="IO")
    scores = np.log(np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.05, 0.05, 0.9]]))
    probabilities = make_probabilities(tagger, scores)
    whole, rest = (probabilities.confidence(start, 3, "Disease") for start in (1, 2))
    assert whole == pytest.approx(0.8 * 0.9 * 0.9)
    assert rest == pytest.approx(0.9 * 0.2)
    assert count(tagger, scores, (2, 3, "Disease")) == pytest.approx(rest)


def test_who_has_no_scores_has_no_probabilities(blank_nlp, trained_nlp) -> None:
    assert not has_tag_probabilities(None)
    assert has_tag_probabilities(trained_nlp.get_pipe("bioner"))
    assert not has_tag_probabilities(blank_nlp.create_pipe("entity_ruler"))
