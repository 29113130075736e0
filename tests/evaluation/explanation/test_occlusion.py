"""Covering words, on a system whose every answer is known."""

import numpy as np
import pytest
import spacy

from spacy_bioner.evaluation.explanation.occlusion import compare_deletions, cover, occlude

NLP = spacy.blank("en")
DOC = NLP.make_doc("The drug naloxone works.  It does.")


def score(docs):
    """Half of it is the name, a quarter the word before; sentence borders are kept."""
    values = []
    for doc in docs:
        words = [token.text for token in doc]
        assert [token.i for token in doc if token.is_sent_start] == [0, 6]
        values.append(0.2 + 0.5 * (words[2] == "naloxone") + 0.25 * (words[1] == "drug"))
    return values


STARTS = [index in (0, 6) for index in range(len(DOC))]


def test_covered_texts_have_the_same_tokens() -> None:
    covered = cover(DOC, [1, 2], "[MASK]", sent_starts=STARTS)
    assert covered.text == "The [MASK] [MASK] works.  It does."
    assert [token.i for token in covered if token.is_sent_start] == [0, 6]
    again = cover(covered, [], "_")
    assert again.text == covered.text
    assert [token.i for token in again if token.is_sent_start] == [0, 6]


def test_a_word_adds_what_is_lost_without_it() -> None:
    values = occlude(DOC, score, "_", sent_starts=STARTS)
    expected = np.zeros(len(DOC))
    expected[[1, 2]] = 0.25, 0.5
    assert values == pytest.approx(expected)


def test_the_words_named_first_are_held_against_random_ones() -> None:
    values = occlude(DOC, score, "_", sent_starts=STARTS)
    found = compare_deletions(DOC, values, score, "_", n_words=2, sent_starts=STARTS, n_draws=50)
    assert found is not None
    assert (found.whole, found.top) == pytest.approx((0.95, 0.2))
    assert 0.2 < found.drawn < 0.95
    # Seeded: the same draws each time.
    assert found == compare_deletions(
        DOC, values, score, "_", n_words=2, sent_starts=STARTS, n_draws=50
    )


def test_words_can_be_taken_from_some_tokens_alone() -> None:
    values = occlude(DOC, score, "_", sent_starts=STARTS)
    found = compare_deletions(DOC, values, score, "_", among=[0, 1, 3], sent_starts=STARTS)
    assert found is not None
    assert found.top == pytest.approx(0.7)
    assert compare_deletions(DOC, values, score, "_", n_words=2, among=[0, 1]) is None
    assert compare_deletions(DOC, values, score, "_", among=[]) is None
