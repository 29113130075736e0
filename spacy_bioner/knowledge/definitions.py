"""Find where a text defines a short form: "tumour necrosis factor (TNF)", "TNF (tumour …)".

The algorithm of Schwartz and Hearst, "A simple algorithm for identifying abbreviation
definitions in biomedical text", Pacific Symposium on Biocomputing 8 (2003), 451–462. What is ours:
a short form in front of the bracket has a capital or a digit (else any ordinary word could be one);
a bracket within a word ("14(RS)-tetramethyl…") is none; a bracket may say that a short form
follows ("hereafter TNF"). What else differs is said in `definition_checks` and `long_forms`, forms
without a bracket in `definition_phrases`.
"""

import re
from typing import Iterator, List, Optional, Tuple

from spacy_bioner.knowledge.definition_checks import (
    MAX_SHORT_LENGTH,
    MIN_SHORT_LENGTH,
    define,
    define_letter,
    is_symbolic,
    is_word,
    trim,
)
from spacy_bioner.knowledge.definition_checks import Definition as Definition
from spacy_bioner.knowledge.definition_checks import is_short_form as is_short_form
from spacy_bioner.knowledge.definition_phrases import ADVERB, PASSIVE, find_phrases
from spacy_bioner.knowledge.long_forms import CLOSING

# Characters to either side of a bracket that are looked at: a text without sentences takes linear
# time, and the 15 words that a long form may have are shorter.
MAX_REACH = 500
# A word before a bracket that is longer is no short form.
MAX_WORD = 80

_CLAUSE = re.compile(r"[,;:]\s")
_BRACKET = re.compile(f"[{re.escape(''.join([*CLOSING, *CLOSING.values()]))}]")
_INTRAVENOUS = re.compile(r"\b[Ii]ntra-?(?:ven|ventr)\w*$")
# "also referred to as the", "hereafter"; "for short"
_LEAD = re.compile(
    rf"(?:(?:or|the|i\.e\.|so-called|{ADVERB})[,:]?\s)*"
    rf"(?:(?:abbreviation|named|{PASSIVE})[,:]?\s(?:(?:as|to|by)\s)?(?:the\s)?)?"
)
_TRAIL = re.compile(r",?\s(?:hereafter|hereinafter|henceforth|thereafter|(?:for|in)\sshort)\Z")
_LETTER = re.compile("[A-Z]")


def find_definitions(text: str, start: int = 0, end: Optional[int] = None) -> List[Definition]:
    """Find the definitions in one sentence.

    text (str): A text that contains the sentence.
    start (int): Offset of the sentence's first character.
    end (Optional[int]): Offset behind the sentence; the end of the text if None.
    RETURNS (List[Definition]): Offsets count from the start of `text`; in order of the short
        forms.
    """
    limit = len(text) if end is None else end
    found = {definition.short_start: definition for definition in find_phrases(text, start, limit)}
    for opening, closing, outer in _find_brackets(text, start, limit):
        definition = _read_bracket(text, outer, opening, closing)
        if definition is not None:
            found.setdefault(definition.short_start, definition)
    return sorted(found.values(), key=lambda definition: definition.short_start)


def _find_brackets(text: str, start: int, end: int) -> Iterator[Tuple[int, int, int]]:
    """Yield (opening, closing, outer): `outer` is where the text around the bracket starts, the
    sentence's start or the position behind an enclosing bracket that is still open."""
    open_brackets: List[int] = []
    for match in _BRACKET.finditer(text, start, end):
        position, char = match.start(), match.group()
        if char in CLOSING:
            open_brackets.append(position)
        elif open_brackets and char == CLOSING[text[open_brackets[-1]]]:
            opening = open_brackets.pop()
            yield opening, position, open_brackets[-1] + 1 if open_brackets else start


def _read_bracket(text: str, outer: int, opening: int, closing: int) -> Optional[Definition]:
    if _is_glued(text, opening, closing):
        return None
    closing = min(closing, opening + MAX_REACH)
    lead = _LEAD.match(text, opening + 1, closing)
    clause = _CLAUSE.search(text, lead.end() if lead else opening + 1, closing)
    inner = _strip_phrase(text, *trim(text, opening + 1, clause.start() if clause else closing))
    before = trim(text, max(outer, opening - MAX_REACH), opening)
    candidate = text[slice(*inner)]
    is_route = candidate in ("iv", "IV") and _INTRAVENOUS.search(text, *before)
    if is_short_form(candidate) or is_route:
        found = define(text, inner, before)
        if found or len(candidate) <= MAX_SHORT_LENGTH:
            return found
    if _LETTER.fullmatch(candidate):
        return define_letter(text, inner, before)
    return _read_reversed(text, before, inner)


def _read_reversed(
    text: str, before: Tuple[int, int], inner: Tuple[int, int]
) -> Optional[Definition]:
    """Read a bracket that holds the long form of the word before it."""
    start = max(before[0], before[1] - MAX_WORD)
    words = text[start : before[1]].split()
    if not words:
        return None
    short = trim(text, before[1] - len(words[-1]), before[1])
    candidate = text[slice(*short)]
    if not is_symbolic(candidate) or is_word(candidate) or not is_short_form(candidate):
        return None
    return define(text, short, inner)


def _strip_phrase(text: str, start: int, end: int) -> Tuple[int, int]:
    """Strip what says that a short form follows, or that it is one: "hereafter TNF"."""
    lead = _LEAD.match(text, start, end)
    if lead and is_symbolic(text[lead.end() : end]):
        start = lead.end()
    trail = _TRAIL.search(text, max(start, end - MAX_WORD), end)
    return start, trail.start() if trail else end


def _is_glued(text: str, opening: int, closing: int) -> bool:
    """Tell whether a bracket stands within a word, as in names of chemicals: "14(RS)-tetra…".

    "benzopyrene(BaP)-DNA" lacks a blank, and is none.
    """
    before, behind = text[opening - 1 : opening], text[closing + 1 : closing + 3]
    if not before.isalnum() or not behind.lstrip("-")[:1].isalnum():
        return False
    is_symbol = closing - opening > MIN_SHORT_LENGTH and is_symbolic(text[opening:closing])
    return behind[0] != "-" or before.isdigit() or not is_symbol
