"""Which stretches of text may be short forms, and which words before one are its long form.

The conditions of Schwartz and Hearst (see `definitions`). Ours beside them: a short form contains
no sign of comparison ("n=8"), counts no items ("ii") and is no "e.g."; a longer one is allowed
where nobody would take it for words ("sp-PEG-mTNF-alpha"), a single capital where the word before
it begins with it; a long form keeps its brackets in pairs and begins with no preposition or verb.
"""

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

from spacy_bioner.blanks import is_blank
from spacy_bioner.knowledge.long_forms import (
    CLOSING,
    GREEK,
    PAIRS,
    find_long_form,
    is_function_word,
    is_word_border,
)

MIN_SHORT_LENGTH = 2
MAX_SHORT_LENGTH = 10
# Of one word with a capital and a digit or hyphen.
MAX_SYMBOL_LENGTH = 24
MAX_SHORT_WORDS = 2
MAX_LONG_WORDS = 15
# How far the items of a list are looked for: a list numbers its second item soon.
ITEM_REACH = 300
MIN_LETTER_WORD = 4
# Words of a long form, less "of" and the like, among which most letters are found by chance.
MANY_WORDS = 4

Stretch = Tuple[int, int]

_WORD_START = re.compile(r"(?<![^\W_])[^\W_]")
_WORD = re.compile(r"\S+")
# An ordinary word, or two.
_PLAIN = re.compile(r"[A-Za-zÀ-ÿ][a-zß-öø-ÿ]+(?:\s[a-zß-öø-ÿ]+)?")
_LETTERS = re.compile(r"[^\W\d_]{3}|\S\s+\S")
_COMPARISON = re.compile("[=<>≤≥]")
# What counts the items of a list: (ii), (iv.), (2a), (a-c), (i–iii).
_ENUMERATOR = re.compile(
    r"(?:[ivx]+|I{2,3}|I?V|VI{0,3}|I?X|[0-9]+[a-z])[.:]?|[a-zA-Z]\.|[a-h][-–][a-h]|[ivx]+[-–][ivx]+"
)
# What leads over to an explanation or an example in brackets, and what says where something is.
_LEAD = re.compile(
    r"i\.?\s?e\.?|e\.?\s?g\.?|c\.?f\.|viz\.?|vs\.?|etc\.?|resp\.|see(?:\s\w+)?|also|and|or|both|all"
    r"|that\sis|such\sas|namely|including|not|none|left|right|top|bottom|min|max|AND|OR|NOT"
)
_SYMBOL = re.compile(r"(?=\S*[A-Z])(?=\S*[0-9-])\S+")
# A letter, a digit or the name of a Greek letter is no word of a short form: "ATP gamma S".
_GREEK_NAME = re.compile("|".join(sorted(set(GREEK.values()))), re.IGNORECASE)
_SIGN = re.compile(rf"\w|{_GREEK_NAME.pattern}", re.IGNORECASE)
_SPECIES = re.compile(r"(?<![^\W_])([A-Z][a-z]+)\s([A-Za-z]+)[^\w\s]?\Z")
MAX_SPECIES = 80
_BINOMIAL = re.compile(r"([A-Z][a-z]{0,2})\.\s?([a-z]{3,30})")
# No long form begins with the former, whatever their letters, or has one of the latter in it.
_NO_OPENER = re.compile(r"(?:and|but|by|from|of|or|than|that|their)(?![\w-])", re.IGNORECASE)
_CLAUSE_WORD = re.compile(
    r"(?<![\w-])(?:is|are|was|were|has|have|had|been|which|who|we|they|our|these|this)(?![\w-])"
)
_QUOTES = "\"'`´‘’“”"
_AFTER = _QUOTES + ",;:®™*†‡§"


@dataclass(frozen=True)
class Definition:
    """A short form and the long form that explains it: character offsets and what stands there."""

    short_start: int
    short_end: int
    short_text: str
    long_start: int
    long_end: int
    long_text: str


def is_short_form(candidate: str) -> bool:
    """Apply the paper's conditions: 2 to 10 characters in at most two words, a letter, and a
    letter or digit in front; what counts items of a list or leads over to one ("e.g.") is none."""
    return (
        len(candidate) >= MIN_SHORT_LENGTH
        and candidate[0].isalnum()
        and (candidate[-1] != "-" or is_symbolic(candidate))
        and _is_short(candidate)
        and any(char.isalpha() for char in candidate)
        and not _COMPARISON.search(candidate)
        and not _ENUMERATOR.fullmatch(candidate)
        and not _LEAD.fullmatch(candidate)
    )


def is_symbolic(candidate: str) -> bool:
    """Tell whether a capital or a digit shows that a short form is no ordinary word."""
    return any(char.isupper() or char.isdigit() for char in candidate)


def is_word(candidate: str) -> bool:
    """Tell whether a short form looks like an ordinary word, or two, a name included."""
    return _PLAIN.fullmatch(candidate) is not None


def define(text: str, short: Stretch, around: Stretch) -> Optional[Definition]:
    """Find the long form at the end of the text `around`, not further off than the paper allows."""
    short_form = text[slice(*short)]
    if binomial := _BINOMIAL.fullmatch(short_form):
        return _define_species(text, short, around, binomial)
    around = _cut_clause(text, *around)
    most_words = min(len(short_form) + 5, 2 * len(short_form), MAX_LONG_WORDS)
    words = list(_WORD.finditer(text, *around))[-most_words:]
    if not words:
        return None
    window_start = words[0].start()
    offset = find_long_form(short_form, text[window_start : around[1]])
    return None if offset is None else accept(text, short, (window_start + offset, around[1]))


def define_whole(text: str, short: Stretch, long: Stretch) -> Optional[Definition]:
    """Take a stretch of text for the long form, if all of it is one."""
    definition = define(text, short, long)
    return definition if definition and definition.long_start == long[0] else None


def define_letter(text: str, short: Stretch, around: Stretch) -> Optional[Definition]:
    """Take the word before a single capital for the long form, if it begins with it: "adrenaline
    (A)". Panels and items of lists are none: "(A)" with "(B)" close to it."""
    word_start = around[1]
    while word_start > around[0] and not is_word_border(text, word_start):
        word_start -= 1
    letter, word = text[short[0]], text[word_start : around[1]]
    is_fit = word[:1].upper() == letter and word.isalpha() and word[1:].islower()
    if not is_fit or len(word) < MIN_LETTER_WORD or _counts_items(text, short):
        return None
    return accept(text, short, (word_start, around[1]))


def accept(text: str, short: Stretch, long: Stretch) -> Optional[Definition]:
    """Make a definition of a stretch that has the letters, unless it cannot be a long form."""
    short_form = text[slice(*short)]
    long_start, long_end = trim(text, *long)
    long_form = text[long_start:long_end]
    paired = all(long_form.count(left) == long_form.count(right) for left, right in PAIRS)
    paired = paired and long_form.count('"') % 2 == 0
    if not paired or not _LETTERS.search(long_form) or _COMPARISON.search(long_form):
        return None
    if len(long_form) <= len(short_form) or _has_word(long_form, short_form):
        return None
    if _NO_OPENER.match(long_form) or _CLAUSE_WORD.search(long_form):
        return None
    if _is_loose(short_form, long_form):
        return None
    return Definition(*short, short_form, long_start, long_end, long_form)


def trim(text: str, start: int, end: int) -> Stretch:
    """Move the borders past what shows nothing, quotes and brackets that have no partner inside."""
    while start < end and not _is_plain(text[start]):
        if not (is_blank(text[start]) or text[start] in _QUOTES or _is_unpaired(text, start, end)):
            break
        start += 1
    while end > start and not _is_plain(text[end - 1]):
        if not (is_blank(text[end - 1]) or text[end - 1] in _AFTER):
            break
        end -= 1
    return start, end


def _is_plain(char: str) -> bool:
    """Tell quickly that a character is nothing to be trimmed; fillers that show nothing are letters
    as well."""
    return char.isascii() and char.isalnum()


def _is_unpaired(text: str, start: int, end: int) -> bool:
    closing = CLOSING.get(text[start])
    return closing is not None and text.find(closing, start, end) < 0


def _cut_clause(text: str, start: int, end: int) -> Stretch:
    """Return what stands behind the last colon or semicolon: no long form reaches over one."""
    for sign in (": ", "; "):
        start = max(start, text.rfind(sign, start, end) + 1)
    return start, end


def _is_short(candidate: str) -> bool:
    if _BINOMIAL.fullmatch(candidate):
        return True
    words = candidate.split()
    if len(words) > MAX_SHORT_WORDS:
        words = [word for word in words if not _SIGN.fullmatch(word)]
    if not 0 < len(words) <= MAX_SHORT_WORDS:
        return False
    is_symbol = len(candidate) <= MAX_SYMBOL_LENGTH and _SYMBOL.fullmatch(candidate) is not None
    return len(_GREEK_NAME.sub("α", candidate)) <= MAX_SHORT_LENGTH or is_symbol


def _is_loose(short_form: str, long_form: str) -> bool:
    """Tell whether a short form has its letters by chance in whatever stands before it.

    In a long form of many words at least half of the letters begin words: "MDA" stands for no
    "measurements of oxidative stress markers". An ordinary word has all letters so, unless it cuts
    one word short ("icv" for "intracerebroventricular"): "apathy" stands for no clause.
    """
    letters = [char.lower() for char in short_form if char.isalnum()]
    initials = [match.group().lower() for match in _WORD_START.finditer(long_form)]
    words = list(_WORD.finditer(long_form))
    if is_word(short_form):
        is_short = len(letters) <= (4 if short_form[0].isupper() else 2)
        has_all = _count_common(letters, initials) == len(letters)
        return not (is_short or len(words) == 1 or has_all)
    if short_form[-1] in "+-−" and len(words) > 3:
        # ions: "Ca2+"
        return True
    content = [word for word in words if not is_function_word(long_form, word.start())]
    if len(content) < MANY_WORDS or len(short_form) > MAX_SHORT_LENGTH:
        return False
    return 2 * _count_common(letters, initials) < len(letters)


def _count_common(letters: List[str], initials: List[str]) -> int:
    """Count how many letters begin words at most, in the order of both."""
    row = [0] * (len(initials) + 1)
    for letter in letters:
        above = row
        row = [0]
        for place, initial in enumerate(initials):
            is_same = initial == letter or GREEK.get(initial, "")[:1] == letter
            row.append(max(above[place] + is_same, above[place + 1], row[place]))
    return row[-1]


def _define_species(
    text: str, short: Stretch, around: Stretch, binomial: "re.Match[str]"
) -> Optional[Definition]:
    """Find the name of a species whose genus the short form cuts short: "S. aureus"."""
    found = _SPECIES.search(text, max(around[0], around[1] - MAX_SPECIES), around[1])
    if found is None or not found[1].startswith(binomial[1]) or found[2].lower() != binomial[2]:
        return None
    return accept(text, short, (found.start(1), found.end(2)))


def _counts_items(text: str, short: Stretch) -> bool:
    letter = text[short[0]]
    near = text[max(0, short[0] - ITEM_REACH) : short[1] + ITEM_REACH]
    neighbours = (chr(ord(letter) - 1), chr(ord(letter) + 1), letter * 2)
    return any(f"({other})" in near or f"[{other}]" in near for other in neighbours)


def _has_word(text: str, word: str) -> bool:
    position = text.find(word)
    while position >= 0:
        around = text[max(0, position - 1) : position] + text[position + len(word) :][:1]
        if not any(char.isalnum() or char == "_" for char in around):
            return True
        position = text.find(word, position + 1)
    return False
