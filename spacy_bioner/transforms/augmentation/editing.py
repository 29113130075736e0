"""Edits that keep labels right: where a record may be edited, and the check of what comes out.

Mentions that overlap others, are discontinuous or do not fit their text are never edited inside:
neither they nor, of a discontinuous one, the text between its parts.
"""

import random
from dataclasses import dataclass, replace
from typing import Callable, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Fragment, Mention, Record
from spacy_bioner.transforms.offsets import Edit, apply_edits

# Gives a variant of a record: the record itself where there was nothing to change, None where
# the result could not be used.
Augmentation = Callable[[Record, random.Random], Optional[Record]]
ConceptIds = Mapping[int, Tuple[str, ...]]


@dataclass(frozen=True)
class MentionGroup:
    """Mentions that overlap, directly or through others; most groups are one mention.

    start (int): Offset of the first character that one of them covers.
    end (int): Offset behind the last one.
    members (Tuple[int, ...]): Their positions in `Record.mentions`, by offset.
    is_free (bool): One continuous mention that may be edited.
    """

    start: int
    end: int
    members: Tuple[int, ...]
    is_free: bool


def find_groups(record: Record) -> List[MentionGroup]:
    """Group the mentions by overlap, in the order of the text; those outside of it are left out."""
    spans: List[Tuple[int, int, int]] = []
    for index, mention in enumerate(record.mentions):
        start, end = max(0, mention.start_char), min(len(record.text), mention.end_char)
        if start < end:
            spans.append((start, end, index))
    groups: List[Tuple[int, int, Tuple[int, ...]]] = []
    for start, end, index in sorted(spans):
        if groups and start < groups[-1][1]:
            first, last, members = groups[-1]
            groups[-1] = (first, max(last, end), (*members, index))
        else:
            groups.append((start, end, (index,)))
    return [
        MentionGroup(start, end, members, len(members) == 1 and _is_plain(record, members[0]))
        for start, end, members in groups
    ]


def find_free_mentions(record: Record) -> List[int]:
    """Return the positions in `Record.mentions` of those that may be edited, by offset."""
    return [group.members[0] for group in find_groups(record) if group.is_free]


def find_context(record: Record) -> List[Fragment]:
    """Return the stretches of the text that no mention covers, by offset; none is empty."""
    stretches: List[Fragment] = []
    position = 0
    for group in find_groups(record):
        stretches.append((position, group.start))
        position = group.end
    stretches.append((position, len(record.text)))
    return [(start, end) for start, end in stretches if start < end]


def edit_record(
    record: Record, edits: Iterable[Edit], concept_ids: Optional[ConceptIds] = None
) -> Record:
    """Edit a record and make sure that each mention covers the text expected of it.

    edits (Iterable[Edit]): Each within one mention or outside of all.
    concept_ids (Optional[Mapping[int, Tuple[str, ...]]]): The new identifiers of mentions, by their
        position in `Record.mentions`.
    RETURNS (Record): The same object when nothing changes.
    RAISES (ValueError): An edit that crosses the border of a mention, or takes one away.
    """
    changes = tuple(
        sorted(
            (e for e in edits if record.text[e.start : e.end] != e.new),
            key=lambda edit: (edit.start, edit.end),
        )
    )
    edited = apply_edits(record, changes).record
    for before, after in zip(record.mentions, edited.mentions, strict=True):
        _check(before, after, record.text, edited.text, changes)
    mentions = list(edited.mentions)
    for index, ids in (concept_ids or {}).items():
        mentions[index] = replace(mentions[index], concept_ids=ids)
    if tuple(mentions) == edited.mentions:
        return edited
    return replace(edited, mentions=tuple(mentions))


def check_share(value: float, name: str) -> None:
    """Make sure that a setting is a share.

    RAISES (ConfigError): When it is not between 0 and 1.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"found {name} {value!r}, expected a number from 0 to 1")


def _is_plain(record: Record, index: int) -> bool:
    mention = record.mentions[index]
    surface = record.text[max(0, mention.start_char) : mention.end_char]
    inside = mention.start_char >= 0 and mention.end_char <= len(record.text)
    fits = mention.text in ("", surface) and surface.strip() == surface
    return inside and fits and not mention.fragments


def _check(
    before: Mention, after: Mention, old_text: str, text: str, edits: Sequence[Edit]
) -> None:
    for old, new in zip(before.pieces, after.pieces, strict=True):
        # What was blank or beyond the text before is the audit's to find.
        if old[1] > len(old_text) or not old_text[old[0] : old[1]].strip():
            continue
        expected = _edit_piece(old, old_text, edits)
        found = text[new[0] : new[1]]
        if found != expected or not found.strip():
            message = (
                f"found {found!r} where the edits of mention {before.start_char}-"
                f"{before.end_char} leave {expected!r}; expected edits within mentions or outside"
            )
            raise ValueError(message)


def _edit_piece(piece: Fragment, text: str, edits: Sequence[Edit]) -> str:
    parts: List[str] = []
    position, end = piece
    for edit in edits:
        is_insertion = edit.start == edit.end
        starts_inside = edit.start > piece[0] if is_insertion else edit.start >= piece[0]
        if starts_inside and edit.end <= end and edit.start < end:
            parts += [text[position : edit.start], edit.new]
            position = edit.end
    return "".join([*parts, text[position:end]])
