"""From tag scores to the best legal tag sequence and the probability of each of its spans.

What is found for a document does not depend, to the last bit, on which others are decoded with it,
and memory follows the tokens of all: see `layers.packed_chain`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike
from thinc.api import Model

from spacy_bioner.layers.packed_chain import Chain, best_paths, log_marginals
from spacy_bioner.layers.span_chain import span_probabilities
from spacy_bioner.tags import legal_ends, legal_starts, legal_transitions, tag_continues

# The least and, from 1, the greatest confidence that can be scaled.
EDGE = 1e-6
Learned = Tuple[np.ndarray, np.ndarray, np.ndarray]
# What the weights of a CRF are called, in a torch module and among a thinc model's parameters.
TRANSITIONS = ("transitions", "starts", "ends")


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

    @property
    def chain(self) -> Chain:
        """Return the scores alone."""
        return Chain(self.transitions, self.starts, self.ends)


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


def learned_transitions(model: Model) -> Optional[Learned]:
    """Return a CRF's transition, start and end weights as float64 arrays; None without a CRF.

    model (Model): A token classifier, trained or exported.
    """
    head: Any = model.get_ref("output_layer")
    if head.has_param(TRANSITIONS[0]):
        weights: List[Any] = [head.ops.to_numpy(head.get_param(name)) for name in TRANSITIONS]
    else:
        crf = getattr(head.shims[0].module, "crf", None) if _is_ready(head) else None
        if crf is None:
            return None
        weights = [getattr(crf, name).detach().cpu().numpy() for name in TRANSITIONS]
    transitions, starts, ends = (np.asarray(item, dtype=np.float64) for item in weights)
    return transitions, starts, ends


def _is_ready(head: Any) -> bool:
    return bool(head.shims and head.shims[0].is_ready)


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
        best = best_paths([scores[index] for index in open_docs], grammar.chain)
        for index, path in zip(open_docs, best):
            paths[index] = path
    return paths


def span_confidences(
    scores: Sequence[np.ndarray],
    paths: Sequence[np.ndarray],
    spans: Sequence[Sequence[Tuple[int, int]]],
    grammar: TagGrammar,
) -> List[List[float]]:
    """Return the probability of each decoded span: that its tags are so, and that it is not longer,
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
        together = span_probabilities(
            [scores[index] for index in wanted],
            [paths[index] for index in wanted],
            [spans[index] for index in wanted],
            grammar.chain,
            grammar.continues,
        )
        for index, values in zip(wanted, together):
            found[index] = values
    return found


def scale_confidences(confidences: ArrayLike, temperature: float, bias: float = 0.0) -> np.ndarray:
    """Divide the log-odds of confidences by a temperature (Guo and others, 2017), and add a bias
    (Platt, 1999).

    Above 1 they become more modest; 1.0 and a bias of 0 leave them as they are. Their order stays.
    """
    if temperature == 1.0 and bias == 0.0:
        return np.asarray(confidences, dtype=np.float64)
    # Confidences of 0 and 1 have no finite log-odds.
    clipped = np.clip(confidences, EDGE, 1.0 - EDGE)
    odds = np.log(clipped) - np.log1p(-clipped)
    return 1.0 / (1.0 + np.exp(-(odds / temperature + bias)))


def tag_log_marginals(scores: Sequence[np.ndarray], grammar: TagGrammar) -> List[np.ndarray]:
    """Return the log probability of each tag at each token, over all legal sequences.

    Forward-backward (Rabiner, 1989): what a CRF finds of a token, its neighbours considered.

    scores (Sequence[np.ndarray]): Tag scores; float, shape (tokens, tags), per document.
    RETURNS (List[np.ndarray]): float64, -inf for what cannot be, the same shapes.
    """
    found = [np.zeros((0, rows.shape[1])) for rows in scores]
    filled = [index for index, rows in enumerate(scores) if len(rows)]
    if filled:
        together = log_marginals([scores[index] for index in filled], grammar.chain)
        for index, rows in zip(filled, together):
            found[index] = rows
    return found


def _is_legal(path: np.ndarray, grammar: TagGrammar) -> bool:
    # The unconstrained optimum, if legal, is the constrained one as well.
    ends_well = np.isfinite(grammar.starts[path[0]]) and np.isfinite(grammar.ends[path[-1]])
    return bool(ends_well and np.isfinite(grammar.transitions[path[:-1], path[1:]]).all())


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
    """Return the probability that the span whose first token is `start` begins there."""
    joins = continues[:, path[start]]
    if not start or not joins.any():
        return 1.0
    longer = np.exp(log_probs[start - 1, joins].astype(np.float64)).sum()
    return float(max(0.0, 1.0 - longer))


def _stops(log_probs: np.ndarray, path: np.ndarray, end: int, continues: np.ndarray) -> float:
    """Return the probability that the span whose last token is `end - 1` is not longer."""
    if end == len(path):
        return 1.0
    longer = np.exp(log_probs[end, continues[path[end - 1]]].astype(np.float64)).sum()
    return float(max(0.0, 1.0 - longer))
