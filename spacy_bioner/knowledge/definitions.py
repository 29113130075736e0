"""Find where a text defines a short form: "tumour necrosis factor (TNF)", "TNF (tumour …)".

The algorithm of Schwartz and Hearst, "A simple algorithm for identifying abbreviation
definitions in biomedical text", Pacific Symposium on Biocomputing 8 (2003), 451–462. Four
conditions are ours: a short form in front of the bracket has a capital or a digit (else any
ordinary word could be one), a short form contains no sign of comparison ("n=8"), counts no items
("ii") and is no "e.g.", and a long form keeps its brackets in pairs. What else differs is said in
`long_forms`.
"""

import re
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from spacy_bioner.blanks import is_blank
from spacy_bioner.knowledge.long_forms import CLOSING, PAIRS, find_long_form

MIN_SHORT_LENGTH = 2
MAX_SHORT_LENGTH = 10
MAX_SHORT_WORDS = 2
# Characters to either side of a bracket that are looked at: a text without sentences takes linear
# time, and the 15 words that a long form may have are shorter.
MAX_REACH = 500

_CLAUSE = re.compile(r"[,;:]\s")
_COMPARISON = re.compile("[=<>≤≥]")
_BRACKET = re.compile(f"[{re.escape(''.join([*CLOSING, *CLOSING.values()]))}]")
_WORD = re.compile(r"\S+")
# What counts the items of a list: (ii), (iv.), (2a), (a-c), (i–iii).
_ENUMERATOR = re.compile(
    r"(?:[ivx]+|I{2,3}|I?V|VI{0,3}|I?X|[0-9]+[a-z])[.:]?|[a-h]\.|[a-h][-–][a-h]|[ivx]+[-–][ivx]+"
)
# What leads over to an explanation or an example in brackets.
_LEAD = re.compile(
    r"i\.?\s?e\.?|e\.?\s?g\.?|c\.?f\.|viz\.?|vs\.?|etc\.?|resp\.|see(?:\s\w+)?|also|and|or|both|all"
)
_INTRAVENOUS = re.compile(r"\b[Ii]ntra-?(?:ven|ventr)\w*$")
_QUOTES = "\"'`´‘’“”"


@dataclass(frozen=True)
class Definition:
    """A short form and the long form that explains it: character offsets and what stands there."""

    short_start: int
    short_end: int
    short_text: str
    long_start: int
    long_end: int
    long_text: str


def find_definitions(text: str, start: int = 0, end: Optional[int] = None) -> List[Definition]:
    """Find the definitions in one sentence.

    text (str): A text that contains the sentence.
    start (int): Offset of the sentence's first character.
    end (Optional[int]): Offset behind the sentence; the end of the text if None.
    RETURNS (List[Definition]): Offsets count from the start of `text`; in order of the brackets.
    """
    limit = len(text) if end is None else end
    definitions = []
    for opening, closing, outer in _find_brackets(text, start, limit):
        definition = _read_bracket(text, outer, opening, closing)
        if definition is not None:
            definitions.append(definition)
    return definitions


def is_short_form(candidate: str) -> bool:
    """Apply the paper's conditions: 2 to 10 characters in at most two words, a letter, and a
    letter or digit in front; what counts items of a list or leads over to one ("e.g.") is none."""
    return (
        MIN_SHORT_LENGTH <= len(candidate) <= MAX_SHORT_LENGTH
        and len(candidate.split()) <= MAX_SHORT_WORDS
        and candidate[0].isalnum()
        and any(char.isalpha() for char in candidate)
        and not _COMPARISON.search(candidate)
        and not _ENUMERATOR.fullmatch(candidate)
        and not _LEAD.fullmatch(candidate)
    )


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
    closing = min(closing, opening + MAX_REACH)
    clause = _CLAUSE.search(text, opening + 1, closing)
    inner_start, inner_end = _trim(text, opening + 1, clause.start() if clause else closing)
    before_start, before_end = _trim(text, max(outer, opening - MAX_REACH), opening)
    inner = text[inner_start:inner_end]
    is_route = inner in ("iv", "IV") and _INTRAVENOUS.search(text, before_start, before_end)
    if is_short_form(inner) or is_route:
        return _define(text, (inner_start, inner_end), (before_start, before_end))
    words = list(_WORD.finditer(text, before_start, before_end))
    if not words:
        return None
    short_start, short_end = _trim(text, words[-1].start(), words[-1].end())
    candidate = text[short_start:short_end]
    symbolic = any(char.isupper() or char.isdigit() for char in candidate)
    if not symbolic or not is_short_form(candidate):
        return None
    return _define(text, (short_start, short_end), (inner_start, inner_end))


def _define(text: str, short: Tuple[int, int], around: Tuple[int, int]) -> Optional[Definition]:
    """Find the long form at the end of the text `around`, not further off than the paper allows."""
    short_form = text[slice(*short)]
    most_words = min(len(short_form) + 5, 2 * len(short_form))
    words = list(_WORD.finditer(text, *around))[-most_words:]
    if not words:
        return None
    window_start = words[0].start()
    offset = find_long_form(short_form, text[window_start : around[1]])
    if offset is None:
        return None
    long_start, long_end = _trim(text, window_start + offset, around[1])
    long_form = text[long_start:long_end]
    paired = all(long_form.count(left) == long_form.count(right) for left, right in PAIRS)
    if not paired or len(long_form) <= len(short_form) or _has_word(long_form, short_form):
        return None
    if _is_loose(short_form, long_form):
        return None
    return Definition(*short, short_form, long_start, long_end, long_form)


def _is_loose(short_form: str, long_form: str) -> bool:
    """Tell whether an ordinary word has its letters in whatever stands around it.

    "bpm" stands for "beats per minute"; "apathy" in brackets stands for no clause of ten words.
    """
    is_plain = len(short_form) > 2 and short_form.isalpha() and short_form.islower()
    return is_plain and len(_WORD.findall(long_form)) > len(short_form) + 1


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _trim(text: str, start: int, end: int) -> Tuple[int, int]:
    """Move the borders past what shows nothing, quotes and brackets that have no partner inside."""
    unpaired = {left for left, right in PAIRS if text.find(right, start, end) < 0}
    while start < end and (
        is_blank(text[start]) or text[start] in _QUOTES or text[start] in unpaired
    ):
        start += 1
    while end > start and (is_blank(text[end - 1]) or text[end - 1] in _QUOTES + ",;:"):
        end -= 1
    return start, end
