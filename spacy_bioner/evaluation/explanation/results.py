"""Why spans are entities, as plain data."""

from dataclasses import asdict, dataclass
from typing import Any, Dict, Optional, Tuple

ENOUGH = 0.05
"""The share of a score's change, or of one nat, that the values of words may miss."""


def misses_much(error: float, change: float) -> bool:
    """Tell whether the values of words miss so much of a score's change that they mislead."""
    return abs(error) > ENOUGH * max(abs(change), 1.0)


@dataclass(frozen=True)
class SpanSource:
    """A component that proposed a span.

    rule (str): What made it do so, in its own terms: a term of the gazetteer, a definition.
    """

    name: str
    confidence: Optional[float] = None
    concept_id: str = ""
    rule: str = ""


@dataclass(frozen=True)
class WordShare:
    """What a word adds to an entity's score."""

    text: str
    start_char: int
    end_char: int
    value: float


@dataclass(frozen=True)
class Reading:
    """Another reading of an entity's words, with its probability; label "" is no entity."""

    text: str
    label: str
    confidence: float


@dataclass(frozen=True)
class Proposal:
    """A span that a component proposed and that is no entity, and why not."""

    text: str
    start_char: int
    end_char: int
    label: str
    sources: Tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Why a span is an entity.

    sources (Tuple[SpanSource, ...]): Who proposed it, the preferred one first.
    belief (Optional[float]): Its probability by the tagger itself, before calibration; None where
        no tagger can be asked.
    readings (Tuple[Reading, ...]): The likeliest others, by the tagger itself.
    method (str): Where `words` come from: "gradients", "occlusion" or "none".
    unit (str): Of their values: "nats" of the tags' log probability, or "probability".
    words (Tuple[WordShare, ...]): Of the sentence, or the text where what is outside matters.
    change (Optional[float]): For gradients: by how much the words change the score, from masks to
        what they are.
    error (Optional[float]): What their values miss of it.
    note (str): Why there are no words.
    """

    text: str
    start_char: int
    end_char: int
    label: str
    sources: Tuple[SpanSource, ...]
    belief: Optional[float] = None
    readings: Tuple[Reading, ...] = ()
    method: str = "none"
    unit: str = ""
    words: Tuple[WordShare, ...] = ()
    change: Optional[float] = None
    error: Optional[float] = None
    note: str = ""

    @property
    def confidence(self) -> Optional[float]:
        """That of the preferred source."""
        return self.sources[0].confidence if self.sources else None


@dataclass(frozen=True)
class TextExplanation:
    """All entities of a text, and the proposals that are none."""

    text: str
    entities: Tuple[Explanation, ...]
    left_out: Tuple[Proposal, ...]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)
