"""Edits of a text with an offset map, so that mentions follow the text."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Iterable, List, Sequence, Tuple

from spacy_bioner.records import Fragment, Mention, Record

Section = Tuple[str, int, int]


@dataclass(frozen=True)
class Edit:
    """One replacement in a text.

    start (int): Offset of the first replaced character in the old text.
    end (int): Offset behind the last one; equal to `start` for an insertion.
    new (str): What stands there instead; empty for a deletion.
    """

    start: int
    end: int
    new: str


class OffsetMap:
    """Translates intervals between a text and its edited version, both ways.

    A border inside a replaced stretch moves to that stretch's border: an interval that touches part
    of a replacement covers all of it on the other side. What is inserted at the border of an
    interval stays outside of it, and so, on the way back, does what was deleted there.

    edits (Iterable[Edit]): In any order, without overlap; at most one insertion at one offset.
    """

    def __init__(self, edits: Iterable[Edit]) -> None:
        self.edits: Tuple[Edit, ...] = tuple(sorted(edits, key=lambda e: (e.start, e.end)))
        for left, right in pairwise(self.edits):
            if right.start < left.end or (left.start, left.end) == (right.start, right.end):
                raise ValueError(f"found overlapping edits {left} and {right}")
        self._old = [(edit.start, edit.end) for edit in self.edits]
        self._new: List[Fragment] = []
        shift = 0
        for edit in self.edits:
            start = edit.start + shift
            self._new.append((start, start + len(edit.new)))
            shift += len(edit.new) - (edit.end - edit.start)

    def apply(self, text: str) -> str:
        """Return the edited text."""
        pieces: List[str] = []
        position = 0
        for edit in self.edits:
            pieces += [text[position : edit.start], edit.new]
            position = edit.end
        return "".join([*pieces, text[position:]])

    def to_new(self, start: int, end: int) -> Fragment:
        """Translate an interval of the old text; empty when all of it was deleted."""
        return _translate(start, end, self._old, self._new)

    def to_old(self, start: int, end: int) -> Fragment:
        """Translate an interval of the edited text; empty when all of it was inserted."""
        return _translate(start, end, self._new, self._old)


@dataclass(frozen=True)
class OffsetChain:
    """Several maps one after the other, as one: between the first text and the last.

    maps (Tuple[OffsetMap, ...]): In the order of the edits; none for a text that stayed as it was.
    """

    maps: Tuple[OffsetMap, ...] = ()

    def to_new(self, start: int, end: int) -> Fragment:
        """Translate an interval of the first text; empty when all of it was deleted."""
        for offsets in self.maps:
            start, end = offsets.to_new(start, end)
        return start, end

    def to_old(self, start: int, end: int) -> Fragment:
        """Translate an interval of the last text; empty when all of it was inserted."""
        for offsets in reversed(self.maps):
            start, end = offsets.to_old(start, end)
        return start, end


@dataclass(frozen=True)
class EditedRecord:
    """A record after edits.

    record (Record): With everything at its new offsets. The corpus' own tokens are left out where
        the edits changed their number or put white space into them.
    offsets (OffsetMap): Between the old and the new text.
    lost (Tuple[Mention, ...]): Mentions, at their old offsets, of which nothing is left.
    """

    record: Record
    offsets: OffsetMap
    lost: Tuple[Mention, ...] = ()


def apply_edits(record: Record, edits: Iterable[Edit]) -> EditedRecord:
    """Edit a record's text, with mentions, sections, tokens and sentence starts following it."""
    offsets = OffsetMap(edits)
    if not offsets.edits:
        return EditedRecord(record, offsets)
    text = offsets.apply(record.text)
    kept: List[Mention] = []
    lost: List[Mention] = []
    for mention in record.mentions:
        moved = _move_mention(mention, record.text, text, offsets)
        # A mention that was empty before is the audit's to find: the edits took nothing from it.
        if moved.start_char < moved.end_char or mention.start_char >= mention.end_char:
            kept.append(moved)
        else:
            lost.append(mention)
    edited = replace(
        record,
        text=text,
        mentions=tuple(kept),
        sections=_move_sections(record.sections, text, offsets),
        words=_move_words(record.words, text, offsets),
        sentence_starts=_move_starts(record, len(text), offsets),
    )
    return EditedRecord(edited, offsets, tuple(lost))


def _translate(
    start: int, end: int, source: Sequence[Fragment], target: Sequence[Fragment]
) -> Fragment:
    if start >= end:
        at = _translate_start(start, source, target)
        return at, at
    left = _translate_start(start, source, target)
    return left, max(left, _translate_end(end, source, target))


def _translate_start(offset: int, source: Sequence[Fragment], target: Sequence[Fragment]) -> int:
    # The last stretch that starts at or before the offset.
    index = bisect_right(source, (offset, float("inf"))) - 1
    if index < 0:
        return offset
    (left, right), (new_left, new_right) = source[index], target[index]
    if left <= offset < right:
        return new_left
    return new_right + offset - right


def _translate_end(offset: int, source: Sequence[Fragment], target: Sequence[Fragment]) -> int:
    # The last stretch that starts before the offset; an insertion at the offset is outside.
    index = bisect_left(source, (offset, -1)) - 1
    if index < 0:
        return offset
    (_, right), (_, new_right) = source[index], target[index]
    return new_right if offset <= right else new_right + offset - right


def _move_mention(mention: Mention, old_text: str, text: str, offsets: OffsetMap) -> Mention:
    start, end = offsets.to_new(mention.start_char, mention.end_char)
    fragments = _move_fragments(mention.fragments, offsets)
    if fragments:
        start, end = fragments[0][0], fragments[-1][1]
    # What is left of a discontinuous mention may be continuous.
    kept = fragments if len(fragments) > 1 else ()
    moved = replace(mention, start_char=start, end_char=end, fragments=kept)
    claimed = mention.text
    if claimed == old_text[mention.start_char : mention.end_char]:
        claimed = text[start:end]
    elif claimed and claimed == mention.covered(old_text):
        claimed = moved.covered(text) if fragments else ""
    return replace(moved, text=claimed)


def _move_fragments(fragments: Tuple[Fragment, ...], offsets: OffsetMap) -> Tuple[Fragment, ...]:
    """Move the parts of a mention; parts that one replacement grew into each other become one."""
    moved: List[Fragment] = []
    for start, end in (offsets.to_new(*fragment) for fragment in fragments):
        if start >= end:
            continue
        if moved and start < moved[-1][1]:
            moved[-1] = (min(start, moved[-1][0]), max(end, moved[-1][1]))
        else:
            moved.append((start, end))
    return tuple(moved)


def _move_sections(
    sections: Tuple[Section, ...], text: str, offsets: OffsetMap
) -> Tuple[Section, ...]:
    """Move the sections; where the separator of two went into a run of white space, what is left
    of the run is the separator."""
    moved = [(name, *offsets.to_new(start, end)) for name, start, end in sections]
    for index, (old, following) in enumerate(pairwise(sections)):
        (name, start, end), (next_name, next_start, next_end) = moved[index : index + 2]
        if old[2] >= following[1] or end != next_start:
            continue
        if next_start < next_end and text[next_start].isspace():
            moved[index + 1] = (next_name, next_start + 1, next_end)
        elif start < end and text[end - 1].isspace():
            moved[index] = (name, start, end - 1)
    return tuple(moved)


def _move_words(words: Tuple[Fragment, ...], text: str, offsets: OffsetMap) -> Tuple[Fragment, ...]:
    moved = tuple(offsets.to_new(start, end) for start, end in words)
    apart = all(left[1] <= right[0] for left, right in pairwise(moved))
    whole = all(start < end and len(text[start:end].split()) == 1 for start, end in moved)
    between = zip(((0, 0), *moved), (*moved, (len(text), len(text))), strict=True)
    covered = all(not text[left[1] : right[0]].strip() for left, right in between)
    return moved if apart and whole and covered else ()


def _move_starts(record: Record, length: int, offsets: OffsetMap) -> Tuple[int, ...]:
    # A sentence start is the start of what follows it; nothing follows the end of the text.
    furthest = len(record.text)
    moved = (offsets.to_new(at, max(at + 1, furthest))[0] for at in record.sentence_starts)
    return tuple(start for start in dict.fromkeys(moved) if start < length)
