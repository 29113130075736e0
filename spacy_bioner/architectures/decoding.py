"""From tag scores to the best legal tag sequence and the probability of each of its spans."""

from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

from spacy_bioner.tags import legal_ends, legal_starts, legal_transitions, tag_continues

# The lowest score beside a token's best one: float64 holds its exponential, and products of it.
FLOOR = -300.0
# The least and, from 1, the greatest confidence that can be scaled.
EDGE = 1e-6
Learned = Tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class TagGrammar:
    """How tags may follow each other, and how gladly.

    transitions (np.ndarray): Score of tag j behind tag i, -inf where illegal; shape (tags, tags).
    starts (np.ndarray): Score of each tag as the first; shape (tags,).
    ends (np.ndarray): Score of each tag as the last; shape (tags,).
    continues (np.ndarray): Whether tag j behind tag i continues a span; bool, shape (tags, tags).
    is_learned (bool): Whether legal transitions differ in score, as those of a CRF do.
    """

    transitions: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    continues: np.ndarray
    is_learned: bool


def make_grammar(tags: Sequence[str], scheme: str, learned: Optional[Learned] = None) -> TagGrammar:
    """Build the grammar of a tag set.

    learned (Optional[Learned]): Transition, start and end weights of a CRF; None: all alike.
    """
    *legal, continues = _find_legal(tuple(tags), scheme)
    weights = learned or tuple(np.zeros(allowed.shape) for allowed in legal)
    transitions, starts, ends = (
        np.where(allowed, weight.astype(np.float64), -np.inf)
        for allowed, weight in zip(legal, weights)
    )
    return TagGrammar(transitions, starts, ends, continues, learned is not None)


@lru_cache(maxsize=8)
def _find_legal(tags: Tuple[str, ...], scheme: str) -> Tuple[np.ndarray, ...]:
    # Once for all batches: of dozens of tags there are thousands of pairs.
    legal = (legal_transitions(tags, scheme), legal_starts(tags, scheme), legal_ends(tags, scheme))
    return (*legal, tag_continues(tags))


def log_softmax(emissions: np.ndarray) -> np.ndarray:
    """Turn emissions, shape (tokens, tags), into log probabilities."""
    shifted = emissions - emissions.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def decode_tags(scores: Sequence[np.ndarray], grammar: TagGrammar) -> List[np.ndarray]:
    """Find the best legal tag sequence of each document (Viterbi, 1967), all documents at once.

    scores (Sequence[np.ndarray]): Tag scores; float, shape (tokens, tags), per document.
    RETURNS (List[np.ndarray]): Tag indices; int64, shape (tokens,), per document.
    """
    paths = [rows.argmax(axis=1) for rows in scores]
    open_docs = [
        index
        for index, path in enumerate(paths)
        if len(path) and (grammar.is_learned or not _is_legal(path, grammar))
    ]
    if open_docs:
        batch, lengths = _pad([scores[index] for index in open_docs])
        best = _viterbi(batch, lengths, grammar)
        for index, path, length in zip(open_docs, best, lengths):
            paths[index] = path[:length]
    return paths


def span_confidences(
    scores: Sequence[np.ndarray],
    paths: Sequence[np.ndarray],
    spans: Sequence[Sequence[Tuple[int, int]]],
    grammar: TagGrammar,
) -> List[List[float]]:
    """Give the probability of each decoded span: that its tags are so, and that it is not longer,
    on its left only in schemes (IO) whose first tag may go on with what is before.

    Where transitions are learned it is taken over all legal sequences; else tokens count as
    independent of each other.

    scores (Sequence[np.ndarray]): Tag scores per document; log probabilities where transitions
        are not learned.
    paths (Sequence[np.ndarray]): The decoded tags per document.
    spans (Sequence[Sequence[Tuple[int, int]]]): Half-open token spans per document.
    RETURNS (List[List[float]]): A value between 0 and 1 per span, per document.
    """
    found: List[List[float]] = [[] for _ in scores]
    if not grammar.is_learned:
        for index, rows in enumerate(scores):
            found[index] = _independent(rows, paths[index], spans[index], grammar.continues)
        return found
    wanted = [index for index, doc_spans in enumerate(spans) if len(doc_spans)]
    if wanted:
        batch, lengths = _pad([scores[index] for index in wanted])
        alpha, beta = _forward_backward(batch, lengths, grammar)
        for row, index in enumerate(wanted):
            chain = (batch[row], alpha[row], beta[row])
            found[index] = [
                _chained(chain, paths[index], start, end, grammar) for start, end in spans[index]
            ]
    return found


def scale_confidences(confidences: ArrayLike, temperature: float) -> np.ndarray:
    """Divide the log-odds of confidences by a temperature (Guo and others, 2017).

    Above 1 they become more modest; 1.0 leaves them as they are. Their order stays.
    """
    if temperature == 1.0:
        return np.asarray(confidences, dtype=np.float64)
    # Confidences of 0 and 1 have no finite log-odds.
    clipped = np.clip(confidences, EDGE, 1.0 - EDGE)
    odds = np.log(clipped) - np.log1p(-clipped)
    return 1.0 / (1.0 + np.exp(-odds / temperature))


def tag_log_marginals(scores: Sequence[np.ndarray], grammar: TagGrammar) -> List[np.ndarray]:
    """Give the log probability of each tag at each token, over all legal sequences.

    Forward-backward (Rabiner, 1989): what a CRF believes of a token, its neighbours considered.

    scores (Sequence[np.ndarray]): Tag scores; float, shape (tokens, tags), per document.
    RETURNS (List[np.ndarray]): float64, -inf for what cannot be, the same shapes.
    """
    found = [np.zeros(rows.shape) for rows in scores]
    filled = [index for index, rows in enumerate(scores) if len(rows)]
    if filled:
        batch, lengths = _pad([scores[index] for index in filled])
        alpha, beta = _forward_backward(batch, lengths, grammar)
        for row, index in enumerate(filled):
            length = lengths[row]
            with np.errstate(divide="ignore"):
                found[index] = np.log(_scale(alpha[row, :length] * beta[row, :length]))
    return found


def _is_legal(path: np.ndarray, grammar: TagGrammar) -> bool:
    # The unconstrained optimum, if legal, is the constrained one as well.
    ends_well = np.isfinite(grammar.starts[path[0]]) and np.isfinite(grammar.ends[path[-1]])
    return bool(ends_well and np.isfinite(grammar.transitions[path[:-1], path[1:]]).all())


def _pad(scores: Sequence[np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(rows) for rows in scores])
    batch = np.zeros((len(scores), lengths.max(), scores[0].shape[1]))
    for index, rows in enumerate(scores):
        batch[index, : len(rows)] = rows
    return batch, lengths


def _viterbi(batch: np.ndarray, lengths: np.ndarray, grammar: TagGrammar) -> np.ndarray:
    n_docs, n_steps, n_tags = batch.shape
    back = np.zeros((n_steps, n_docs, n_tags), dtype=np.int64)
    score = batch[:, 0] + grammar.starts
    for step in range(1, n_steps):
        going = np.flatnonzero(lengths > step)
        candidates = score[going, :, None] + grammar.transitions
        back[step, going] = candidates.argmax(axis=1)
        score[going] = candidates.max(axis=1) + batch[going, step]
    paths = np.zeros((n_docs, n_steps), dtype=np.int64)
    rows = np.arange(n_docs)
    tag = (score + grammar.ends).argmax(axis=1)
    for step in range(n_steps - 1, -1, -1):
        paths[:, step] = tag
        if step:
            tag = np.where(step < lengths, back[step, rows, tag], tag)
    return paths


def _forward_backward(
    batch: np.ndarray, lengths: np.ndarray, grammar: TagGrammar
) -> Tuple[np.ndarray, np.ndarray]:
    """Give, scaled to sum to 1 at each token, alpha (with its own score) and beta (without)."""
    n_steps = batch.shape[1]
    weights = np.exp(np.clip(batch - batch.max(axis=2, keepdims=True), FLOOR, 0.0))
    follow = np.exp(grammar.transitions)
    alpha = np.zeros_like(batch)
    alpha[:, 0] = _scale(np.exp(grammar.starts) * weights[:, 0])
    for step in range(1, n_steps):
        alpha[:, step] = _scale((alpha[:, step - 1] @ follow) * weights[:, step])
    beta = np.zeros_like(batch)
    last = _scale(np.broadcast_to(np.exp(grammar.ends), alpha[:, 0].shape))
    for step in range(n_steps - 1, -1, -1):
        if step == n_steps - 1:
            beta[:, step] = last
            continue
        inner = _scale((beta[:, step + 1] * weights[:, step + 1]) @ follow.T)
        beta[:, step] = np.where((lengths - 1 == step)[:, None], last, inner)
    return alpha, beta


def _scale(rows: np.ndarray) -> np.ndarray:
    return rows / rows.sum(axis=1, keepdims=True)


def _chained(
    chain: Tuple[np.ndarray, np.ndarray, np.ndarray],
    path: np.ndarray,
    start: int,
    end: int,
    grammar: TagGrammar,
) -> float:
    """Multiply the conditional probabilities of a span's tags and of its not being continued.

    Given its tag, what follows a token depends on nothing before it, so each factor is the share
    of one transition among all from the same tag, weighed by what can come behind.
    """
    scores, alpha, beta = chain
    here = alpha[start] * beta[start]
    probability = here[path[start]] / here.sum()
    joins = grammar.continues[:, path[start]]
    if start and joins.any():
        before = alpha[start - 1] * np.exp(grammar.transitions[:, path[start]])
        probability *= before[~joins].sum() / before.sum()
    for position in range(start, end):
        if position + 1 == len(path):
            break
        tag = path[position]
        rows = np.clip(scores[position + 1] - scores[position + 1].max(), FLOOR, 0.0)
        onward = np.exp(grammar.transitions[tag] + rows) * beta[position + 1]
        chosen = path[position + 1] if position + 1 < end else ~grammar.continues[tag]
        probability *= onward[chosen].sum() / onward.sum()
    return float(min(probability, 1.0))


def _independent(
    log_probs: np.ndarray,
    path: np.ndarray,
    spans: Sequence[Tuple[int, int]],
    continues: np.ndarray,
) -> List[float]:
    if not len(spans):
        return []
    chosen = log_probs[np.arange(len(path)), path].astype(np.float64)
    summed = np.concatenate([[0.0], np.cumsum(chosen)])
    return [
        float(
            np.exp(summed[end] - summed[start])
            * _starts(log_probs, path, start, continues)
            * _stops(log_probs, path, end, continues)
        )
        for start, end in spans
    ]


def _starts(log_probs: np.ndarray, path: np.ndarray, start: int, continues: np.ndarray) -> float:
    """Give the probability that the span whose first token is `start` begins there."""
    joins = continues[:, path[start]]
    if not start or not joins.any():
        return 1.0
    longer = np.exp(log_probs[start - 1, joins].astype(np.float64)).sum()
    return float(max(0.0, 1.0 - longer))


def _stops(log_probs: np.ndarray, path: np.ndarray, end: int, continues: np.ndarray) -> float:
    """Give the probability that the span whose last token is `end - 1` is not longer."""
    if end == len(path):
        return 1.0
    longer = np.exp(log_probs[end, continues[path[end - 1]]].astype(np.float64)).sum()
    return float(max(0.0, 1.0 - longer))
