"""Packed recursions against those of one sequence alone: results to the last bit, and memory."""

import tracemalloc
from typing import Any, Callable, List, NamedTuple, Sequence, Tuple

import numpy as np
import pytest

from spacy_bioner.layers.packed_chain import (
    Chain,
    Packing,
    backward,
    best_paths,
    forward,
    log_marginals,
    pack_scores,
    smallest_dtype,
)
from spacy_bioner.layers.span_chain import span_probabilities

Spans = List[List[Tuple[int, int]]]


class Case(NamedTuple):
    scores: List[np.ndarray]
    paths: List[np.ndarray]
    spans: Spans
    chain: Chain
    continues: np.ndarray

    @property
    def n_bytes(self) -> int:
        return sum(rows.nbytes for rows in self.scores)


def make_case(lengths: Sequence[int], n_tags: int, *, seed: int = 0) -> Case:
    """Random scores; a span of one, two or three tokens begins at every tenth token."""
    random = np.random.default_rng(seed)
    scores = [3 * random.normal(size=(n, n_tags)).astype(np.float32) for n in lengths]
    transitions = random.normal(size=(n_tags, n_tags))
    # Some are illegal, but no tag is left without a way in and a way out.
    illegal = random.random((n_tags, n_tags)) < 0.3
    illegal[0], illegal[:, 0] = False, False
    transitions[illegal] = -np.inf
    chain = Chain(transitions, *random.normal(size=(2, n_tags)))
    paths = best_paths(scores, chain)
    starts = [range(0, n - 2, 10) for n in lengths]
    spans = [[(start, start + 1 + start // 10 % 3) for start in own] or [(0, 1)] for own in starts]
    return Case(scores, paths, spans, chain, random.random((n_tags, n_tags)) < 0.2)


def probabilities(case: Case) -> List[List[float]]:
    return span_probabilities(*case)


def viterbi(rows: np.ndarray, chain: Chain) -> List[int]:
    """As in a textbook, in float64."""
    best, back = rows[0] + chain.starts, []
    for row in rows[1:].astype(np.float64):
        candidates = best[:, None] + chain.transitions
        back.append(candidates.argmax(axis=0))
        best = candidates.max(axis=0) + row
    path = [int((best + chain.ends).argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return path[::-1]


def sum_paths(rows: np.ndarray, chain: Chain) -> Tuple[np.ndarray, np.ndarray]:
    """Log alpha and log beta, not scaled."""
    alpha, beta = [rows[0] + chain.starts], [chain.ends]
    for row in rows[1:].astype(np.float64):
        alpha.append(np.logaddexp.reduce(alpha[-1][:, None] + chain.transitions, axis=0) + row)
    for row in rows[:0:-1].astype(np.float64):
        beta.append(np.logaddexp.reduce(chain.transitions + row + beta[-1], axis=1))
    return np.array(alpha), np.array(beta[::-1])


def span_probability(case: Case, index: int, start: int, end: int) -> float:
    """Sum over all sequences with the span's tags and none behind or before it that continues."""
    rows, path, chain = case.scores[index].astype(np.float64), case.paths[index], case.chain
    alpha, beta = sum_paths(rows, chain)
    total = np.logaddexp.reduce(alpha[-1] + chain.ends)
    inside = rows[range(start, end), path[start:end]].sum()
    inside += sum(chain.transitions[path[i], path[i + 1]] for i in range(start, end - 1))
    before: Any = chain.starts[path[start]]
    if start:
        open_tags = ~case.continues[:, path[start]]
        arriving = alpha[start - 1] + chain.transitions[:, path[start]]
        before = np.logaddexp.reduce(arriving[open_tags])
    behind: Any = chain.ends[path[end - 1]]
    if end < len(rows):
        open_tags = ~case.continues[path[end - 1]]
        leaving = chain.transitions[path[end - 1]] + rows[end] + beta[end]
        behind = np.logaddexp.reduce(leaving[open_tags])
    # The start is judged given its tag, as the end is, so this is not the share of all sequences.
    any_before = before
    if start:
        any_before = np.logaddexp.reduce(alpha[start - 1] + chain.transitions[:, path[start]])
    return float(np.exp(any_before + inside + behind - total) * np.exp(before - any_before))


def test_packing_lays_sequences_out_step_by_step() -> None:
    packing = Packing([1, 3, 2])
    packed = packing.pack([np.array([9]), np.array([1, 2, 3]), np.array([4, 5])], np.dtype(int))
    assert packed.tolist() == [1, 4, 9, 2, 5, 3]
    assert [rows.tolist() for rows in packing.unpack(packed)] == [[9], [1, 2, 3], [4, 5]]
    assert packing.n_steps == 3


def test_blocks_hold_all_steps_once() -> None:
    packing = Packing([3000, 70, 1])
    blocks = list(packing.blocks(5))
    assert len(blocks) > 1
    assert [step for first, last in blocks for step in range(first, last)] == list(range(3000))


def test_tags_take_few_bytes() -> None:
    assert [smallest_dtype(n).itemsize for n in (3, 256, 257)] == [1, 1, 2]


@pytest.mark.parametrize("n_tags", [3, 13, 83, 300])
def test_best_paths_equal_those_of_each_sequence_alone(n_tags: int) -> None:
    case = make_case([40, 1, 7, 120, 2], n_tags)
    expected = [viterbi(rows, case.chain) for rows in case.scores]
    assert [path.tolist() for path in case.paths] == expected


def test_of_equal_paths_the_first_is_found() -> None:
    chain = Chain(np.zeros((4, 4)), np.zeros(4), np.zeros(4))
    assert best_paths([np.zeros((6, 4))], chain)[0].tolist() == [0] * 6


@pytest.mark.parametrize("n_tags", [3, 13, 83])
def test_marginals_equal_those_of_each_sequence_alone(n_tags: int) -> None:
    case = make_case([40, 1, 7, 120, 2], n_tags)
    for rows, found in zip(case.scores, log_marginals(case.scores, case.chain), strict=True):
        alpha, beta = sum_paths(rows, case.chain)
        both = alpha + beta
        expected = np.exp(both - np.logaddexp.reduce(both, axis=1)[:, None])
        np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n_tags", [3, 13, 83])
def test_span_probabilities_equal_those_of_each_sequence_alone(n_tags: int) -> None:
    case = make_case([40, 1, 7, 120, 2], n_tags)
    for index, found in enumerate(probabilities(case)):
        expected = [span_probability(case, index, *span) for span in case.spans[index]]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("n_tags", [3, 5, 13, 83, 101])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_found_does_not_depend_on_the_batch_to_the_last_bit(n_tags: int, dtype) -> None:
    random = np.random.default_rng(n_tags)
    case = make_case([*random.integers(1, 90, 20), 1, 2, 700], n_tags)
    scores = [rows.astype(dtype) for rows in case.scores]
    case = case._replace(scores=scores, paths=best_paths(scores, case.chain))
    marginals, values = log_marginals(scores, case.chain), probabilities(case)
    for index, rows in enumerate(scores):
        # A copy at another address: a library's kernels may look at how it is aligned.
        copy = np.empty((len(rows) * n_tags + 1,), dtype)[1:].reshape(rows.shape)
        copy[:] = rows
        alone = case._replace(scores=[copy], paths=[case.paths[index]], spans=[case.spans[index]])
        assert best_paths([copy], case.chain)[0].tolist() == case.paths[index].tolist()
        assert log_marginals([copy], case.chain)[0].tobytes() == marginals[index].tobytes()
        assert probabilities(alone) == [values[index]]


def test_scores_far_apart_give_numbers() -> None:
    case = make_case([60, 5], 5)
    scores = [1000 * rows for rows in case.scores]
    packing, rows = pack_scores(scores)
    assert np.isfinite(forward(rows, packing, case.chain)).all()
    blocks = list(backward(rows, packing, case.chain))
    assert all(np.isfinite(part).all() for _, *both in blocks for part in both)


ABSTRACTS = [int(n) for n in np.clip(np.random.default_rng(0).normal(250, 80, 63), 60, 500)]


@pytest.mark.parametrize("run", ["paths", "marginals", "spans"])
@pytest.mark.parametrize(
    ("lengths", "n_tags"),
    [
        ([*ABSTRACTS, 5000], 83),
        (ABSTRACTS, 83),
        ([5000], 83),
        ([*ABSTRACTS, 5000], 13),
        (ABSTRACTS, 13),
        ([20000], 5),
        ([20] * 1000, 5),
    ],
    ids=["one long, 83", "abstracts, 83", "long, 83", "one long, 13", "13", "long, 5", "short, 5"],
)
def test_memory_is_at_most_five_times_the_scores(lengths: List[int], n_tags: int, run: str) -> None:
    case = make_case(lengths, n_tags)
    runs: dict[str, Callable[[], Any]] = {
        "paths": lambda: best_paths(case.scores, case.chain),
        "marginals": lambda: log_marginals(case.scores, case.chain),
        "spans": lambda: probabilities(case),
    }
    tracemalloc.start()
    try:
        found = runs[run]()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == len(lengths)
    assert peak <= 5 * case.n_bytes
