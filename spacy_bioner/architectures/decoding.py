"""From tag probabilities to the best legal tag sequence."""

from typing import Any, List, Sequence, Tuple

import numpy as np


def log_softmax(emissions: Any, xp: Any = np) -> Any:
    """Turn emissions, shape (tokens, tags), into log probabilities; `xp` is numpy or cupy."""
    shifted = emissions - emissions.max(axis=1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))


def decode_tags(log_probs: np.ndarray, transitions: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Find the most probable sequence of tags in which every transition is legal (Viterbi 1967).

    log_probs (np.ndarray): Log probabilities; float, shape (tokens, tags).
    transitions (np.ndarray): Whether tag j may follow tag i; bool, shape (tags, tags).
    starts (np.ndarray): Whether a sequence may start with the tag; bool, shape (tags,).
    RETURNS (np.ndarray): Tag indices; int64, shape (tokens,).
    """
    best = log_probs.argmax(axis=1)
    if len(best) == 0 or (starts[best[0]] and transitions[best[:-1], best[1:]].all()):
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
    path[-1] = score.argmax()
    for position in range(len(log_probs) - 1, 0, -1):
        path[position - 1] = back[position, path[position]]
    return path


def span_confidence(
    log_probs: np.ndarray, path: np.ndarray, spans: Sequence[Tuple[int, int]]
) -> List[float]:
    """Give the probability of each decoded span under independent token probabilities.

    It is the product of the probabilities of the span's tags and of the tag behind it not
    continuing the span, taken from the decoded path.

    log_probs (np.ndarray): Log probabilities, shape (tokens, tags).
    path (np.ndarray): The decoded tag per token.
    spans (Sequence[Tuple[int, int]]): Half-open token spans.
    RETURNS (List[float]): One value between 0 and 1 per span.
    """
    if not spans:
        return []
    chosen = log_probs[np.arange(len(path)), path].astype(np.float64)
    summed = np.concatenate([[0.0], np.cumsum(chosen)])
    ends = [min(end + 1, len(path)) for _, end in spans]
    return [float(np.exp(summed[end] - summed[start])) for (start, _), end in zip(spans, ends)]
