"""The probability of spans in linear chains of tags: that their tags are so, and that they are not
continued beyond their borders.

Given its tag, what follows a token depends on nothing before it. So a span's probability is that of
its first tag, times the share of each transition among all from the same tag, weighed by what can
come behind; the last of them counts every tag that does not continue the span.
"""

from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np

from spacy_bioner.layers.packed_chain import (
    Chain,
    Packing,
    backward,
    forward,
    pack_scores,
    smallest_dtype,
)


def span_probabilities(
    scores: Sequence[np.ndarray],
    paths: Sequence[np.ndarray],
    spans: Sequence[Sequence[Tuple[int, int]]],
    chain: Chain,
    continues: np.ndarray,
) -> List[List[float]]:
    """Return the probability of each span.

    scores (Sequence[np.ndarray]): Tag scores; float, shape (tokens, tags), at least one token.
    paths (Sequence[np.ndarray]): The tags that the probabilities are of; int64, shape (tokens,).
    spans (Sequence[Sequence[Tuple[int, int]]]): Half-open, at least one per sequence.
    continues (np.ndarray): Whether tag j behind tag i continues a span; bool, shape (tags, tags).
    """
    packing, rows = pack_scores(scores)
    tags = packing.pack(paths, smallest_dtype(rows.shape[1]))
    links = _link(packing, spans, tags)
    follow = np.exp(chain.transitions)
    alpha = forward(rows, packing, chain)
    factors = np.empty(len(links.begin) + len(links.right))
    first_order, right_order = np.argsort(links.first), np.argsort(links.right)
    for block, beta, onward in backward(rows, packing, chain):
        at = _within(block, links.first, first_order)
        first, tag = links.first[at], links.tag[at]
        factors[links.begin[at]] = _share(alpha[first] * beta[first - block.start], tag)
        at = at[links.before[at] >= 0]
        before, tag = alpha[links.before[at]] * follow.T[links.tag[at]], links.tag[at]
        factors[links.begin[at]] *= _share_of_many(before, ~continues.T[tag])
        at = _within(block, links.right, right_order)
        ahead = follow[links.left_tag[at]] * onward[links.right[at] - block.start]
        leaving = _share_of_many(ahead, ~continues[links.left_tag[at]])
        staying = _share(ahead, links.right_tag[at])
        factors[links.factor[at]] = np.where(links.is_border[at], leaving, staying)
    products = np.minimum(np.multiply.reduceat(factors, links.begin), 1.0)
    borders = np.cumsum([len(own) for own in spans])[:-1]
    return [values.tolist() for values in np.split(products, borders)]


@dataclass(frozen=True)
class _Links:
    """What the probabilities of spans are made of: their first tokens, and each of their tokens
    with the one behind it. Tokens are packed rows; all int64.

    first, tag (np.ndarray): The first token of each span, and its tag; shape (spans,).
    before (np.ndarray): The token before it, -1 where there is none; shape (spans,).
    begin (np.ndarray): The place of the first token's factor among those of all spans.
    right (np.ndarray): The right token of each pair; shape (pairs,).
    left_tag, right_tag (np.ndarray): The tags of both.
    factor (np.ndarray): The place of each pair's factor.
    is_border (np.ndarray): Whether the right token is outside of the span; bool, shape (pairs,).
    """

    first: np.ndarray
    tag: np.ndarray
    before: np.ndarray
    begin: np.ndarray
    right: np.ndarray
    left_tag: np.ndarray
    right_tag: np.ndarray
    factor: np.ndarray
    is_border: np.ndarray


def _link(packing: Packing, spans: Sequence[Sequence[Tuple[int, int]]], tags: np.ndarray) -> _Links:
    sequence = np.repeat(np.arange(len(spans)), [len(own) for own in spans])
    starts, ends = np.array([span for own in spans for span in own], dtype=np.int64).T
    bounds, places = packing.bounds, packing.places[sequence]
    # The last token of a sequence has nothing behind it.
    n_pairs = np.minimum(ends, packing.lengths[sequence] - 1) - starts
    pairs_before = np.cumsum(n_pairs) - n_pairs
    span = np.repeat(np.arange(len(starts)), n_pairs)
    pair = np.arange(len(span))
    position = starts[span] + pair - pairs_before[span]
    first = bounds[starts] + places
    right = bounds[position + 1] + places[span]
    return _Links(
        first=first,
        tag=tags[first],
        before=np.where(starts > 0, bounds[starts - 1] + places, -1),
        begin=pairs_before + np.arange(len(starts)),
        right=right,
        left_tag=tags[bounds[position] + places[span]],
        right_tag=tags[right],
        factor=pair + span + 1,
        is_border=position + 1 == ends[span],
    )


def _within(block: slice, rows: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return which of some packed rows are in a block; `order` sorts them."""
    low, high = np.searchsorted(rows, [block.start, block.stop], sorter=order)
    return order[low:high]


def _share(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the share that one column of each row has of its sum."""
    return rows[np.arange(len(rows)), columns] / rows.sum(axis=1)


def _share_of_many(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the share of some columns; bool, of the same shape."""
    return (rows * columns).sum(axis=1) / rows.sum(axis=1)
