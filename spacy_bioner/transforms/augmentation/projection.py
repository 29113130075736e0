"""Gold mentions found again in a text that says the same in other words, or not at all.

A text between mentions may come back in any wording. The mentions have to come back as they were,
in the same order and number, and none of the document's mention texts may turn up where no mention
is; otherwise nothing is projected.
"""

import re
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Pattern, Sequence, Tuple

from spacy_bioner.records import Fragment, Record
from spacy_bioner.transforms.augmentation.editing import MentionGroup
from spacy_bioner.transforms.offsets import Edit

_SEPARATOR = re.compile(r"[\s\-\u2010-\u2015]+")
Places = List[Fragment]


@dataclass(frozen=True)
class Piece:
    """A stretch of a record that is translated as one.

    start (int): Offset of its first character.
    end (int): Offset behind its last character.
    groups (Tuple[MentionGroup, ...]): The mentions in it, by offset.
    """

    start: int
    end: int
    groups: Tuple[MentionGroup, ...]


def mask(record: Record, piece: Piece, placeholder: str) -> Optional[str]:
    """Write a piece with numbered placeholders in place of its mentions.

    placeholder (str): With "{}" for the number.
    RETURNS (Optional[str]): None where the text has such a placeholder already.
    """
    parts: List[str] = []
    position = piece.start
    for number, group in enumerate(piece.groups):
        parts += [record.text[position : group.start], placeholder.format(number)]
        position = group.end
    gaps = [*parts[::2], record.text[position : piece.end]]
    if any(_placeholders(placeholder).search(gap) for gap in gaps):
        return None
    return "".join([*parts, gaps[-1]])


def find_placeholders(text: str, placeholder: str, number: int) -> Optional[Places]:
    """Find placeholders 0 to number - 1; None unless each is there once and they are in order."""
    matches = list(_placeholders(placeholder).finditer(text))
    if [match[1] for match in matches] != [str(n) for n in range(number)]:
        return None
    return [match.span() for match in matches]


def find_mentions(record: Record, piece: Piece, text: str) -> Optional[Places]:
    """Find the mentions of a piece in its translation, by what they say.

    They are compared as they are, then without regard to case, then without regard to the
    difference between hyphens and spaces; groups of overlapping mentions only as they are.
    RETURNS (Optional[Tuple]): None where a text is there more or less often than it is marked in
        the piece, or the order is another one.
    """
    old = record.text[piece.start : piece.end]
    surfaces = [record.text[group.start : group.end] for group in piece.groups]
    marked = [(g.start - piece.start, g.end - piece.start) for g in piece.groups]
    for compare in (_exactly, _ignoring_case, _loosely):
        if _claim(surfaces, old, compare) != marked:
            continue
        places = _claim(surfaces, text, compare)
        if places is not None and all(
            group.is_free or text[start:end] == surface
            for group, surface, (start, end) in zip(piece.groups, surfaces, places, strict=True)
        ):
            return places
    return None


def project(
    record: Record, piece: Piece, text: str, places: Places, known: Pattern[str], *, masked: bool
) -> Optional[List[Edit]]:
    """Turn a translation into edits of what is between mentions, and of the mentions' spelling.

    places (List[Tuple[int, int]]): Where the mentions are in the translation.
    known (Pattern[str]): Finds the texts of all the document's mentions.
    masked (bool): Placeholders are at these places, so that the mentions stay as they were.
    RETURNS (Optional[List[Edit]]): None where the translation has the text of a mention at more
        places without a mention than the piece.
    """
    edits: List[Edit] = []
    gained = 0
    position, new_position = piece.start, 0
    ends = ((piece.end, piece.end), (len(text), len(text)))
    spans = [(group.start, group.end) for group in piece.groups]
    for (start, end), (new_start, new_end) in zip(
        [*spans, ends[0]], [*places, ends[1]], strict=True
    ):
        old_gap, new_gap = record.text[position:start], text[new_position:new_start]
        gained += len(known.findall(new_gap)) - len(known.findall(old_gap))
        edits.append(Edit(position, start, new_gap))
        if start < end and not masked:
            edits.append(Edit(start, end, text[new_start:new_end]))
        position, new_position = end, new_end
    return edits if gained <= 0 else None


def compile_known(record: Record, groups: Sequence[MentionGroup]) -> Pattern[str]:
    """Compile what finds the texts of mentions, spelled loosely."""
    surfaces = {record.text[group.start : group.end] for group in groups}
    ordered = sorted(surfaces, key=lambda surface: (-len(surface), surface))
    parts = [_write_loosely(surface) for surface in ordered]
    # Without mentions: what matches nowhere.
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)


def _placeholders(placeholder: str) -> Pattern[str]:
    before, after = placeholder.split("{}")
    return re.compile(rf"(?<!\w){re.escape(before)}(\d+){re.escape(after)}(?!\w)", re.IGNORECASE)


def _claim(
    surfaces: List[str], text: str, compare: Callable[[str], Pattern[str]]
) -> Optional[Places]:
    """Find each surface as often as it is listed, longer ones first, in the order of the list."""
    wanted: Dict[str, int] = {}
    patterns: Dict[str, Pattern[str]] = {}
    for surface in surfaces:
        pattern = compare(surface)
        key = pattern.pattern.casefold() if pattern.flags & re.IGNORECASE else pattern.pattern
        wanted[key] = wanted.get(key, 0) + 1
        patterns[key] = pattern
    claimed: List[Tuple[int, int, str]] = []
    for key in sorted(wanted, key=len, reverse=True):
        found = [match.span() for match in patterns[key].finditer(text)]
        free = [
            (start, end, key)
            for start, end in found
            if all(end <= left or right <= start for left, right, _ in claimed)
        ]
        if len(free) != wanted[key]:
            return None
        claimed += free
    claimed.sort()
    order = [compare(surface) for surface in surfaces]
    if any(not p.fullmatch(text, a, b) for p, (a, b, _) in zip(order, claimed, strict=True)):
        return None
    return [(start, end) for start, end, _ in claimed]


def _exactly(surface: str) -> Pattern[str]:
    return re.compile(_bound(surface, re.escape(surface)))


def _ignoring_case(surface: str) -> Pattern[str]:
    return re.compile(_bound(surface, re.escape(surface)), re.IGNORECASE)


def _loosely(surface: str) -> Pattern[str]:
    return re.compile(_write_loosely(surface), re.IGNORECASE)


def _write_loosely(surface: str) -> str:
    words = [re.escape(word) for word in _SEPARATOR.split(surface)]
    return _bound(surface, r"[\s\-\u2010-\u2015]*".join(words))


def _bound(surface: str, pattern: str) -> str:
    before = r"(?<!\w)" if surface[:1].isalnum() else ""
    after = r"(?!\w)" if surface[-1:].isalnum() else ""
    return f"{before}{pattern}{after}"
