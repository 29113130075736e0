"""Decoding and confidence against enumeration of all sequences."""

from itertools import product
from typing import Dict, Iterator, Optional, Tuple

import numpy as np
import pytest

from spacy_bioner.architectures.decoding import (
    TagGrammar,
    decode_tags,
    log_softmax,
    make_grammar,
    span_confidences,
)
from spacy_bioner.tags import tag_set, tags_to_spans


def score_all(rows: np.ndarray, grammar: TagGrammar) -> Iterator[Tuple[Tuple[int, ...], float]]:
    """Every legal sequence with its score."""
    for path in product(range(rows.shape[1]), repeat=len(rows)):
        score = grammar.starts[path[0]] + grammar.ends[path[-1]]
        score += sum(rows[i, tag] for i, tag in enumerate(path))
        score += sum(grammar.transitions[a, b] for a, b in zip(path, path[1:]))
        if np.isfinite(score):
            yield path, float(score)


def random_weights(n_tags: int, seed: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return (
        random.normal(size=(n_tags, n_tags)),
        random.normal(size=n_tags),
        random.normal(size=n_tags),
    )


def make_case(scheme: str, seed: int, *, learned: bool) -> Tuple[TagGrammar, np.ndarray]:
    tags = tag_set(["X"] if scheme == "BIOES" else ["X", "Y"], scheme)
    weights = random_weights(len(tags), seed) if learned else None
    rows = np.log(np.random.default_rng(seed).dirichlet(np.ones(len(tags)), size=5))
    return make_grammar(tags, scheme, weights), rows


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("scheme", ["IO", "BIO", "BIOES"])
@pytest.mark.parametrize("seed", range(6))
def test_decode_tags_equals_enumeration(scheme: str, seed: int, learned: bool) -> None:
    grammar, rows = make_case(scheme, seed, learned=learned)
    (path,) = decode_tags([rows], grammar)
    scores: Dict[Tuple[int, ...], float] = dict(score_all(rows, grammar))
    assert scores[tuple(path.tolist())] == pytest.approx(max(scores.values()))


@pytest.mark.parametrize("learned", [False, True])
def test_a_batch_decodes_like_its_members(learned: bool) -> None:
    grammar, rows = make_case("BIO", 3, learned=learned)
    batch = [rows, rows[:1], rows[:0], rows[1:4]]
    together = decode_tags(batch, grammar)
    assert [path.tolist() for path in together] == [
        decode_tags([part], grammar)[0].tolist() for part in batch
    ]


def test_decode_tags_of_nothing_is_nothing() -> None:
    grammar = make_grammar(tag_set(["X"], "BIO"), "BIO")
    assert decode_tags([np.zeros((0, 3))], grammar)[0].tolist() == []


def confidences(rows: np.ndarray, path: list, spans: list, learned: Optional[tuple] = None) -> list:
    grammar = make_grammar(tag_set(["X"], "BIO"), "BIO", learned)
    return span_confidences([rows], [np.array(path)], [spans], grammar)[0]


def test_confidence_of_independent_tokens_is_that_of_the_span_not_being_longer() -> None:
    # Columns O, B-X, I-X: behind the span, another span (0.3) ends it as well as O (0.5) does.
    rows = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.5, 0.3, 0.2]]))
    assert confidences(rows, [1, 2, 0], [(0, 2)]) == [pytest.approx(0.8 * 0.7 * (0.5 + 0.3))]
    assert confidences(rows, [1, 2, 0], []) == []


def test_confidence_of_independent_tokens_at_the_end_is_the_product_of_their_tags() -> None:
    rows = np.log(np.array([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7]]))
    assert confidences(rows, [1, 2], [(0, 2)]) == [pytest.approx(0.8 * 0.7)]


@pytest.mark.parametrize("scheme", ["IO", "BIO", "BIOES"])
@pytest.mark.parametrize("seed", range(6))
def test_learned_confidence_is_the_share_of_sequences_with_the_span(scheme: str, seed: int) -> None:
    grammar, rows = make_case(scheme, seed, learned=True)
    rows = 3 * log_softmax(rows)
    tags = tag_set(["X"] if scheme == "BIOES" else ["X", "Y"], scheme)
    (path,) = decode_tags([rows], grammar)
    spans = tags_to_spans([tags[index] for index in path])
    scores = dict(score_all(rows, grammar))
    total = sum(np.exp(score) for score in scores.values())
    expected = [
        sum(np.exp(score) for other, score in scores.items() if span in spans_of(other, tags))
        / total
        for span in spans
    ]
    found = span_confidences([rows], [path], [[span[:2] for span in spans]], grammar)[0]
    assert found == pytest.approx(expected)


def spans_of(path: Tuple[int, ...], tags: Tuple[str, ...]) -> list:
    return tags_to_spans([tags[index] for index in path])


def test_learned_confidences_of_a_batch_are_those_of_its_members() -> None:
    grammar, rows = make_case("BIO", 1, learned=True)
    batch = [rows, rows[:2]]
    paths = decode_tags(batch, grammar)
    spans = [[(0, 1)], [(1, 2)]]
    together = span_confidences(batch, paths, spans, grammar)
    single = [
        span_confidences([part], [path], [own], grammar)[0]
        for part, path, own in zip(batch, paths, spans)
    ]
    assert together == single


def test_extreme_scores_give_no_nan() -> None:
    grammar = make_grammar(tag_set(["X"], "BIO"), "BIO", random_weights(3, 0))
    # What is best by far, I behind O, is illegal.
    rows = np.array([[1e4, 0.0, 0.0], [0.0, 0.0, 1e4], [0.0, 0.0, 1e4]])
    (path,) = decode_tags([rows], grammar)
    (values,) = span_confidences([rows], [path], [[(0, 3)]], grammar)
    assert path.tolist() == [1, 2, 2]
    assert 0.0 <= values[0] <= 1.0


def test_a_learned_span_of_io_tags_neither_begins_nor_ends_later_by_hand() -> None:
    # Columns O, I-X; I behind I weighs twice as much. The eight sequences of three tokens:
    rows = np.log(np.array([[0.8, 0.2], [0.1, 0.9], [0.6, 0.4]]))
    learned = (np.log(np.array([[1.0, 1.0], [1.0, 2.0]])), np.zeros(2), np.zeros(2))
    grammar = make_grammar(tag_set(["X"], "IO"), "IO", learned)
    weights = {
        "OOO": 0.048, "OOI": 0.032, "OIO": 0.432, "OII": 0.288 * 2,
        "IOO": 0.012, "IOI": 0.008, "IIO": 0.108 * 2, "III": 0.072 * 4,
    }  # fmt: skip
    total = sum(weights.values())
    paths = [np.array([0, 1, 0]), np.array([0, 1, 1]), np.array([1, 1, 0]), np.array([1, 1, 1])]
    spans = [[(1, 2)], [(1, 3)], [(0, 2)], [(0, 3)]]
    found = span_confidences([rows] * 4, paths, spans, grammar)
    names = ("OIO", "OII", "IIO", "III")
    assert found == [[pytest.approx(weights[name] / total)] for name in names]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # What is best for each token would end within a span, or begin within one.
        ([[0.9, 0.05, 0.02, 0.02, 0.01], [0.1, 0.5, 0.05, 0.05, 0.3]], ["O", "S-X"]),
        ([[0.1, 0.05, 0.5, 0.05, 0.3], [0.9, 0.02, 0.02, 0.05, 0.01]], ["S-X", "O"]),
        ([[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1]], ["B-X", "E-X"]),
    ],
)
def test_tags_that_are_best_by_themselves_are_decoded_anew_where_illegal(rows, expected) -> None:
    tags = tag_set(["X"], "BIOES")
    (path,) = decode_tags([np.log(np.array(rows))], make_grammar(tags, "BIOES"))
    assert [tags[index] for index in path] == expected
