"""Find the sections of clinical notes, reports and structured abstracts by their heads.

A head is one that the table knows, with a colon behind it ("Family History: …", "METHODS: …"), or
a line of its own, which in capitals may be any. A break within a head, or before or behind one with
a colon, says no more than a blank, so that wrapping a text changes none of these.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from spacy_bioner.knowledge.context.heads import (
    MAX_HEAD_WORDS,
    SectionTable,
    load_section_table,
    normal_head,
)

BODY = "body"
# Characters in front of a colon that are looked at, and those of the longest line that is a head.
_REACH = 90
_COLON = re.compile(r"[:：]")
_LINE = re.compile(r"[^\n\r]+")
_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[\s/&+,’'-]{1,8}")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
# What stands before the head of a line: marks of lists and headings, and numbers ("2.1", "IV.").
_LEAD = re.compile(
    r"[\s#*•·>_=-]*"
    r"(?:(?:\d{1,2}(?:\.\d{1,2}){0,3}[.)]?|\(?[IVX]{1,4}[.)]|[A-Ha-h][.)])[ \t]+)?[*_]{0,3}"
)
_TAIL = " \t*_=:-–—"
# Blanks and marks of headings in front of a colon.
_MARKS = " \t*_"
_ENDS = frozenset(".!?:;)]}\"'”’|•*_#-–—")
MAX_UNKNOWN_WORDS = 6


@dataclass(frozen=True)
class TextSection:
    """A part of a text and what stands above it; character offsets.

    label (str): The normal form of the head ("past_medical_history"); "body" where there is none.
    start_char (int): Where the section starts: at its head, or the number of that.
    end_char (int): Where the next one starts, or the text ends.
    head_start (int): The first character of the head; `start_char` without one.
    head_end (int): Behind its last word; `start_char` without one.
    """

    label: str
    start_char: int
    end_char: int
    head_start: int
    head_end: int


@dataclass(frozen=True)
class _Head:
    label: str
    lead: int
    start: int
    end: int


def find_sections(text: str, table: Optional[SectionTable] = None) -> List[TextSection]:
    """Find the sections of a text; linear in it.

    text (str): A note, a report or an abstract.
    table (Optional[SectionTable]): The heads that are known; None for those of the package.
    RETURNS (List[TextSection]): They cover the text from its start to its end. Before the first
        head, and without any, there is a "body"; of an empty text, none.
    """
    known = load_section_table() if table is None else table
    colons = list(_find_colons(text, known))
    taken = [(head.start, head.end) for head in colons]
    lines = [
        head for head in _find_lines(text, known) if not _is_within((head.start, head.end), taken)
    ]
    return _cut(text, sorted((*colons, *lines), key=lambda head: head.lead))


def section_at(sections: Sequence[TextSection], offset: int) -> Optional[TextSection]:
    """Return the section that an offset lies in; None outside of all.

    sections (Sequence[TextSection]): Ascending.
    """
    place = bisect_right(sections, offset, key=lambda section: section.start_char) - 1
    inside = place >= 0 and offset < sections[place].end_char
    return sections[place] if inside else None


def _is_within(head: Tuple[int, int], others: Sequence[Tuple[int, int]]) -> bool:
    """Tell whether a line is a piece of a head with a colon; others are ascending."""
    place = bisect_right(others, head[0], key=lambda other: other[0]) - 1
    return place >= 0 and head[1] <= others[place][1]


def _cut(text: str, heads: Sequence[_Head]) -> List[TextSection]:
    sections = []
    before = heads[0].lead if heads else len(text)
    if text[:before].strip():
        sections.append(TextSection(BODY, 0, before, 0, 0))
    for place, head in enumerate(heads):
        end = heads[place + 1].lead if place + 1 < len(heads) else len(text)
        # Blanks in front of the first head are part of its section.
        start = head.lead if place or sections else 0
        sections.append(TextSection(head.label, start, end, head.start, head.end))
    return sections


def _find_colons(text: str, table: SectionTable) -> Iterator[_Head]:
    """Find known heads with a colon, wherever they stand."""
    behind = 0
    for colon in _COLON.finditer(text):
        window = text[max(behind, colon.start() - _REACH) : colon.start()]
        end = colon.start() - len(window) + len(window.rstrip(_MARKS))
        found = _match_before(text, max(behind, end - _REACH), end, table)
        behind = colon.end()
        if found is not None and _stands_free(text, found.start, found.end):
            yield found


def _match_before(text: str, start: int, end: int, table: SectionTable) -> Optional[_Head]:
    """Match the longest known head that ends at an offset."""
    words = list(_WORD.finditer(text, start, end))[-MAX_HEAD_WORDS:]
    if not words or words[-1].end() != end:
        return None
    first = len(words) - 1
    while first and _is_gap(text, words[first - 1].end(), words[first].start()):
        first -= 1
    for word in words[first:]:
        label = table.labels.get(normal_head(text[word.start() : end]))
        if label is not None:
            return _Head(label, _lead_of(text, word.start()), word.start(), end)
    return None


def _is_gap(text: str, start: int, end: int) -> bool:
    gap = text[start:end]
    return _GAP.fullmatch(gap) is not None and not _BLANK_LINE.search(gap)


def _lead_of(text: str, start: int) -> int:
    """Return where the number or mark in front of a head starts, if its line holds nothing else."""
    line = max(text.rfind("\n", max(0, start - _REACH), start) + 1, start - _REACH, 0)
    if line and text[line - 1] != "\n":
        return start
    found = _LEAD.match(text, line, start)
    if found is None or found.end() != start:
        return start
    return line + len(found.group()) - len(found.group().lstrip())


def _stands_free(text: str, start: int, end: int) -> bool:
    """Tell whether words before a colon are a head, by their capitals and what is before them."""
    head, before = text[start:end], text[max(0, start - 8) : start]
    if before[-1:].isalnum() or before[-1:] in ("-", "/", "&"):
        return False
    is_apart = not before.strip() and (start <= 8 or _BLANK_LINE.search(before) is not None)
    if is_apart or before.rstrip()[-1:] in _ENDS or (head.isupper() and len(head) > 5):
        return True
    words = _WORD.findall(head)
    is_title = head[0].isupper() and all(word[0].isupper() or len(word) < 4 for word in words)
    opens = "\n" in before and not before.rpartition("\n")[2].strip()
    return is_title and (len(words) > 1 or opens or _lead_of(text, start) < start)


def _find_lines(text: str, table: SectionTable) -> Iterator[_Head]:
    """Find heads that are lines of their own."""
    lines = list(_LINE.finditer(text))
    shouts = _shouts(text)
    for place, line in enumerate(lines):
        if line.end() - line.start() > _REACH:
            continue
        lead = _LEAD.match(text, line.start(), line.end())
        start = lead.end() if lead else line.start()
        end = start + len(text[start : line.end()].rstrip(_TAIL))
        if start >= end or text[end - 1] in ".,;!?":
            continue
        following = lines[place + 1] if place + 1 < len(lines) else None
        label = _label_of(text, (start, end), line.end(), table, shouts=shouts)
        if label and _is_line_head(text, (start, end), line, following, shouts=shouts):
            first = line.start() + len(line.group()) - len(line.group().lstrip())
            yield _Head(label, first, start, end)


def _label_of(
    text: str, head: Tuple[int, int], line_end: int, table: SectionTable, *, shouts: bool
) -> str:
    """Return the label of a line, which in capitals may be any; empty for none."""
    words = text[head[0] : head[1]]
    label = table.labels.get(normal_head(words))
    if label is not None:
        return label
    # A colon, or a blank line before it: else any disease in capitals would open a section.
    has_colon = ":" in text[head[1] : line_end]
    before = text[max(0, head[0] - 12) : head[0]]
    is_set_off = has_colon or (_BLANK_LINE.search(before) is not None and not shouts)
    parts = _WORD.findall(words)
    is_long = len(parts) > 1 or len(words) > 7
    if not (is_set_off and is_long and len(parts) <= MAX_UNKNOWN_WORDS and words.isupper()):
        return ""
    is_plain = all(part.isalpha() for part in parts) and text[head[0] - 1 : head[0]] != " "
    return "_".join(parts).casefold() if is_plain else ""


def _is_line_head(
    text: str,
    head: Tuple[int, int],
    line: "re.Match[str]",
    following: Optional["re.Match[str]"],
    *,
    shouts: bool,
) -> bool:
    """Tell whether a known line opens a section, rather than being a piece of a wrapped text."""
    words = text[head[0] : head[1]]
    if following is None and ":" not in text[head[1] : line.end()]:
        return False
    if words.isupper() and not shouts and len(words) > 2:
        return True
    before = text[max(0, line.start() - 12) : line.start()]
    is_apart = (not before.strip() and line.start() < 12) or bool(_BLANK_LINE.search(before))
    is_free = is_apart or before.rstrip()[-1:] in _ENDS
    next_is_small = following is not None and following.group().lstrip()[:1].islower()
    # "Medical" or "plan" in the middle of a list or a sentence.
    return is_free and words[0].isupper() and not next_is_small


def _shouts(text: str) -> bool:
    """Tell whether a text is in capitals as a whole."""
    letters = [character for character in text[:2000] if character.isalpha()]
    small = sum(character.islower() for character in letters)
    return bool(letters) and small * 4 < len(letters)
