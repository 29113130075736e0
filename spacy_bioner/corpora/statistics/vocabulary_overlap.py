"""How much of a corpus was seen in training: surfaces, surfaces with their label, concepts.

What is seen can be answered by memory; figures on the rest tell how well a model generalizes.
Surfaces are compared case-folded, with any white space as one space.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Dict, Hashable, Iterable, Iterator, Optional, Set, Tuple

from spacy_bioner.corpora.statistics.mention_counts import Entry, MentionInventory

SURFACE, LABELLED, CONCEPT = "surface", "surface and label", "concept"
MEASURES = (SURFACE, LABELLED, CONCEPT)


@dataclass(frozen=True)
class SeenShare:
    """How much of what mentions name was seen.

    label (str): The mentions' label; empty for all of them.
    measure (str): One of `MEASURES`. Mentions without concept ids are left out of "concept"; one
        with several was seen when all of them were.
    mentions_seen (int): Mentions that were seen, of `mentions`.
    distinct_seen (int): Different surfaces (with labels, or concepts) seen, of `distinct`.
    """

    label: str
    measure: str
    mentions_seen: int = 0
    mentions: int = 0
    distinct_seen: int = 0
    distinct: int = 0

    @property
    def mention_share(self) -> Optional[float]:
        """Seen mentions for each one; None when there is none."""
        return self.mentions_seen / self.mentions if self.mentions else None

    @property
    def distinct_share(self) -> Optional[float]:
        """Different ones seen for each one; None when there is none."""
        return self.distinct_seen / self.distinct if self.distinct else None

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        shares = {"mention_share": self.mention_share, "distinct_share": self.distinct_share}
        return {**asdict(self), **shares}


@dataclass(frozen=True)
class Overlap:
    """What of a corpus was seen in another.

    train (str): The name of the one that was learned from.
    other (str): The name of the one that was looked at.
    shares (Tuple[SeenShare, ...]): Each measure for all mentions, then for each label, the most
        frequent first.
    """

    train: str
    other: str
    shares: Tuple[SeenShare, ...]

    def of_label(self, label: str = "") -> Tuple[SeenShare, ...]:
        """Return the shares of one label, or of all mentions, in the order of `MEASURES`."""
        return tuple(share for share in self.shares if share.label == label)

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        shares = [share.to_json() for share in self.shares]
        return {"train": self.train, "other": self.other, "shares": shares}


def measure_overlap(
    train: MentionInventory, other: MentionInventory, *, names: Tuple[str, str] = ("train", "test")
) -> Overlap:
    """Measure how much of a corpus was seen in training.

    names (Tuple[str, str]): What to call the two.
    """
    known = {measure: set(_list_keys(train, measure)) for measure in MEASURES}
    parts = other.by_label()
    # A mention without a label counts among all, but has no row of its own.
    labels = [label for label in parts if label]
    ordered = sorted(labels, key=lambda label: (-sum(parts[label].entries.values()), label))
    shares = [_measure("", other, measure, known[measure]) for measure in MEASURES]
    for label in ordered:
        shares += [_measure(label, parts[label], measure, known[measure]) for measure in MEASURES]
    return Overlap(*names, tuple(shares))


def _measure(
    label: str, inventory: MentionInventory, measure: str, known: Set[Hashable]
) -> SeenShare:
    mentions: Counter[bool] = Counter()
    distinct: Set[Hashable] = set()
    for entry, number in inventory.entries.items():
        keys = list(_keys(entry, measure))
        if keys:
            mentions[known.issuperset(keys)] += number
        distinct.update(keys)
    seen, total = mentions[True], mentions[True] + mentions[False]
    return SeenShare(label, measure, seen, total, len(distinct & known), len(distinct))


def _list_keys(inventory: MentionInventory, measure: str) -> Iterator[Hashable]:
    for entry in inventory.entries:
        yield from _keys(entry, measure)


def _keys(entry: Entry, measure: str) -> Iterable[Hashable]:
    label, spelling, ids = entry
    if measure == CONCEPT:
        return ids
    surface = spelling.casefold()
    return (surface,) if measure == SURFACE else ((surface, label),)
