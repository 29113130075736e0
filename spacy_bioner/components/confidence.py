"""`bioner_confidence`: confidences that mean what they say, and no entity below a threshold.

Temperature, bias and thresholds are fitted on development data by `bioner calibrate`. What falls
below its threshold leaves `doc.ents`; it stays in its span group, with the reason beside it, so
that nobody has to guess why an entity is gone.
"""

import math
from typing import Any, Dict, List, Optional

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span

from spacy_bioner.architectures.decoding import scale_confidences
from spacy_bioner.components.evidence import (
    Evidence,
    add_evidence,
    register_extensions,
    span_evidence,
)
from spacy_bioner.components.overlaps import Rejection, clear_rejections, reject
from spacy_bioner.doc_ents import replace_ents
from spacy_bioner.errors import ConfigError

SCALED_KEY = "bioner_scaled_confidences"

DEFAULT_CONFIG: Dict[str, Any] = {
    "source": "bioner",
    "temperature": 1.0,
    "bias": 0.0,
    "threshold": 0.0,
    # Pairs: labels may hold what keys of a config cannot.
    "thresholds": [],
}


@Language.factory(
    "bioner_confidence",
    default_config=DEFAULT_CONFIG,
    requires=["doc.spans"],
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
)
def make_confidence(
    nlp: Language, name: str, source: str, temperature: float, bias: float, threshold: float,
    thresholds: List[List[Any]],
) -> "ConfidenceFilter":  # fmt: skip
    """Make the component; it has no state besides its settings.

    thresholds (List[List[Any]]): Pairs of label and number.
    """
    if not all(len(pair) == 2 and _is_threshold(*pair) for pair in thresholds):
        raise ConfigError(f"{name}: found thresholds {thresholds}, expected [[LABEL, NUMBER], …]")
    return ConfidenceFilter(
        name,
        source=source,
        temperature=temperature,
        bias=bias,
        threshold=threshold,
        thresholds=dict(map(tuple, thresholds)),
    )


def _is_threshold(label: Any, value: Any) -> bool:
    return isinstance(label, str) and isinstance(value, (int, float))


class ConfidenceFilter(Pipe):
    """Scales one component's confidences and takes its unsure entities out of `doc.ents`.

    Put it behind that component and before `bioner_overlaps`. Running it again changes nothing.

    name (str): Name of the component.
    source (str): The component whose entities these are.
    temperature (float): Divides the log-odds of confidences; 1.0 leaves them as they are.
    bias (float): Is added to the divided log-odds; below 0 lowers all confidences.
    threshold (float): The least scaled confidence of an entity; one that has it stays.
    thresholds (Optional[Dict[str, float]]): The same for single labels.
    RAISES (ConfigError): For a temperature that is not above 0, a bias that is not finite, and
        thresholds outside of 0 to 1.
    """

    def __init__(
        self,
        name: str = "bioner_confidence",
        *,
        source: str = DEFAULT_CONFIG["source"],
        temperature: float = 1.0,
        bias: float = 0.0,
        threshold: float = 0.0,
        thresholds: Optional[Dict[str, float]] = None,
    ) -> None:
        register_extensions()
        self.name = name
        self.source = source
        self.temperature = temperature
        self.bias = bias
        self.threshold = threshold
        self.thresholds = dict(thresholds or {})
        if not temperature > 0:
            raise ConfigError(f"{name}: found temperature {temperature:g}, expected more than 0")
        if not math.isfinite(bias):
            raise ConfigError(f"{name}: found bias {bias:g}, expected a finite number")
        every = [("", threshold), *((f" of {label}", n) for label, n in self.thresholds.items())]
        for of_label, value in every:
            if not 0 <= value <= 1:
                raise ConfigError(f"{name}: found threshold {value:g}{of_label}, expected 0 to 1")

    def __call__(self, doc: Doc) -> Doc:
        """Scale confidences and take out what is below its threshold."""
        clear_rejections(doc, self.name)
        unsure = set()
        for span, entry in self._find(doc):
            value = self._scale(doc, entry)
            least = self.thresholds.get(span.label_, self.threshold)
            if value < least:
                reason = f"confidence {value:.3f} below {least:.3f}"
                offsets = (span.start_char, span.end_char, span.label_)
                reject(doc, Rejection(*offsets, self.source, self.name, reason))
                unsure.add((span.start, span.end, span.label_))
        kept = [ent for ent in doc.ents if not self._is_unsure(ent, unsure)]
        if len(kept) < len(doc.ents):
            replace_ents(doc, kept)
        return doc

    def _find(self, doc: Doc) -> List[tuple[Span, Evidence]]:
        """List the source's spans with their confidences."""
        spans = {(ent.start, ent.end, ent.label_): ent for ent in doc.ents}
        spans.update(
            {(span.start, span.end, span.label_): span for span in doc.spans.get(self.source, ())}
        )
        return [
            (span, entry)
            for span in spans.values()
            for entry in span_evidence(span)
            if entry.source == self.source and entry.confidence is not None
        ]

    def _scale(self, doc: Doc, entry: Evidence) -> float:
        """Write the scaled confidence into the ledger, unless this one is scaled already."""
        scaled: Dict[str, float] = doc.user_data.setdefault(SCALED_KEY, {})
        key = f"{self.name}\t{entry.start_char}:{entry.end_char}\t{entry.label}"
        value = float(entry.confidence or 0.0)
        if scaled.get(key) != value:
            value = float(scale_confidences(value, self.temperature, self.bias))
            add_evidence(doc, Evidence(**{**vars(entry), "confidence": value}))
        scaled[key] = value
        return value

    def _is_unsure(self, ent: Span, unsure: set) -> bool:
        """Tell whether an entity is below its threshold and nobody else proposes it."""
        if (ent.start, ent.end, ent.label_) not in unsure:
            return False
        return {entry.source for entry in span_evidence(ent)} == {self.source}
