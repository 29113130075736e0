"""Recursions over linear chains of tags, many sequences at once, with numpy alone.

Sequences are packed, not padded: the first rows of all of them, then the second rows of those that
have one, and so on, the longest sequence first. So memory follows the tokens, however lengths mix.

What is computed for a sequence does not depend on the others, to the last bit: each operation works
on rows of one shape. That is why products with the transitions are one vector by one matrix for
each sequence: a library may round the product of two matrices by how many rows the first one has.
"""

from typing import Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

# The lowest score beside a token's best one: float64 holds its exponential, and products of it.
FLOOR = -300.0
# The fewest and the most numbers of a temporary array, in float64: small beside what is worked on,
# large enough to be worth a call, and no more than a processor's cache holds.
BLOCKS = (1 << 9, 1 << 15)


class Chain(NamedTuple):
    """Scores of neighbouring tags; float64, -inf where illegal.

    transitions (np.ndarray): Score of tag j behind tag i; shape (tags, tags).
    starts (np.ndarray): Score of each tag as the first; shape (tags,).
    ends (np.ndarray): Score of each tag as the last; shape (tags,).
    """

    transitions: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


class Packing:
    """Where the rows of sequences go.

    lengths (Sequence[int]): Tokens per sequence, each at least 1.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        sizes = np.asarray(lengths, dtype=np.int64)
        self.lengths = sizes
        # The longest first: those that have a step are always the first ones.
        self.order = np.argsort(-sizes, kind="stable")
        counts = np.searchsorted(-sizes[self.order], -np.arange(sizes.max()))
        # Packed row at which each step begins; behind it, the number of rows.
        self.bounds = np.concatenate([[0], np.cumsum(counts)])
        self.places = np.empty_like(self.order)
        self.places[self.order] = np.arange(len(sizes))

    @property
    def n_steps(self) -> int:
        """Return the length of the longest sequence."""
        return len(self.bounds) - 1

    def step(self, number: int) -> slice:
        """Return the packed rows of a step."""
        return slice(int(self.bounds[number]), int(self.bounds[number + 1]))

    def rows(self, sequence: int) -> np.ndarray:
        """Return the packed rows of a sequence; int64, shape (tokens,)."""
        return self.bounds[: self.lengths[sequence]] + self.places[sequence]

    def blocks(self, n_tags: int) -> Iterator[Tuple[int, int]]:
        """Cut the steps into runs of rows that go into a temporary array.

        YIELDS (Tuple[int, int]): The first step and that behind the last.
        """
        limit = max(self.block_size(n_tags) // n_tags, 1)
        first = 0
        while first < self.n_steps:
            fitting = np.searchsorted(self.bounds, self.bounds[first] + limit, side="right") - 1
            last = max(int(fitting), first + 1)
            yield first, last
            first = last

    def block_size(self, n_tags: int) -> int:
        """Return how many numbers a temporary array has."""
        return int(np.clip(self.bounds[-1] * n_tags // 16, *BLOCKS))

    def pack(self, sequences: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
        """Lay the rows of sequences out, each of shape (tokens, …)."""
        packed = np.empty((self.bounds[-1], *sequences[0].shape[1:]), dtype=dtype)
        for index, rows in enumerate(sequences):
            packed[self.rows(index)] = rows
        return packed

    def unpack(self, packed: np.ndarray) -> List[np.ndarray]:
        """Take the rows of each sequence; the inverse of `pack`."""
        if len(self.lengths) == 1:
            return [packed]
        return [packed[self.rows(index)] for index in range(len(self.lengths))]


def pack_scores(scores: Sequence[np.ndarray]) -> Tuple[Packing, np.ndarray]:
    """Pack tag scores, shape (tokens, tags), in their own dtype."""
    packing = Packing([len(rows) for rows in scores])
    return packing, packing.pack(scores, np.result_type(*{rows.dtype for rows in scores}))


def smallest_dtype(n_tags: int) -> np.dtype:
    """Return the integers that hold a tag in the fewest bytes."""
    return np.min_scalar_type(n_tags - 1)


def best_paths(scores: Sequence[np.ndarray], chain: Chain) -> List[np.ndarray]:
    """Find the sequence of tags with the highest sum of scores (Viterbi, 1967), of ties the first.

    scores (Sequence[np.ndarray]): Tag scores; float, shape (tokens, tags), at least one token.
    RETURNS (List[np.ndarray]): Tag indices; int64, shape (tokens,), per sequence.
    """
    packing, rows = pack_scores(scores)
    back, tags = _point_back(rows, packing, chain)
    chosen = np.empty(len(back), dtype=back.dtype)
    places = np.arange(len(tags))
    for number in range(packing.n_steps - 1, -1, -1):
        step = packing.step(number)
        going = step.stop - step.start
        chosen[step] = tags[:going]
        if number:
            tags[:going] = back[step][places[:going], tags[:going]]
    return [path.astype(np.int64) for path in packing.unpack(chosen)]


def log_marginals(scores: Sequence[np.ndarray], chain: Chain) -> List[np.ndarray]:
    """Return the log probability of each tag at each token, over all sequences of tags.

    scores (Sequence[np.ndarray]): Tag scores; float, shape (tokens, tags), at least one token.
    RETURNS (List[np.ndarray]): float64, -inf for what cannot be, the same shapes.
    """
    packing, rows = pack_scores(scores)
    alpha = forward(rows, packing, chain)
    with np.errstate(divide="ignore"):
        for block, beta, _ in backward(rows, packing, chain):
            np.log(scale(alpha[block] * beta), out=alpha[block])
    del rows
    return packing.unpack(alpha)


def forward(rows: np.ndarray, packing: Packing, chain: Chain) -> np.ndarray:
    """Return alpha (with each token's own score), scaled to sum to 1 at each token.

    rows (np.ndarray): Packed scores, shape (tokens, tags).
    RETURNS (np.ndarray): Packed; float64, of the same shape.
    """
    follow = np.exp(chain.transitions)
    alpha = np.empty(rows.shape)
    state = np.broadcast_to(np.exp(chain.starts), (len(packing.lengths), rows.shape[1]))
    for first, last in packing.blocks(rows.shape[1]):
        begin = packing.bounds[first]
        weights = _weigh(rows[begin : packing.bounds[last]])
        for number in range(first, last):
            step = packing.step(number)
            if number:
                state = np.matmul(state[: step.stop - step.start, None], follow)[:, 0]
            state = scale(state * weights[step.start - begin : step.stop - begin])
            alpha[step] = state
    return alpha


def backward(
    rows: np.ndarray, packing: Packing, chain: Chain
) -> Iterator[Tuple[slice, np.ndarray, np.ndarray]]:
    """Yield beta, block by block from behind.

    rows (np.ndarray): Packed scores, shape (tokens, tags).
    YIELDS (Tuple[slice, np.ndarray, np.ndarray]): Packed rows; their beta (without the tokens' own
        scores), scaled to sum to 1 at each token; and beta with these scores, not scaled.
    """
    precede = np.ascontiguousarray(np.exp(chain.transitions).T)
    beta = np.tile(scale(np.exp(chain.ends)[None]), (len(packing.lengths), 1))
    behind = beta[:0]
    for first, last in reversed(list(packing.blocks(rows.shape[1]))):
        block = slice(int(packing.bounds[first]), int(packing.bounds[last]))
        with_own = _weigh(rows[block])
        without = np.empty_like(with_own)
        for number in range(last - 1, first - 1, -1):
            step = packing.step(number)
            inner = slice(step.start - block.start, step.stop - block.start)
            # The rows of sequences that end here are those of the ends still.
            beta[: len(behind)] = scale(np.matmul(behind[:, None], precede)[:, 0])
            without[inner] = beta[: step.stop - step.start]
            with_own[inner] *= without[inner]
            behind = with_own[inner]
        yield block, without, with_own


def scale(rows: np.ndarray) -> np.ndarray:
    """Divide each row by its sum."""
    return rows / rows.sum(axis=1, keepdims=True)


def _point_back(rows: np.ndarray, packing: Packing, chain: Chain) -> Tuple[np.ndarray, np.ndarray]:
    """Return for each token and tag the best tag before it, and the best last tag of each sequence.

    The sequences are in the order of the packing.
    """
    n_tags = rows.shape[1]
    back = np.zeros(rows.shape, dtype=smallest_dtype(n_tags))
    width = max(packing.block_size(n_tags) // n_tags**2, 1)
    cells = np.arange(width * n_tags) * n_tags
    # Tags before a tag lie beside each other: the best one is found several times as fast.
    arriving = np.ascontiguousarray(chain.transitions.T)
    score = rows[packing.step(0)] + chain.starts
    for number in range(1, packing.n_steps):
        step = packing.step(number)
        for begin in range(step.start, step.stop, width):
            part = slice(begin, min(begin + width, step.stop))
            own = slice(part.start - step.start, part.stop - step.start)
            candidates = score[own, None] + arriving
            best = candidates.argmax(axis=2)
            back[part] = best
            best_cells = cells[: best.size] + best.ravel()
            score[own] = candidates.ravel()[best_cells].reshape(best.shape) + rows[part]
    return back, (score + chain.ends).argmax(axis=1)


def _weigh(rows: np.ndarray) -> np.ndarray:
    """Exponentiate scores beside the best one of their token."""
    scores = rows.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return np.exp(np.clip(scores, FLOOR, 0.0, out=scores), out=scores)
