"""The words of a Doc: the tokens that show something, read as if nothing stood between them.

White space that is a token of its own (a line break, a tab, the second of two blanks), soft
hyphens, zero-width spaces and controls are transparent: encoders do not see them, they have no
place in a tag sequence, nothing is learned from them and no entity begins or ends with one, but
those within an entity belong to it. A word that they cut in two ("kid\\u00adney") stays one word.
"""

import weakref
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
from spacy.attrs import SPACY
from spacy.tokens import Doc
from thinc.types import Floats2d
from thinc.util import get_array_module

from spacy_bioner.architectures.decoding import (
    TagGrammar,
    decode_tags,
    span_confidences,
    tag_log_marginals,
)
from spacy_bioner.architectures.pieces.alignment import token_offsets
from spacy_bioner.blanks import count_before, is_squeezed, squeeze
from spacy_bioner.tags import TokenSpan, tags_to_spans

# The log probability of every tag but O of a token that is not read: low enough that no learned
# transition makes up for it, and a number that can be calculated with.
NEVER = -1e4
# In `doc.user_data`: tokens that an explanation has covered. Their text is the encoder's mask.
COVERED_KEY = "bioner_covered"
# Encoders, heads and decoding ask for the words of the same Docs, one after the other.
MOST_RECENT = 512
_RECENT: Dict[int, Tuple["weakref.ref[Doc]", np.ndarray, np.ndarray, "Words"]] = {}
Objective = Callable[..., Tuple[float, List[Floats2d]]]


@dataclass(frozen=True)
class Words:
    """Which tokens of a Doc are words.

    n_tokens (int): Of the Doc.
    starts (np.ndarray): The first token of each word; int64, shape (words,), ascending.
    ends (np.ndarray): Behind its last token. What is between two words is transparent.
    text (str): The Doc's text as encoders read it: words with one blank between them or none.
    start_chars (np.ndarray): Where each word starts in that text; int64, shape (words,).
    end_chars (np.ndarray): Where it ends.
    """

    n_tokens: int
    starts: np.ndarray
    ends: np.ndarray
    text: str
    start_chars: np.ndarray
    end_chars: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def choose(self, chosen: np.ndarray) -> "Words":
        """Take some of the words, by a bool or an index for each; the text stays whole."""
        arrays = (self.starts, self.ends, self.start_chars, self.end_chars)
        starts, ends, *chars = (array[chosen] for array in arrays)
        return Words(self.n_tokens, starts, ends, self.text, *chars)

    def pick(self, rows: Any) -> Any:
        """Take the rows of words, shape (words, columns), from those of tokens.

        Rows behind those of tokens, of single pieces, are kept.
        """
        return rows if self._is_all() else rows[self._index(rows)]

    def place(self, rows: Any, n_rows: int) -> Any:
        """Put back what `pick` took, as rows of tokens; the others are 0.

        n_rows (int): How many rows there were.
        """
        if self._is_all():
            return rows
        placed = get_array_module(rows).zeros((n_rows, *rows.shape[1:]), dtype=rows.dtype)
        placed[self._index(placed)] = rows
        return placed

    def fill(self, rows: np.ndarray) -> np.ndarray:
        """Return log probabilities of words to their tokens; transparent ones are outside for sure.

        rows (np.ndarray): O first; shape (words, tags).
        RETURNS (np.ndarray): Shape (tokens, tags).
        """
        if self._is_all():
            return rows
        filled = np.full((self.n_tokens, rows.shape[1]), NEVER, dtype=rows.dtype)
        filled[:, 0] = 0.0
        lengths = self.ends - self.starts
        first = np.repeat(self.starts - (np.cumsum(lengths) - lengths), lengths)
        filled[first + np.arange(len(first))] = np.repeat(rows, lengths, axis=0)
        return filled

    def to_tokens(self, spans: Sequence[TokenSpan]) -> List[TokenSpan]:
        """Turn spans of words into spans of tokens."""
        return [
            (int(self.starts[start]), int(self.ends[end - 1]), label) for start, end, label in spans
        ]

    def touched(self, start: int, end: int) -> Tuple[int, int]:
        """Return the words, as a half-open span, that a span of tokens has tokens of."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        return first, max(first, int(np.searchsorted(self.starts, end, side="left")))

    def holds(self, start: int, end: int) -> bool:
        """Tell whether a span of tokens has no part of a word, but whole ones."""
        first, last = self.touched(start, end)
        return first == last or (self.starts[first] >= start and self.ends[last - 1] <= end)

    def _is_all(self) -> bool:
        return len(self.starts) == self.n_tokens

    def _index(self, rows: Any) -> Any:
        index = np.concatenate([self.starts, np.arange(self.n_tokens, len(rows))])
        return get_array_module(rows).asarray(index)


def find_words(doc: Doc) -> Words:
    """Find the words of a Doc.

    Tokens are one word if what stands between them has no width and joins letters or digits.
    """
    starts, ends = token_offsets(doc)
    # Tokens of a Doc may be merged and split.
    known = _RECENT.get(id(doc))
    if (
        known
        and known[0]() is doc
        and np.array_equal(known[1], starts)
        and np.array_equal(known[2], ends)
    ):
        return known[3]
    words = _find_words(doc, starts, ends)
    if len(_RECENT) >= MOST_RECENT:
        _RECENT.clear()
    # Another Doc may come to stand at the same address.
    reference = weakref.ref(doc, partial(_forget, id(doc)))
    _RECENT[id(doc)] = (reference, starts, ends, words)
    return words


def _forget(address: int, reference: "weakref.ref[Doc]") -> None:
    _RECENT.pop(address, None)


def _find_words(doc: Doc, starts: np.ndarray, ends: np.ndarray) -> Words:
    text = doc.text
    if is_squeezed(text) and _all_blanks_trail(doc, text):
        every = np.arange(len(doc))
        return Words(len(doc), every, every + 1, text, starts, ends)
    squeezed = squeeze(text)
    n_shown, n_kept = count_before(squeezed.shown), count_before(squeezed.kept)
    tokens = np.flatnonzero(n_shown[ends] > n_shown[starts])
    start_chars, end_chars = n_kept[starts[tokens]], n_kept[ends[tokens]]
    opens, closes = np.ones((2, len(tokens)), dtype=bool)
    near = (tokens[1:] > tokens[:-1] + 1) & (start_chars[1:] == end_chars[:-1])
    for place in np.flatnonzero(near).tolist():
        border = start_chars[place + 1]
        if squeezed.text[border - 1].isalnum() and squeezed.text[border].isalnum():
            closes[place] = opens[place + 1] = False
    return Words(
        len(doc),
        tokens[opens],
        tokens[closes] + 1,
        squeezed.text,
        start_chars[opens],
        end_chars[closes],
    )


def _all_blanks_trail(doc: Doc, text: str) -> bool:
    """Tell whether no blank is a token of its own, or within one."""
    return text.count(" ") == np.count_nonzero(doc.to_array(SPACY))


def find_entities(
    scores: Sequence[np.ndarray], words: Sequence[Words], tags: Sequence[str], grammar: TagGrammar
) -> List[Tuple[List[TokenSpan], List[float]]]:
    """Decode the best tag sequence of each Doc's words.

    scores (Sequence[np.ndarray]): Tag scores, shape (tokens, tags), per Doc; see `find_spans`.
    words (Sequence[Words]): Per Doc.
    RETURNS (List[Tuple[List[TokenSpan], List[float]]]): The spans of tokens that are entities and
        the probability of each, per Doc.
    """
    picked = [own.pick(rows) for own, rows in zip(words, scores)]
    found = find_spans(picked, tags, grammar)
    return [(own.to_tokens(spans), values) for own, (spans, values) in zip(words, found)]


def find_spans(
    scores: Sequence[np.ndarray], tags: Sequence[str], grammar: TagGrammar
) -> List[Tuple[List[TokenSpan], List[float]]]:
    """Return the spans of the best tag sequence of each text, and the probability of each.

    scores (Sequence[np.ndarray]): Tag scores of words, shape (words, tags); see `decode_tags` and
        `span_confidences`.
    """
    paths = decode_tags(scores, grammar)
    spans = [tags_to_spans([tags[index] for index in path]) for path in paths]
    borders = [[(start, end) for start, end, _ in found] for found in spans]
    return list(zip(spans, span_confidences(scores, paths, borders, grammar)))


def word_log_marginals(
    scores: Sequence[np.ndarray], words: Sequence[Words], grammar: TagGrammar
) -> List[np.ndarray]:
    """Return the log probability of each tag at each token, over the legal sequences of the words.

    RETURNS (List[np.ndarray]): float64, shape (tokens, tags), per Doc; see `Words.fill`.
    """
    picked = [own.pick(rows) for own, rows in zip(words, scores)]
    found = tag_log_marginals(picked, grammar)
    return [own.fill(rows) for own, rows in zip(words, found)]


def learn_words(
    objective: Objective,
    words: Sequence[Words],
    allowed: Sequence[Any],
    emissions: List[Floats2d],
) -> Tuple[float, List[Floats2d]]:
    """Compute a loss of the words, and its gradient; that of transparent tokens is 0.

    objective (Callable): Takes emissions and what is known of them, per Doc with words, and gives
        the loss and the gradient per such Doc.
    allowed (Sequence[Any]): What is known of each row, as arrays of as many rows as the emissions.
    """
    filled = [index for index, own in enumerate(words) if len(own)]
    gradients: List[Any] = [get_array_module(rows).zeros_like(rows) for rows in emissions]
    if not filled:
        return 0.0, gradients
    picked, known = (
        [words[index].pick(rows[index]) for index in filled] for rows in (emissions, allowed)
    )
    loss, found = objective(picked, known)
    for index, rows in zip(filled, found):
        gradients[index] = words[index].place(rows, len(emissions[index]))
    return loss, gradients
