from itertools import product

import numpy as np
import pytest

from spacy_bioner.architectures.decoding import decode_tags, span_confidence
from spacy_bioner.tags import legal_ends, legal_starts, legal_transitions, tag_continues, tag_set


def brute_force(
    log_probs: np.ndarray, transitions: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> float:
    """The best score of any legal sequence, by trying them all."""
    n_tokens, n_tags = log_probs.shape
    scores = []
    for path in product(range(n_tags), repeat=n_tokens):
        within = starts[path[0]] and ends[path[-1]]
        if within and all(transitions[a, b] for a, b in zip(path, path[1:])):
            scores.append(sum(log_probs[i, tag] for i, tag in enumerate(path)))
    return max(scores)


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
@pytest.mark.parametrize("seed", range(10))
def test_decode_tags_equals_enumeration(scheme, seed):
    tags = tag_set(["X"] if scheme == "BIOES" else ["X", "Y"], scheme)
    transitions, starts, ends = legal_transitions(tags), legal_starts(tags), legal_ends(tags)
    log_probs = np.log(np.random.default_rng(seed).dirichlet(np.ones(len(tags)), size=5))
    path = decode_tags(log_probs, transitions, starts, ends)
    score = log_probs[np.arange(5), path].sum()
    assert score == pytest.approx(brute_force(log_probs, transitions, starts, ends))
    assert starts[path[0]]
    assert ends[path[-1]]
    assert transitions[path[:-1], path[1:]].all()


def test_decode_tags_of_nothing_is_nothing():
    tags = tag_set(["X"], "BIO")
    path = decode_tags(
        np.zeros((0, 3)), legal_transitions(tags), legal_starts(tags), legal_ends(tags)
    )
    assert path.tolist() == []


def test_span_confidence_is_that_of_the_span_not_being_longer():
    # Columns O, B-X, I-X: behind the span, another span (0.3) ends it as well as O (0.5) does.
    log_probs = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.5, 0.3, 0.2]]))
    continues = tag_continues(tag_set(["X"], "BIO"))
    path = np.array([1, 2, 0])
    assert span_confidence(log_probs, path, [(0, 2)], continues) == [
        pytest.approx(0.8 * 0.7 * (0.5 + 0.3))
    ]
    assert span_confidence(log_probs, path, [], continues) == []


def test_span_confidence_at_the_end_is_the_product_of_its_tags():
    log_probs = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7]]))
    continues = tag_continues(tag_set(["X"], "BIO"))
    assert span_confidence(log_probs, np.array([1, 2]), [(0, 2)], continues) == [
        pytest.approx(0.8 * 0.7)
    ]
