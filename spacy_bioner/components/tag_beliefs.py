"""What a component that tags tokens believes of a stretch of text besides what it chose."""

from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from spacy_bioner.architectures.decoding import span_confidences
from spacy_bioner.tags import spans_to_tags

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


class TagBeliefs:
    """Probabilities of any spans of one Doc.

    component (Any): Has tags and a grammar; see `has_beliefs`.
    scores (np.ndarray): What its `predict` gave for the Doc; shape (tokens, tags).
    """

    def __init__(self, component: Any, scores: np.ndarray) -> None:
        self.n_tokens = len(scores)
        self.tags: List[str] = list(component.tags)
        self.labels: Tuple[str, ...] = tuple(component.labels)
        self.scheme: str = component.cfg["scheme"]
        self.grammar = component.grammar()
        self.scores = scores

    def columns(self, start: int, end: int, label: str) -> List[int]:
        """Give the tags of a span's tokens, as columns of the scores."""
        spans = [(start, end, label)] if label else []
        tags = spans_to_tags(spans, self.n_tokens, self.scheme)
        return [self.tags.index(tag) for tag in tags[start:end]]

    def confidence(self, start: int, end: int, label: str) -> float:
        """Give the probability of a span, whether it was chosen or not."""
        path = np.zeros(self.n_tokens, dtype=np.int64)
        path[start:end] = self.columns(start, end, label)
        return span_confidences([self.scores], [path], [[(start, end)]], self.grammar)[0][0]

    def alternatives(
        self, start: int, end: int, label: str, *, least: float = 0.001
    ) -> List[Alternative]:
        """List other readings, the likeliest first: no entity, other labels, and borders that are
        one token away.

        least (float): Readings of less probability are left out.
        """
        readings: List[Tuple[int, int, str]] = [(start, end, NO_ENTITY)]
        readings += [(start, end, other) for other in self.labels if other != label]
        for first in (start - 1, start, start + 1):
            for last in (end - 1, end, end + 1):
                is_span = 0 <= first < last <= self.n_tokens
                is_other = (first, last) != (start, end) and first < end and start < last
                if is_span and is_other:
                    readings.append((first, last, label))
        found = [Alternative(*reading, self.confidence(*reading)) for reading in readings]
        kept = [item for item in found if item.confidence >= least]
        return sorted(kept, key=lambda item: -item.confidence)


def read_beliefs(component: Any, docs: Sequence[Doc]) -> List[TagBeliefs]:
    """Run a tagger over Docs, writing nothing on them."""
    return [TagBeliefs(component, scores) for scores in component.predict(docs)]


def has_beliefs(component: Any) -> bool:
    """Tell whether a component has what `TagBeliefs` asks for."""
    return all(hasattr(component, name) for name in ("predict", "grammar", "tags", "labels", "cfg"))
