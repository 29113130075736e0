"""De-identification: identifiers of persons are found and replaced, and gold follows the text.

result = deidentify(record, find_identifiers)
both = combine(find_identifiers, find_by_my_pipeline)
result = deidentify(record, both, replace_by="mask")

The rules are those of HIPAA's Safe Harbor (45 CFR 164.514(b)(2)) that patterns can express. Names
that no title or cue word announces, towns and institutions are not found: rules alone are not
enough to release data.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import Callable, Iterable, List, Literal, Sequence, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Fragment, Mention, Record
from spacy_bioner.spans import overlaps
from spacy_bioner.transforms.identifiers import contacts, dates, names, numbers, places
from spacy_bioner.transforms.identifiers.rules import Identifier, Rule
from spacy_bioner.transforms.offsets import Edit, EditedRecord, apply_edits

RULES: Tuple[Rule, ...] = (
    *contacts.RULES,
    *numbers.RULES,
    *dates.RULES,
    *places.RULES,
    *names.RULES,
)
LABELS: Tuple[str, ...] = tuple(dict.fromkeys(rule.label for rule in RULES))
SURROGATES = ("label", "mask")
MASK = "*"
# MIMIC's "[**2151-7-16**]", and what `deidentify` itself leaves.
PLACEHOLDER = re.compile(
    rf"\[\*\*.{{0,200}}?\*\*\]|\[(?:{'|'.join((*LABELS, 'LOCATION'))})\]", re.DOTALL
)
Find = Callable[[str], Iterable[Identifier]]
Surrogate = Literal["label", "mask"]

_YEAR = re.compile(r"(?<!\d)(?:1[89]|2[01])\d\d(?!\d)")
_BETWEEN = " \t\r\n,;:/.'’-–"


@dataclass(frozen=True)
class DeidentifiedRecord:
    """A record without what was found.

    Every mention of the old record is in exactly one of `same`, `moved`, `changed` and `dropped`.

    record (Record): With everything at its new offsets.
    replaced (Tuple[Identifier, ...]): What was replaced, at its old offsets.
    left (Tuple[Identifier, ...]): Parts of identifiers, at their old offsets, that are still in the
        text, because a mention that reaches beyond the identifier covers them.
    dropped (Tuple[Mention, ...]): Mentions, at their old offsets, that were part of an identifier.
    same (int): Mentions with the same text at the same offsets.
    moved (int): Mentions with the same text at other offsets.
    changed (int): Mentions with an identifier inside, which was replaced.
    placeholders (int): What was de-identified before.
    """

    record: Record
    replaced: Tuple[Identifier, ...] = ()
    left: Tuple[Identifier, ...] = ()
    dropped: Tuple[Mention, ...] = ()
    same: int = 0
    moved: int = 0
    changed: int = 0
    placeholders: int = 0


def find_identifiers(text: str, *, rules: Sequence[Rule] = RULES) -> List[Identifier]:
    """Find identifiers by rules.

    RETURNS (List[Identifier]): By offset, without overlap; placeholders are left out.
    """
    found = [identifier for rule in rules for identifier in rule.find(text)]
    announced = (item for item in found if item.label == "NAME")
    return unite([*found, *names.find_again(text, announced)], text)


def combine(*finders: Find) -> Find:
    """Make one function of several: what any of them finds is found."""

    def find(text: str) -> List[Identifier]:
        return unite((item for finder in finders for item in finder(text)), text)

    return find


def keep_years(find: Find) -> Find:
    """Make a function that leaves the years of dates out of what another finds."""

    def find_without_years(text: str) -> List[Identifier]:
        found: List[Identifier] = []
        for item in find(text):
            years = [match.span() for match in _YEAR.finditer(text, item.start, item.end)]
            found += _subtract(item, years, text) if item.label == "DATE" else [item]
        return found

    return find_without_years


def unite(found: Iterable[Identifier], text: str) -> List[Identifier]:
    """Make one of identifiers that overlap, named as the longest of them.

    RETURNS (List[Identifier]): By offset, without overlap; years alone and placeholders left out.
    """
    longest_first = sorted(found, key=lambda item: (item.start, item.start - item.end))
    groups: List[List[Identifier]] = []
    end = -1
    for item in longest_first:
        if groups and item.start < end:
            groups[-1].append(item)
        else:
            groups.append([item])
        end = max(end, item.end) if len(groups[-1]) > 1 else item.end
    placeholders = _find_placeholders(text)
    starts, ends = [start for start, _ in placeholders], [end for _, end in placeholders]
    united: List[Identifier] = []
    for group in groups:
        best = max(group, key=lambda item: item.end - item.start)
        whole = replace(best, start=group[0].start, end=max(item.end for item in group))
        # Neither they nor placeholders overlap among themselves: only neighbours can be holes.
        first, last = bisect_right(ends, whole.start), bisect_left(starts, whole.end)
        united += _subtract(whole, placeholders[first:last], text)
    return [item for item in united if not _is_year(item, text)]


def deidentify(
    record: Record, find: Find = find_identifiers, *, replace_by: Surrogate = "label"
) -> DeidentifiedRecord:
    """Replace the identifiers in a record's text, with gold following it.

    A mention within an identifier is dropped. An identifier within a mention is replaced, and the
    mention goes on around the surrogate. Where both reach beyond each other the mention wins: the
    part of the identifier that it covers stays, and is given as `left`.

    find (Callable[[str], Iterable[Identifier]]): Gives identifiers without overlap.
    replace_by (str): "label" puts "[DATE]" in its place; "mask" puts an asterisk in the place of
        every character but white space, so that all offsets stay.
    RAISES (ConfigError): An unknown surrogate.
    """
    if replace_by not in SURROGATES:
        message = f"found surrogate {replace_by!r}, expected one of {', '.join(SURROGATES)}"
        raise ConfigError(message)
    replaced: List[Identifier] = []
    left: List[Identifier] = []
    for item in sorted(find(record.text), key=lambda item: item.start):
        parts = _cut_at_mentions(item, record.mentions, record.text)
        replaced += parts
        left += _subtract(item, [(part.start, part.end) for part in parts], record.text)
    dropped = [m for m in record.mentions if any(_is_within(m, item) for item in replaced)]
    gone = {id(mention) for mention in dropped}
    kept = tuple(mention for mention in record.mentions if id(mention) not in gone)
    edits = [edit for item in replaced for edit in _make_edits(item, record.text, replace_by)]
    edited = _apply(replace(record, mentions=kept), edits, find, replace_by)
    statuses = [
        _compare(before, after, edits)
        for before, after in zip(kept, edited.record.mentions, strict=True)
    ]
    return DeidentifiedRecord(
        edited.record,
        tuple(replaced),
        tuple(left),
        tuple(dropped),
        same=statuses.count("same"),
        moved=statuses.count("moved"),
        changed=statuses.count("changed"),
        placeholders=len(_find_placeholders(record.text)),
    )


def deidentify_text(text: str, find: Find, *, replace_by: Surrogate = "label") -> str:
    """Replace the identifiers in a text without annotations."""
    return deidentify(Record("", text), find, replace_by=replace_by).record.text


def _find_placeholders(text: str) -> List[Fragment]:
    return [match.span() for match in PLACEHOLDER.finditer(text)]


def _is_year(item: Identifier, text: str) -> bool:
    return item.label == "DATE" and _YEAR.fullmatch(text, item.start, item.end) is not None


def _subtract(item: Identifier, holes: Iterable[Fragment], text: str) -> List[Identifier]:
    """Return the parts of an identifier outside holes, without punctuation at new borders."""
    parts: List[Identifier] = []
    position = item.start
    cuts = sorted(hole for hole in holes if overlaps(hole, (item.start, item.end)))
    if not cuts:
        return [item]
    for start, end in [*cuts, (item.end, item.end)]:
        piece = text[position : max(position, start)]
        first = position + len(piece) - len(piece.lstrip(_BETWEEN))
        last = position + len(piece.rstrip(_BETWEEN))
        if first < last:
            parts.append(replace(item, start=first, end=last))
        position = max(position, end)
    return parts


def _is_within(mention: Mention, item: Identifier) -> bool:
    # What is empty covers nothing that could be replaced; it is the audit's to find.
    return all(item.start <= start < end <= item.end for start, end in mention.pieces)


def _cut_at_mentions(item: Identifier, mentions: Sequence[Mention], text: str) -> List[Identifier]:
    """Take out of an identifier what mentions cover that reach beyond it."""
    for mention in mentions:
        if _is_within(mention, item):
            continue
        holes = [
            (start, end)
            for start, end in mention.pieces
            if overlaps((start, end), (item.start, item.end))
            and not (start <= item.start and item.end <= end)
        ]
        if holes:
            parts = _subtract(item, holes, text)
            return [cut for part in parts for cut in _cut_at_mentions(part, mentions, text)]
    return [item]


def _make_edits(item: Identifier, text: str, replace_by: Surrogate) -> List[Edit]:
    if replace_by == "label":
        return [Edit(item.start, item.end, f"[{item.label}]")]
    words = re.compile(r"\S+").finditer(text, item.start, item.end)
    return [Edit(word.start(), word.end(), MASK * len(word[0])) for word in words]


def _apply(
    record: Record, edits: Sequence[Edit], find: Find, replace_by: Surrogate
) -> EditedRecord:
    """Edit a record, its tokens, the names of its sections and what its mentions say."""
    edited = apply_edits(record, edits)
    sections = tuple(
        (_rename_section(name, old[1], edits), start, end)
        for (name, start, end), old in zip(edited.record.sections, record.sections, strict=True)
    )
    words = edited.record.words
    if record.words and not words:
        words = _join_words(edited.offsets.to_new(start, end) for start, end in record.words)
    mentions = tuple(
        _clean(before, after, record.text, edited.record.text, find, replace_by)
        for before, after in zip(record.mentions, edited.record.mentions, strict=True)
    )
    changed = replace(edited.record, sections=sections, words=words, mentions=mentions)
    return replace(edited, record=changed)


def _rename_section(name: str, start: int, edits: Sequence[Edit]) -> str:
    # Readers take the name from the heading: "Mr. Smith:" must not live on there.
    touched = any(overlaps((edit.start, edit.end), (start, start + len(name))) for edit in edits)
    return "section" if touched else name


def _join_words(words: Iterable[Fragment]) -> Tuple[Fragment, ...]:
    """Make one token of those that share a surrogate."""
    joined: List[Fragment] = []
    for start, end in words:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _clean(
    before: Mention, after: Mention, old: str, new: str, find: Find, replace_by: Surrogate
) -> Mention:
    """Take identifiers out of the text that a mention claims, and out of its attributes."""
    claimed = after.text
    if claimed and claimed != new[after.start_char : after.end_char]:
        same = [old[start:end] for start, end in before.pieces] == [
            new[start:end] for start, end in after.pieces
        ]
        claimed = claimed if same else ""
    attributes = tuple(
        (name, deidentify_text(value, find, replace_by=replace_by))
        for name, value in after.attributes
    )
    return replace(after, text=claimed, attributes=attributes)


def _compare(before: Mention, after: Mention, edits: Sequence[Edit]) -> str:
    if any(overlaps((edit.start, edit.end), piece) for edit in edits for piece in before.pieces):
        return "changed"
    return "same" if before.pieces == after.pieces else "moved"
