"""Where names may start and end in texts: at the borders of tokens, not within words or numbers."""

from bisect import bisect_right
from typing import List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from spacy_bioner.blanks import is_blank
from spacy_bioner.knowledge.skeletons import SEPARATOR, Skeleton
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR
from spacy_bioner.knowledge.typography import Simple, simplify, simplify_text

# A text, and the offsets at which its tokens start and end, ascending.
TokenizedText = Tuple[str, NDArray[np.integer], NDArray[np.integer]]


class Boundaries:
    """Simplified texts, joined by separators, and their tokens, counted through all texts.

    text (str): All of them, with a separator before and behind each.
    token_ends (List[int]): How many tokens there are before each text, and in all.
    first (NDArray): The token that starts at an offset in `text`; -1 if none does.
    last (NDArray): The token that ends there.
    """

    def __init__(self, texts: Sequence[TokenizedText]) -> None:
        self._wholes = [text for text, _, _ in texts]
        self._simples = [simplify(text) for text in self._wholes]
        self.text = SEPARATOR.join(["", *(simple.text for simple in self._simples), ""])
        sizes = [len(simple.text) + 1 for simple in self._simples]
        self._text_starts: List[int] = (np.cumsum(sizes) - sizes + 1).tolist()
        n_tokens = [len(starts) for _, starts, _ in texts]
        self.token_ends: List[int] = [0, *np.cumsum(n_tokens).tolist()]
        self._tokens = [(starts, ends) for _, starts, ends in texts]
        edges = list(map(_simplify_edges, self._simples, self._tokens))
        shifts = np.repeat(self._text_starts, n_tokens)
        opens, closes = (np.concatenate(side).astype(np.int64) + shifts for side in zip(*edges))
        # What shows nothing is gone.
        tokens = np.flatnonzero(opens < closes)
        self._opens, self._closes = opens[tokens], closes[tokens]
        self.first, self.last = np.full((2, len(self.text) + 1), -1, dtype=np.int32)
        self.first[self._opens] = tokens
        self.last[self._closes] = tokens
        self.skeleton = Skeleton(self.text)

    def list_edges(self) -> Tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return where in the skeleton tokens start and end, hyphens at their edges left out."""
        return self.skeleton.before[self._opens], self.skeleton.before[self._closes]

    def allow(self, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell whether matches may stand here: whole tokens, and no part of a word or number.

        A tokenizer that splits "IL2" must not make "IL" an occurrence of its own.
        """
        alnum = self.skeleton.alnum
        before = alnum[starts - 1] & alnum[starts]
        behind = alnum[ends] & alnum[ends - 1]
        whole: NDArray[np.bool_] = (self.first[starts] >= 0) & (self.last[ends] >= 0)
        # Only what has the hash of a term by chance reaches into another text.
        left, right = (np.searchsorted(self._text_starts, side, "right") for side in (starts, ends))
        return whole & ~before & ~behind & (left == right)

    def spans(self, start: int, end: int, place: int, end_place: int) -> bool:
        """Tell whether a stretch of text has these places of the skeleton and no others."""
        before = self.skeleton.before
        return (
            0 < start <= end < len(self.text)
            and before[start] == place
            and before[end] == end_place
        )

    def is_blank(self, position: int) -> bool:
        """Tell whether there was nothing to see at an offset before it was simplified."""
        number = bisect_right(self._text_starts, position) - 1
        place, starts = position - self._text_starts[number], self._simples[number].starts
        return is_blank(self._wholes[number][place if starts is None else starts[place]])

    def surface(self, start: int, end: int, *, tokens: bool) -> str:
        """Cut out the text, or the texts of its tokens joined by `TOKEN_SEPARATOR`."""
        if not tokens:
            return self.text[start:end]
        number = bisect_right(self._text_starts, start) - 1
        whole, (starts, ends) = self._wholes[number], self._tokens[number]
        shift = self.token_ends[number]
        inner = range(int(self.first[start]) - shift, int(self.last[end]) - shift + 1)
        words = (whole[starts[i] : ends[i]] for i in inner)
        return TOKEN_SEPARATOR.join(map(simplify_text, words))


def _simplify_edges(
    simple: Simple, tokens: Tuple[NDArray[np.integer], NDArray[np.integer]]
) -> Tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return where tokens start and end in the simplified text."""
    starts, ends = tokens
    if simple.starts is None or simple.ends is None:
        return starts, ends
    return (
        np.searchsorted(simple.starts, starts),
        np.searchsorted(simple.ends, ends, side="right"),
    )
