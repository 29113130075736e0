"""Which mentions a corpus has: every spelling with its label and concepts, counted.

Spellings are compared case-folded, with any white space as one space.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Tuple

from spacy_bioner.records import Mention

Ids = Tuple[str, ...]
Entry = Tuple[str, str, Ids]
"""Label, spelling, concept ids."""


@dataclass(frozen=True)
class Ambiguity:
    """A surface form with several readings.

    surface (str): The form, in its most frequent spelling.
    mentions (int): How many mentions it has.
    readings (Tuple[Tuple[str, int], ...]): Each reading with its mentions, the most frequent first.
    """

    surface: str
    mentions: int
    readings: Tuple[Tuple[str, int], ...]

    @property
    def minority(self) -> int:
        """How many of its mentions do not have the most frequent reading."""
        return self.mentions - self.readings[0][1]


class MentionInventory:
    """Takes mentions one by one; memory grows with the different ones."""

    def __init__(self) -> None:
        self.entries: Counter[Entry] = Counter()

    def add(self, label: str, spelling: str, concept_ids: Ids = ()) -> None:
        """Count one mention.

        concept_ids (Tuple[str, ...]): Their order says nothing here.
        """
        ids = concept_ids if len(concept_ids) < 2 else tuple(sorted(set(concept_ids)))
        self.entries[label, spelling, ids] += 1

    def by_label(self) -> Dict[str, "MentionInventory"]:
        """Split by label."""
        parts: Dict[str, MentionInventory] = defaultdict(MentionInventory)
        for entry, number in self.entries.items():
            parts[entry[0]].entries[entry] = number
        return dict(parts)

    def count_surfaces(self) -> Counter[str]:
        """Count the mentions of each surface, named by its most frequent spelling."""
        return Counter({name: sum(entries.values()) for name, entries in self._group()})

    def count_concepts(self) -> Counter[str]:
        """Count the mentions that name each concept; one that names two counts for both."""
        counts: Counter[str] = Counter()
        for (_, _, ids), number in self.entries.items():
            for identifier in ids:
                counts[identifier] += number
        return counts

    def find_label_ambiguity(self) -> List[Ambiguity]:
        """List the surfaces with several labels, those with the most doubtful mentions first."""
        return self._find_ambiguity(lambda entry: entry[0])

    def find_concept_ambiguity(self) -> List[Ambiguity]:
        """List the surfaces with several concepts, those with the most doubtful mentions first.

        Mentions without concept are left out; a mention with two concepts ("A|B") is a reading of
        its own.
        """
        return self._find_ambiguity(lambda entry: "|".join(entry[2]))

    def _find_ambiguity(self, reading_of: Callable[[Entry], str]) -> List[Ambiguity]:
        found: List[Ambiguity] = []
        for name, entries in self._group():
            readings: Counter[str] = Counter()
            for entry, number in entries.items():
                readings[reading_of(entry)] += number
            del readings[""]
            if len(readings) > 1:
                found.append(Ambiguity(name, sum(readings.values()), rank(readings)))
        return sorted(found, key=lambda item: (-item.minority, -item.mentions, item.surface))

    def _group(self) -> Iterator[Tuple[str, Counter[Entry]]]:
        """Yield each surface with its entries, named by its most frequent spelling."""
        groups: Dict[str, Counter[Entry]] = defaultdict(Counter)
        for entry, number in self.entries.items():
            groups[entry[1].casefold()][entry] = number
        for entries in groups.values():
            spellings: Counter[str] = Counter()
            for (_, spelling, _), number in entries.items():
                spellings[spelling] += number
            yield rank(spellings)[0][0], entries


def rank(counts: Counter[str]) -> Tuple[Tuple[str, int], ...]:
    """Sort counts, the greatest first; equal ones by name."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def spell(mention: Mention, text: str) -> str:
    """Return what stands at a mention's offsets, or what it claims where nothing does.

    The fragments of a discontinuous mention are joined with spaces.
    """
    within = all(0 <= start < end <= len(text) for start, end in mention.pieces)
    found = mention.covered(text) if within else ""
    return " ".join((found.strip() or mention.text).split())
