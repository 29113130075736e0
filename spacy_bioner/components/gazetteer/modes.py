"""What lists do to the entities that stand: fill gaps, filter, boost or override them.

Whatever they take out of `doc.ents` is rejected in the ledger, so that `bioner_overlaps` does not
bring it back and nobody has to guess why it is gone.
"""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc, Span

from spacy_bioner.components.evidence import clear_evidence
from spacy_bioner.components.gazetteer.hits import Hit, Place
from spacy_bioner.components.overlaps import (
    Rejection,
    clear_rejections,
    read_rejections,
    reject,
    withdraw_ents,
)
from spacy_bioner.errors import ConfigError
from spacy_bioner.ledger import LEDGER_KEY, REJECTIONS_KEY, find_rows, locate, open_rows
from spacy_bioner.spans import overlaps

FILL, FILTER, BOOST, OVERRIDE = "fill", "filter", "boost", "override"
MODES = (FILL, FILTER, BOOST, OVERRIDE)

BOOSTED_KEY = "bioner_boosted_confidences"

Objection = Tuple[Span, Hit]


class Modes:
    """What hits do, by label.

    component (str): Named in messages.
    default (str): The mode of labels that have none of their own.
    by_label (Iterable[Sequence[Any]]): Pairs of label and mode.
    confidence (Optional[float]): Of the lists; "boost" needs one.
    RAISES (ConfigError): An unknown mode, what is no pair, and "boost" without a confidence.

    `only_fills` tells whether no entity that stands is touched, `boosts` whether any is boosted.
    """

    def __init__(
        self,
        component: str,
        default: str = FILL,
        by_label: Iterable[Sequence[Any]] = (),
        *,
        confidence: Optional[float] = None,
    ) -> None:
        pairs = [tuple(pair) if isinstance(pair, (list, tuple)) else (pair,) for pair in by_label]
        for pair in pairs:
            if len(pair) != 2 or not isinstance(pair[0], str):
                raise ConfigError(f"{component}: found modes {pairs}, expected [[LABEL, MODE], …]")
        self.component = component
        self.confidence = confidence
        self.default = default
        self.by_label: Dict[str, str] = dict(pairs)
        every = (default, *self.by_label.values())
        self.only_fills = all(mode == FILL for mode in every)
        # With a confidence of 0, lists say which concept an entity is, not how sure it is.
        self.boosts = BOOST in every and confidence != 0
        for mode in every:
            if mode not in MODES:
                raise ConfigError(
                    f"{component}: found mode {mode!r}, expected one of {', '.join(MODES)}"
                )
        if BOOST in every and confidence is None:
            raise ConfigError(
                f"{component}: found mode '{BOOST}' without 'confidence', expected how often the "
                "lists are right, between 0 and 1"
            )

    def with_default(self, mode: str) -> "Modes":
        """Return the same with another mode for labels without one."""
        return Modes(self.component, mode, self.by_label.items(), confidence=self.confidence)

    def of(self, label: str) -> str:
        """Return the mode of a label."""
        return self.by_label.get(label, self.default)

    def select(self, hits: Sequence[Hit], standing: Iterable[Span]) -> List[Hit]:
        """Select what is proposed: with "filter" and "boost", what stands already."""
        places = {(span.start, span.end, span.label_) for span in standing}
        return [
            hit for hit in hits if self.of(hit.label) in (FILL, OVERRIDE) or hit.place in places
        ]

    def find_contradicted(self, hits: Iterable[Hit], spans: Iterable[Span]) -> List[Objection]:
        """Find the spans that the lists know under other labels only, one of them a filter."""
        here: Dict[Tuple[int, int], List[Hit]] = {}
        for hit in hits:
            if not hit.is_inner:
                here.setdefault((hit.start, hit.end), []).append(hit)
        found = []
        for span in spans:
            known = here.get((span.start, span.end), [])
            against = [hit for hit in known if self.of(hit.label) == FILTER]
            if against and all(hit.label != span.label_ for hit in known):
                found.append((span, against[0]))
        return found

    def choose(self, hits: Sequence[Hit], standing: Iterable[Span]) -> List[Hit]:
        """Choose what becomes an entity: the longest, then what patterns found, then the first.

        standing (Iterable[Span]): The entities that stand; only "override" goes over them.
        """
        held = {index for span in standing for index in range(span.start, span.end)}
        taken: Set[int] = set()
        chosen = []
        by_label, default = self.by_label, self.default
        for hit in _rank(hits):
            start, end = hit.start, hit.end
            # Longer ones have been before: one that overlaps them does so with its first or last.
            if start in taken or end - 1 in taken:
                continue
            mode = by_label.get(hit.label, default)
            if mode == OVERRIDE or (mode == FILL and held.isdisjoint(range(start, end))):
                taken.update(range(start, end))
                chosen.append(hit)
        return chosen

    def find_replaced(self, chosen: Iterable[Hit], spans: Sequence[Span]) -> List[Objection]:
        """Find the spans that lose their place to a hit, with another label or other borders."""
        return [
            (span, hit)
            for hit in chosen
            if self.of(hit.label) == OVERRIDE
            for span in spans
            if overlaps((span.start, span.end), (hit.start, hit.end))
            and (span.start, span.end, span.label_) != hit.place
        ]


def _rank(hits: Sequence[Hit]) -> Sequence[Hit]:
    reach = 0
    for hit in hits:
        if hit.start < reach:
            return sorted(hits, key=_get_rank)
        reach = hit.end
    # Nothing overlaps.
    return hits


def _get_rank(hit: Hit) -> Tuple[int, bool, int]:
    return hit.start - hit.end, hit.names[0][0], hit.start


def start_again(doc: Doc, source: str) -> List[Span]:
    """Take back what a component has left on a Doc before.

    RETURNS (List[Span]): What it objected to.
    """
    user_data = doc.user_data
    if LEDGER_KEY in user_data:
        withdraw_ents(doc, source)
        clear_evidence(doc, source)
    if BOOSTED_KEY in user_data:
        _take_back_boosts(doc, source)
    if REJECTIONS_KEY not in user_data:
        return []
    mine = [entry for entry in read_rejections(doc) if entry.rejected_by == source]
    clear_rejections(doc, source)
    places = dict.fromkeys((entry.start_char, entry.end_char, entry.label) for entry in mine)
    spans = (doc.char_span(start, end, label=label) for start, end, label in places)
    return [span for span in spans if span is not None]


def object_to(doc: Doc, objections: Iterable[Objection], source: str, modes: Modes) -> None:
    """Reject entities, whoever has proposed them."""
    for span, hit in objections:
        reason = (
            f"the lists have '{doc[hit.start : hit.end].text}' as {hit.label} "
            f"({modes.of(hit.label)})"
        )
        offsets = (span.start_char, span.end_char, span.label_)
        # Without evidence nobody can be named.
        for proposer in [row["source"] for row in find_rows(span)] or [""]:
            if proposer != source:
                reject(doc, Rejection(*offsets, proposer, source, reason))


def boost(doc: Doc, hits: Iterable[Hit], modes: Modes, source: str) -> Dict[Place, str]:
    """Raise the confidences of entities that the lists agree with.

    Two independent sources are both wrong with the product of their chances to be wrong: from c it
    becomes 1 − (1 − c)(1 − w), with w the confidence of the lists.
    RETURNS (Dict[Place, str]): From what to what, for the ledger.
    """
    notes = {}
    for hit in hits:
        if modes.of(hit.label) == BOOST:
            raised = _raise(
                doc, doc[hit.start : hit.end], hit.label, source, modes.confidence or 0.0
            )
            if raised:
                notes[hit.place] = "; raised " + ", ".join(raised)
    return notes


def _raise(doc: Doc, span: Span, label: str, source: str, confidence: float) -> List[str]:
    place = locate(span.start_char, span.end_char)
    rows = open_rows(doc, place)
    done: Dict[str, List[float]] = doc.user_data.setdefault(BOOSTED_KEY, {})
    notes = []
    for index, row in enumerate(rows):
        before = row["confidence"]
        if row["label"] != label or before is None:
            continue
        after = 1.0 - (1.0 - before) * (1.0 - confidence)
        rows[index] = {**row, "confidence": after}
        done["\t".join((source, place, label, row["source"]))] = [before, after]
        notes.append(f"{row['source']} {before:.3f} → {after:.3f}")
    return notes


def _take_back_boosts(doc: Doc, source: str) -> None:
    """Restore the confidences that still are what they were raised to."""
    done: Dict[str, List[float]] = doc.user_data[BOOSTED_KEY]
    for key in [key for key in done if key.split("\t")[0] == source]:
        _, place, label, proposer = key.split("\t")
        before, after = done.pop(key)
        rows = open_rows(doc, place)
        for index, row in enumerate(rows):
            same = (row["label"], row["source"], row["confidence"]) == (label, proposer, after)
            if same:
                rows[index] = {**row, "confidence": before}
