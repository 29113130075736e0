"""How probable a component that tags tokens finds a stretch of text besides what it chose."""

from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from spacy_bioner.architectures.decoding import span_confidences
from spacy_bioner.architectures.pieces.subword_labels import read_words
from spacy_bioner.architectures.pieces.words import Words
from spacy_bioner.tags import TokenSpan, spans_to_tags

NO_ENTITY = ""
"""The label of tokens that are outside of all entities."""


@dataclass(frozen=True)
class Alternative:
    """Another reading of an entity's words.

    start, end (int): Token borders.
    label (str): `NO_ENTITY` where none of the words is in an entity.
    confidence (float): Its probability.
    """

    start: int
    end: int
    label: str
    confidence: float


class TagProbabilities:
    """Probabilities of any spans of one Doc.

    component (Any): Has tags and a grammar; see `has_tag_probabilities`.
    scores (np.ndarray): What its `predict` gave for the Doc; shape (tokens, tags).
    words (Words): Those that the component reads. Spans hang on the words that they touch.
    """

    def __init__(self, component: Any, scores: np.ndarray, words: Words) -> None:
        self.words = words
        self.tags: List[str] = list(component.tags)
        self.labels: Tuple[str, ...] = tuple(component.labels)
        self.scheme: str = component.cfg["scheme"]
        self.grammar = component.grammar()
        self.scores = scores

    def places(self, start: int, end: int, label: str) -> List[Tuple[int, int]]:
        """Return the tags of a span: token and column of the scores of each of its words."""
        first, last = self.words.touched(start, end)
        tokens = self.words.starts[first:last].tolist()
        return list(zip(tokens, self._columns(first, last, label)))

    def confidence(self, start: int, end: int, label: str) -> float:
        """Return a span's probability, whether it was chosen or not; 0 for one without words."""
        first, last = self.words.touched(start, end)
        return self._probability(first, last, label) if first < last else 0.0

    def alternatives(
        self, start: int, end: int, label: str, *, least: float = 0.001
    ) -> List[Alternative]:
        """List other readings, the likeliest first: no entity, other labels, and borders that are
        one word away.

        least (float): Readings of less probability are left out.
        """
        first, last = self.words.touched(start, end)
        if first == last:
            return []
        readings: List[TokenSpan] = [(first, last, NO_ENTITY)]
        readings += [(first, last, other) for other in self.labels if other != label]
        for left in (first - 1, first, first + 1):
            for right in (last - 1, last, last + 1):
                is_span = 0 <= left < right <= len(self.words)
                is_other = (left, right) != (first, last) and left < last and first < right
                if is_span and is_other:
                    readings.append((left, right, label))
        chances = [self._probability(*reading) for reading in readings]
        found = [
            Alternative(*reading, chance)
            for reading, chance in zip(self.words.to_tokens(readings), chances)
            if chance >= least
        ]
        return sorted(found, key=lambda item: -item.confidence)

    def _columns(self, first: int, last: int, label: str) -> List[int]:
        spans = [(first, last, label)] if label else []
        tags = spans_to_tags(spans, len(self.words), self.scheme)
        return [self.tags.index(tag) for tag in tags[first:last]]

    def _probability(self, first: int, last: int, label: str) -> float:
        scores, path = self.words.pick(self.scores), np.zeros(len(self.words), dtype=np.int64)
        path[first:last] = self._columns(first, last, label)
        return span_confidences([scores], [path], [[(first, last)]], self.grammar)[0][0]


def read_tag_probabilities(component: Any, docs: Sequence[Doc]) -> List[TagProbabilities]:
    """Run a tagger over Docs, writing nothing on them."""
    pairs = zip(component.predict(docs), read_words(component.model, docs))
    return [TagProbabilities(component, *pair) for pair in pairs]


def has_tag_probabilities(component: Any) -> bool:
    """Tell whether a component has what `TagProbabilities` asks for."""
    return all(hasattr(component, name) for name in ("predict", "grammar", "tags", "labels", "cfg"))
