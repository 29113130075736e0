"""One record seen as words: its sentences, the extent of its mentions, its tags."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.records import Fragment, Mention, Record
from spacy_bioner.sentences import sentence_starts
from spacy_bioner.spans import Interval, select_flat

WORD_RULE = "a run of letters, digits and underscores, or any other visible character"
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Extent:
    """Which words a mention touches.

    interval (Tuple[int, int]): The first of them, and the last + 1.
    words (int): How many; of a discontinuous mention, those of its fragments.
    characters (int): How many characters it has, likewise.
    """

    mention: Mention
    interval: Interval
    words: int
    characters: int


class RecordView:
    """A record with its words: its own, or those of `WORD_RULE`."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.words: List[Fragment] = list(record.words)
        if not record.words:
            self.words = [match.span() for match in _WORD.finditer(record.text)]
        self._starts = [start for start, _ in self.words]
        self._ends = [end for _, end in self.words]

    def list_sentences(self) -> Iterator[Tuple[int, int, int]]:
        """Yield the sentences that have words, as (start_char, end_char, number of words)."""
        starts = self.record.sentence_starts or sentence_starts(self.record.text)
        borders = {0, len(self.words), *(bisect_left(self._starts, start) for start in starts)}
        ordered = sorted(borders)
        for first, last in zip(ordered, ordered[1:], strict=False):
            yield self._starts[first], self._ends[last - 1], last - first

    def measure(self, mention: Mention) -> Optional[Extent]:
        """Return a mention's extent; None for one that does not fit the text or has no word."""
        if why_lost(mention, self.record.text):
            return None
        touched = {index for piece in mention.pieces for index in range(*self._touch(piece))}
        if not touched:
            return None
        characters = sum(end - start for start, end in mention.pieces)
        return Extent(mention, (min(touched), max(touched) + 1), len(touched), characters)

    def _touch(self, piece: Interval) -> Interval:
        """Return the words that share a character with a stretch of the text."""
        return bisect_right(self._ends, piece[0]), bisect_left(self._starts, piece[1])


def count_tags(extents: List[Extent]) -> Counter[str]:
    """Count the B and I tags of a flat selection of a document's mentions.

    The longest mention wins, then the earlier one; a discontinuous one, tagged as all that it
    covers, only fills gaps.
    """
    whole = [extent for extent in extents if not extent.mention.fragments]
    chosen, _ = select_flat(whole, interval=_interval)
    if len(whole) < len(extents):
        taken = {word for extent in chosen for word in range(*extent.interval)}
        split = [extent for extent in extents if extent.mention.fragments]
        free = [extent for extent in split if taken.isdisjoint(range(*extent.interval))]
        chosen += select_flat(free, interval=_interval)[0]
    tags: Counter[str] = Counter()
    for extent in chosen:
        tags[f"B-{extent.mention.label}"] += 1
        tags[f"I-{extent.mention.label}"] += extent.interval[1] - extent.interval[0] - 1
    return tags


def _interval(extent: Extent) -> Interval:
    return extent.interval
