"""From tag probabilities to the best legal tag sequence."""

from typing import Any, List, Sequence, Tuple

import numpy as np


def log_softmax(emissions: Any, xp: Any = np) -> Any:
    """Turn emissions, shape (tokens, tags), into log probabilities; `xp` is numpy or cupy."""
    shifted = emissions - emissions.max(axis=1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))


def decode_tags(
    log_probs: np.ndarray, transitions: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Find the most probable sequence of tags in which every transition is legal (Viterbi 1967).

    log_probs (np.ndarray): Log probabilities; float, shape (tokens, tags).
    transitions (np.ndarray): Whether tag j may follow tag i; bool, shape (tags, tags).
    starts (np.ndarray): Whether a sequence may start with the tag; bool, shape (tags,).
    ends (np.ndarray): Whether a sequence may end with the tag; bool, shape (tags,).
    RETURNS (np.ndarray): Tag indices; int64, shape (tokens,).
    """
    best = log_probs.argmax(axis=1)
    if len(best) == 0 or (
        starts[best[0]] and ends[best[-1]] and transitions[best[:-1], best[1:]].all()
    ):
        # The unconstrained optimum is legal, so it is the constrained one as well.
        return best
    penalties = np.where(transitions, 0.0, -np.inf)
    back = np.empty(log_probs.shape, dtype=np.int64)
    score = log_probs[0] + np.where(starts, 0.0, -np.inf)
    tags = np.arange(log_probs.shape[1])
    for position in range(1, len(log_probs)):
        candidates = score[:, None] + penalties
        back[position] = candidates.argmax(axis=0)
        score = candidates[back[position], tags] + log_probs[position]
    path = np.empty(len(log_probs), dtype=np.int64)
    path[-1] = (score + np.where(ends, 0.0, -np.inf)).argmax()
    for position in range(len(log_probs) - 1, 0, -1):
        path[position - 1] = back[position, path[position]]
    return path


def span_confidence(
    log_probs: np.ndarray,
    path: np.ndarray,
    spans: Sequence[Tuple[int, int]],
    continues: np.ndarray,
) -> List[float]:
    """Give the probability of each decoded span under independent token probabilities.

    It is the product of the probabilities of the span's tags, times the probability that the tag
    behind it, whichever it is, does not continue the span.

    log_probs (np.ndarray): Log probabilities, shape (tokens, tags).
    path (np.ndarray): The decoded tag per token.
    spans (Sequence[Tuple[int, int]]): Half-open token spans.
    continues (np.ndarray): Whether tag j behind tag i continues a span; bool, shape (tags, tags).
    RETURNS (List[float]): One value between 0 and 1 per span.
    """
    if not spans:
        return []
    chosen = log_probs[np.arange(len(path)), path].astype(np.float64)
    summed = np.concatenate([[0.0], np.cumsum(chosen)])
    return [
        float(np.exp(summed[end] - summed[start]) * _stops(log_probs, path, end, continues))
        for start, end in spans
    ]


def _stops(log_probs: np.ndarray, path: np.ndarray, end: int, continues: np.ndarray) -> float:
    """Give the probability that the span whose last token is `end - 1` is not longer."""
    if end == len(path):
        return 1.0
    longer = np.exp(log_probs[end, continues[path[end - 1]]].astype(np.float64)).sum()
    return float(max(0.0, 1.0 - longer))
