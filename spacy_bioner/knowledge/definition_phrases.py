"""Definitions without a bracket around the short form: "tumour necrosis factor, or TNF,", "TNF =
tumour necrosis factor", "hereafter referred to as TNF", "TNF, tumour necrosis factor; …".

A short form that stands alone between two signs may be defined by what stands before or behind
them. Less points to a definition here than a bracket does, so more is asked of the words: between
commas they begin with the letters of the short form, one each. Beside a sign of equality, within
brackets, in lists of abbreviations and where a phrase says that something is abbreviated, the
conditions of `definition_checks` do.
"""

import re
from dataclasses import replace
from typing import Iterator, Match, Optional

from spacy_bioner.knowledge.definition_checks import (
    MAX_LONG_WORDS,
    Definition,
    Stretch,
    accept,
    define,
    define_whole,
    is_short_form,
    trim,
)
from spacy_bioner.knowledge.long_forms import begins_with, covers_words, match_initials

# How far from a short form its long form may reach.
REACH = 250
# How long a list of abbreviations may be.
LIST_REACH = 5_000
# Letters that show between two commas that the words are no coincidence.
MIN_LETTERS = 3

ADVERB = (
    "(?:also|now|here|herein|hereafter|hereinafter|henceforth|thereafter|subsequently|commonly"
    "|often|usually|frequently|simply|further|later|below)"
)
PASSIVE = r"(?:abbreviated|termed|called|designated|denoted|labell?ed|known|referred\sto)"
_SHORT = r"(?=[^\s,;:]{0,20}[A-Z])[^\W_][\w+./'-]{0,22}[\w+]"
# "or TNF", "hereafter TNF", "also referred to as TNF"
_ITEM = (
    rf"(?:(?P<lead>or|i\.e\.|{ADVERB}|(?:{ADVERB}\s)?{PASSIVE})(?:\s(?:as|to|by))?(?:\sthe)?\s)?"
    rf"(?P<short>{_SHORT}(?:\s\w{{1,7}})?)(?=\s*(?:[,;:=–—)\]]|-\s|\.?\Z|\.\s))"
)
_ALONE = re.compile(rf"(?P<sign>[-,;:=–—(\[])(?:(?<!-)\s*|\s){_ITEM}")
_FIRST = re.compile(rf"(?P<sign>){_ITEM}")
_SAID = re.compile(
    rf"\s{PASSIVE}\s(?:(?:as|to|by)\s)?(?:the\s)?['\"‘“]?(?P<short>{_SHORT})(?![\w-])"
)
# What stands between a long form and such a phrase.
_LINKS = frozenset(f"is are was were has have been {ADVERB[3:-1].replace('|', ' ')}".split())
_UNIT = re.compile(r"[^\s,]+")
_EQUALS = re.compile(rf"(?<![\w-])(?P<short>{_SHORT})\s*=")
_MEANS = re.compile(
    rf"(?<![\w-])(?P<short>{_SHORT}),?\s(?:(?:which|that)\s)?(?:is\s|being\s)?(?:stands?\sfor"
    r"|standing\sfor|short\sfor|(?:the|an)\sabbreviation\s(?:for|of))\s(?:the\s)?"
)
# Two marks of a short form; many sentences have none.
_MARKS = re.compile(r"[A-Z]\S{0,22}[A-Z0-9]|[0-9]\S{0,22}[A-Z]")
_SIGN = re.compile(r"[,;:=–—()\[\]{}]|\s-\s|\.(?=[\s”\"']|\Z)")
_LIST = re.compile(r"[Aa]bbreviat|ABBREVIAT")
_WORD = re.compile(r"\S+")


def find_phrases(text: str, start: int, end: int) -> Iterator[Definition]:
    """Find the definitions in one sentence that need no bracket; one may be found twice."""
    if not _MARKS.search(text, start, end):
        return
    for found in _read_sentence(text[start:end]):
        if found is not None:
            yield replace(
                found,
                short_start=found.short_start + start,
                short_end=found.short_end + start,
                long_start=found.long_start + start,
                long_end=found.long_end + start,
            )


def is_marked(candidate: str) -> bool:
    """Tell whether a short form cannot be taken for a word or a name."""
    signs = sum(char.isupper() or char.isdigit() for char in candidate)
    return signs > 1 and is_short_form(candidate)


def _read_sentence(text: str) -> Iterator[Optional[Definition]]:
    if first := _FIRST.match(text):
        yield _read_alone(text, first)
    for match in _ALONE.finditer(text):
        yield _read_alone(text, match)
    if "=" in text:
        for match in _EQUALS.finditer(text):
            yield _read_behind(text, match)
    if _may_say(text):
        for match in _SAID.finditer(text):
            yield _read_said(text, match)
    if "stand" in text or "short for" in text or "abbreviation" in text:
        for match in _MEANS.finditer(text):
            yield _read_behind(text, match)


def _may_say(text: str) -> bool:
    """Tell whether a word of `PASSIVE` occurs; much quicker than the pattern."""
    return (
        "abbreviated" in text
        or "termed" in text
        or "called" in text
        or "designated" in text
        or "denoted" in text
        or "labe" in text
        or "known" in text
        or "referred" in text
    )


def _read_alone(text: str, match: Match[str]) -> Optional[Definition]:
    """Read a short form between two signs."""
    if not is_marked(match["short"]):
        return None
    short, lead = match.span("short"), match["lead"] or ""
    behind = _SIGN.search(text, short[1])
    sign = behind.group() if behind else ""
    left = right = (0, 0)
    if match["sign"] not in ("(", "["):
        left = _stretch_before(text, match.start())
    if behind and not lead and sign not in (")", "]", ".", "(", "["):
        right = _stretch_behind(text, behind.end())
    is_list = _LIST.search(text, max(0, short[0] - LIST_REACH), short[0]) is not None
    is_left = is_list or match["sign"] == "=" or sign in (")", "]", ";", "=")
    is_right = (
        is_list
        or text[right[1] : right[1] + 1] == ";"
        or sign == "="
        or match["sign"] in ("(", "[", ";", ":", "=")
    )
    is_long = sum(map(str.isalnum, match["short"])) + bool(lead) >= MIN_LETTERS
    found = _begin_before(text, short, left) if is_left or is_long else None
    if found is None and (is_right or is_long):
        found = _begin_behind(text, short, right)
    if found is None and lead not in ("", "or"):
        found = define(text, short, left)
    if found is None and is_left:
        found = _match_whole(text, short, left)
    if found is None and is_right:
        found = _match_whole(text, short, right)
    return found


def _read_said(text: str, match: Match[str]) -> Optional[Definition]:
    """Read a phrase such as "is abbreviated to" and the short form behind it."""
    if not is_marked(match["short"]):
        return None
    words = list(_UNIT.finditer(text, max(0, match.start() - REACH), match.start()))
    while words and words[-1].group() in _LINKS:
        words.pop()
    if not words:
        return None
    left = _stretch_before(text, words[-1].end())
    return define(text, match.span("short"), left)


def _read_behind(text: str, match: Match[str]) -> Optional[Definition]:
    """Read a short form in front of a sign of equality, or of a phrase such as "stands for"."""
    if not is_marked(match["short"]):
        return None
    short, right = match.span("short"), _stretch_behind(text, match.end())
    return _begin_behind(text, short, right) or _match_whole(text, short, right)


def _stretch_before(text: str, end: int) -> Stretch:
    """Return what stands between a position and the last sign before it."""
    start = max(0, end - REACH)
    for sign in _SIGN.finditer(text, start, end):
        start = sign.end()
    return trim(text, start, end)


def _stretch_behind(text: str, start: int) -> Stretch:
    """Return what stands between a position and the next sign."""
    end = min(len(text), start + REACH)
    sign = _SIGN.search(text, start, end)
    return trim(text, start, sign.start() if sign else end)


def _match_whole(text: str, short: Stretch, stretch: Stretch) -> Optional[Definition]:
    """Take a whole stretch whose letters fit, if each of its words has one."""
    definition = define_whole(text, short, stretch)
    if definition and covers_words(definition.short_text, definition.long_text):
        return definition
    return None


def _begin_before(text: str, short: Stretch, stretch: Stretch) -> Optional[Definition]:
    """Take the words at the end of a stretch that begin with the letters of the short form."""
    words = list(_WORD.finditer(text, *stretch))[-MAX_LONG_WORDS:]
    if not words:
        return None
    start = words[0].start()
    offset = match_initials(text[slice(*short)], text[start : stretch[1]])
    return None if offset is None else accept(text, short, (start + offset, stretch[1]))


def _begin_behind(text: str, short: Stretch, stretch: Stretch) -> Optional[Definition]:
    """Take the words at the start of a stretch that begin with the letters of the short form."""
    short_form = text[slice(*short)]
    if not begins_with(short_form, text[slice(*stretch)]):
        return None
    for word in list(_WORD.finditer(text, *stretch))[:MAX_LONG_WORDS]:
        if match_initials(short_form, text[stretch[0] : word.end()]) == 0:
            return accept(text, short, trim(text, stretch[0], word.end()))
    return None
