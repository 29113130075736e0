"""Mentions whose span looks wrong, whatever the rest of the corpus says.

Suspicious is not wrong: "sp." ends with a full stop and "mRNA" within a word "mRNAs" by some
guidelines. What is frequent deserves a look, and so does what is rare.
"""

from collections import defaultdict
from typing import Callable, Dict, Iterator, List, Set, Tuple
from unicodedata import category

from spacy_bioner.blanks import is_blank
from spacy_bioner.corpora.mention_checks import TEXT_DIFFERS, is_respelled, why_lost
from spacy_bioner.corpora.quality.surface_search import is_inside_word
from spacy_bioner.records import Fragment, Mention, Record

SPACE = "begins or ends with white space"
INVISIBLE = "begins or ends with an invisible character"
STARTS_WITH_MARK = "starts with punctuation"
ENDS_WITH_MARK = "ends with punctuation"
BRACKETS = "unbalanced brackets"
STARTS_INSIDE = "starts inside a word"
ENDS_INSIDE = "ends inside a word"
LONG = "very long"
RESPELLED = "claimed text spelled differently"
DUPLICATE = "repeated"
OVERLAP = "overlaps another of its label"
# What `mention_checks.why_lost` says comes first: such a mention is of no other kind.
KINDS = (
    "label missing",
    "beyond the text",
    "empty",
    TEXT_DIFFERS,
    RESPELLED,
    SPACE,
    INVISIBLE,
    STARTS_WITH_MARK,
    ENDS_WITH_MARK,
    BRACKETS,
    STARTS_INSIDE,
    ENDS_INSIDE,
    LONG,
    DUPLICATE,
    OVERLAP,
)
MAX_CHARACTERS = 100
_CLOSING = {")": "(", "]": "[", "}": "{"}
# Names end so, as with a minus behind a digit or capital (O2-) and a minus before a digit (-31T/C).
_FINE_AT_END = frozenset("'′’*%")


def find_suspicious(
    record: Record, *, max_characters: int = MAX_CHARACTERS
) -> Iterator[Tuple[str, Mention]]:
    """Yield the suspicious mentions of a document, each with one of `KINDS`; several for some.

    Overlaps are looked for among mentions of one piece: coordinations make the others overlap. Of
    two that overlap, the later one is named.

    max_characters (int): Longer mentions are very long.
    """
    usable: List[Mention] = []
    seen: Set[Tuple[int, int, str, Tuple[Fragment, ...]]] = set()
    for mention in record.mentions:
        reason = why_lost(mention, record.text)
        if reason:
            yield reason, mention
            continue
        if mention.key in seen:
            yield DUPLICATE, mention
            continue
        seen.add(mention.key)
        usable.append(mention)
        for kind, applies in _CHECKS.items():
            if applies(record.text, mention):
                yield kind, mention
        if mention.end_char - mention.start_char > max_characters:
            yield LONG, mention
    yield from ((OVERLAP, mention) for mention in _find_overlapping(usable))


def _find_overlapping(mentions: List[Mention]) -> Iterator[Mention]:
    by_label: Dict[str, List[Mention]] = defaultdict(list)
    for mention in mentions:
        if not mention.fragments:
            by_label[mention.label].append(mention)
    for group in by_label.values():
        reach = 0
        for mention in sorted(group, key=lambda item: (item.start_char, -item.end_char)):
            if mention.start_char < reach:
                yield mention
            reach = max(reach, mention.end_char)


def _has_space(text: str, mention: Mention) -> bool:
    return any(map(str.isspace, _ends(text, mention)))


def _has_invisible(text: str, mention: Mention) -> bool:
    return any(is_blank(end) and not end.isspace() for end in _ends(text, mention))


def _ends(text: str, mention: Mention) -> Tuple[str, str]:
    return text[mention.start_char], text[mention.end_char - 1]


def _starts_with_mark(text: str, mention: Mention) -> bool:
    kind = category(text[mention.start_char])
    if kind == "Pd" and text[mention.start_char + 1 : mention.start_char + 2].isdigit():
        return False
    return kind.startswith("P") and kind != "Ps"


def _ends_with_mark(text: str, mention: Mention) -> bool:
    last = text[mention.end_char - 1]
    kind = category(last)
    if kind == "Pd":
        return text[mention.end_char - 2 : mention.end_char - 1].islower()
    return kind.startswith("P") and kind != "Pe" and last not in _FINE_AT_END


def _has_unbalanced_brackets(text: str, mention: Mention) -> bool:
    if mention.fragments:
        return False
    opened: List[str] = []
    for character in text[mention.start_char : mention.end_char]:
        if character in _CLOSING.values():
            opened.append(character)
        elif character in _CLOSING and (not opened or opened.pop() != _CLOSING[character]):
            return True
    return bool(opened)


_CHECKS: Dict[str, Callable[[str, Mention], bool]] = {
    RESPELLED: lambda text, mention: is_respelled(mention, text),
    SPACE: _has_space,
    INVISIBLE: _has_invisible,
    STARTS_WITH_MARK: _starts_with_mark,
    ENDS_WITH_MARK: _ends_with_mark,
    BRACKETS: _has_unbalanced_brackets,
    STARTS_INSIDE: lambda text, mention: is_inside_word(text, mention.start_char),
    ENDS_INSIDE: lambda text, mention: is_inside_word(text, mention.end_char),
}
