"""Find the long form of a short one at the end of a text: where does it begin?

The algorithm of Schwartz and Hearst (see `definitions`) takes the shortest end of the text that has
the letters in order. Three things are ours. Where the words in front begin with the letters, one
each, they are taken although fewer words would do ("squalene synthase (SS)"). A Greek letter is
its name ("tumour necrosis factor alpha (TNF-α)"). And a long form does not begin with a bracket
that is closed before its end: it is extended over it or there is none.
"""

import re
from itertools import chain
from typing import Iterator, List, Optional, Sequence, Tuple

from spacy_bioner.blanks import is_blank

CLOSING = {"(": ")", "[": "]", "{": "}", "（": "）", "［": "］", "｛": "｝"}
PAIRS = tuple(CLOSING.items())

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "ο": "omicron", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
# Final and symbol forms, the micro sign, and the sharp s that stands for beta in many texts.
GREEK |= {other: GREEK[letter] for other, letter in zip("ςϐϑϕϰϱϵµß", "σβθφκρεμβ")}
# Names of two or three letters are parts of words.
_SPELLED = re.compile("|".join(name for name in GREEK.values() if len(name) > 3))

_MULTIPLIERS = {"2": ("di", "bi"), "3": ("tri",), "4": ("tetra",), "5": ("penta",), "6": ("hexa",)}
_COUNTED = re.compile("([A-Z][a-z]?)([2-6])")
_COUNTING = frozenset(chain.from_iterable(_MULTIPLIERS.values()))
# "Ngn3/paired box factor 6", "malformations—persistent truncus arteriosus"
_BORDERS = "/—"
_LINE_BREAK = re.compile(r"[^\W\d_]-[^\S\n]*\n\s*\Z")
LINE_BREAK_REACH = 12
_WORD_END = re.compile("[a-z]{3}")
_PREFIX = re.compile("(?:anti|post|pre)-", re.IGNORECASE)
_WORD_START = re.compile(r"(?<![^\W_])[^\W_]")
_CAPITALS = re.compile(r"[A-Z]{2,}(?![^\W_])")
_FUNCTION_WORD = re.compile(
    r"(?:a|an|and|as|at|by|de|des|du|for|from|in|into|of|on|or|per|the|to|via|with)(?![^\W_])",
    re.IGNORECASE,
)
_LISTING = re.compile(r",\s|\s(?:and|or)\s")
# What stands before a chemical's name says how it is built: (R), (+/-), (2S,3R), (E).
_DESCRIPTOR = re.compile(r"[(\[][RSEZDLdlrac+\-−±/,'\d]{1,10}[)\]]-")


def find_long_form(short: str, text: str) -> Optional[int]:
    """Find where the long form of `short` begins that ends with `text`.

    RETURNS (Optional[int]): An offset in `text` that is no bracket, or None.
    """
    groups = find_groups(text)
    offset = _find_start(short, text)
    if offset is None or not groups:
        return offset
    is_inside = any(start <= offset < end for start, end in groups)
    # A bracket that belongs to a word is part of the long form: "benzo[a]pyrene".
    loose = [start for start, _ in groups if start > offset and is_blank(text[start - 1])]
    if not is_inside and not loose:
        return offset
    masked = _mask(text, groups)
    offset = _find_start(short, masked)
    if offset is None:
        return None
    if not is_inside and all(start < offset for start in loose):
        return offset
    glued = next((start for start, end in groups if end == offset), None)
    if glued is not None:
        # "(R)-3-hydroxybutyrate", "(FEV1)/forced vital capacity"
        is_apart = text[offset] == "/" or _DESCRIPTOR.match(text, glued)
        return offset + 1 if is_apart else None
    return offset if _covers(short, text, masked, offset, groups) else None


def match_long_form(short: str, text: str) -> Optional[int]:
    """Find the shortest end of `text` that can be abbreviated as `short`.

    Letters and digits of the short form are looked for from the right; the first one has to
    start a word.
    RETURNS (Optional[int]): The offset in `text` at which the long form starts, or None.
    """
    for units in _spell_all(short):
        position: Optional[int] = len(text)
        for index in range(len(units) - 1, -1, -1):
            position = _find_unit(units[index], text, position or 0, opens_word=index == 0)
            if position is None:
                break
        if position is not None:
            return _word_start(text, position)
    return None


def match_initials(short: str, text: str) -> Optional[int]:
    """Find the words at the end of `text` that begin with the letters of `short`, one each.

    Words such as "of" may stand between them, and a plural has an "s" more.
    RETURNS (Optional[int]): The offset in `text` at which they start, or None.
    """
    starts = [match.start() for match in _WORD_START.finditer(text)]
    for units in [*_spell(short), *_spell(_drop_plural(short))]:
        for skips_first in (True, False):
            found = _match_starts(units, text, starts, skips_first=skips_first)
            if found is not None:
                return _word_start(text, found)
    return None


def abbreviates(short: str, text: str) -> bool:
    """Tell whether `text` starts with the first letter of `short` and has the others in order."""
    return any(_has_in_order(units, text) for units in _spell(short))


def begins_with(short: str, text: str) -> bool:
    """Tell whether `text` starts with the first letter of `short`."""
    return any(units and text and _match_unit(units[0], text, 0) for units in _spell(short))


def find_groups(text: str) -> List[Tuple[int, int]]:
    """List the outermost pairs of brackets: where they open, and where the text goes on."""
    opened: List[int] = []
    closed: List[Tuple[int, int]] = []
    for position, char in enumerate(text):
        if char in CLOSING:
            opened.append(position)
        elif opened and char == CLOSING[text[opened[-1]]]:
            start = opened.pop()
            closed = [pair for pair in closed if pair[0] < start]
            closed.append((start, position + 1))
    return closed


def is_word_border(text: str, position: int) -> bool:
    """Tell whether a word may start at a position: behind white space, a slash or a dash.

    A hyphen at the end of a line joins what stands on either side of it ("low-" and "density").
    """
    if position == 0 or text[position - 1] in _BORDERS:
        return True
    if not is_blank(text[position - 1]):
        return text[max(0, position - 2) : position] == "--" or _is_glued(text, position)
    broken = _LINE_BREAK.search(text, max(0, position - LINE_BREAK_REACH), position)
    return broken is None or text[position : position + 1].isspace()


def is_function_word(text: str, position: int) -> bool:
    """Tell whether "of" or its like stands at a position."""
    return _FUNCTION_WORD.match(text, position) is not None


def _is_glued(text: str, position: int) -> bool:
    """Tell whether the blank behind a full stop is missing: "by study arm.Directly"."""
    is_opener = text[position - 1] == "." and text[position : position + 1].isupper()
    return is_opener and _WORD_END.fullmatch(text, max(0, position - 4), position - 1) is not None


def _find_start(short: str, text: str) -> Optional[int]:
    shortest = match_long_form(short, text)
    if shortest is None:
        return None
    initials = match_initials(short, text)
    return shortest if initials is None else min(shortest, initials)


def _mask(text: str, groups: Sequence[Tuple[int, int]]) -> str:
    for start, end in groups:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _spell(short: str) -> List[List[str]]:
    """Spell a short form as units: letters and digits, or names of Greek letters.

    Each spelling after the first one is for texts in which the one before is not found.
    """
    spellings = [_spell_plain(short)]
    # "TNF-alpha" has one letter more than "TNF", not five; "BETA" is no letter.
    if spelled := _SPELLED.search(short):
        before, behind = short[: spelled.start()], short[spelled.end() :]
        spellings.insert(0, [*_spell_plain(before), spelled.group(), *_spell_plain(behind)])
    return spellings


def _spell_all(short: str) -> Iterator[List[str]]:
    """Spell a short form in all ways, the likely ones first."""
    yield from _spell(short)
    yield from _spell_numbers(short)
    if singular := _drop_plural(short):
        yield from _spell(singular)


def _drop_plural(short: str) -> str:
    """Return the singular of "SSs"; empty where there is none."""
    return short[:-1] if len(short) > 2 and short[-1] == "s" and short[-2].isupper() else ""


def _spell_numbers(short: str) -> List[List[str]]:
    """Spell a digit as the number that a chemist writes before what it counts: "CO2", "IP3"."""
    return [
        [
            *_spell_plain(short[: counted.start()]),
            prefix,
            *_spell_plain(counted[1]),
            *_spell_plain(short[counted.end() :]),
        ]
        for counted in _COUNTED.finditer(short)
        for prefix in _MULTIPLIERS[counted[2]]
    ]


def _spell_plain(text: str) -> List[str]:
    return [GREEK.get(char.lower(), char.lower()) for char in text if char.isalnum()]


def _find_unit(unit: str, text: str, end: int, *, opens_word: bool) -> Optional[int]:
    """Find a unit's last place before `end`."""
    if len(unit) == 1 and text.isascii():
        lowered = text.lower()
        position = lowered.rfind(unit, 0, end)
        while opens_word and position > 0 and text[position - 1].isalnum():
            position = lowered.rfind(unit, 0, position)
        return position if position >= 0 else None
    for position in range(end - 1, -1, -1):
        length = _match_unit(unit, text, position)
        if not length or position + length > end:
            continue
        if not opens_word or position == 0 or not text[position - 1].isalnum():
            return position
    return None


def _match_unit(unit: str, text: str, position: int) -> int:
    """Return how many characters of a text are a unit, 0 if none.

    A letter is also the Greek letter whose name begins with it, the name of a Greek letter also
    that letter, and a Latin letter that stands alone for it ("interleukin-1 b").
    """
    char = text[position].lower()
    name = GREEK.get(char)
    if len(unit) == 1:
        return int(char == unit or (name is not None and name[0] == unit))
    if name == unit:
        return 1
    if text[position : position + len(unit)].lower() == unit:
        is_inside = unit in _COUNTING and text[max(0, position - 1) : position].isalpha()
        return 0 if is_inside else len(unit)
    if unit in _COUNTING:
        return 0
    around = text[max(0, position - 1) : position] + text[position + 1 : position + 2]
    return int(char == unit[0] and not any(other.isalnum() for other in around))


def _match_starts(
    units: Sequence[str], text: str, starts: Sequence[int], *, skips_first: bool
) -> Optional[int]:
    """Match units with words from the right; a function word is skipped rather than matched, or
    the other way round."""
    rest = list(units)
    first = None
    for number, position in enumerate(reversed(starts)):
        if not rest:
            break
        may_skip = number > 0 and _FUNCTION_WORD.match(text, position) is not None
        held = _hold_word(rest, text, position)
        if held:
            del rest[-held:]
            first = position
            continue
        fits = _match_unit(rest[-1], text, position) > 0
        if may_skip and (skips_first or not fits):
            continue
        if not fits:
            return None
        rest.pop()
        first = position
    return None if rest or first is None else first


def _hold_word(units: Sequence[str], text: str, position: int) -> int:
    """Return how many units at the end are a word in capitals, letter by letter: "mtDNA"."""
    word = _CAPITALS.match(text, position)
    letters = word.group().lower() if word else ""
    fits = 0 < len(letters) <= len(units) and [*letters] == [*units[len(units) - len(letters) :]]
    return len(letters) if fits else 0


def _has_in_order(units: Sequence[str], text: str) -> bool:
    if not text or not _match_unit(units[0], text, 0):
        return False
    position = 0
    for unit in units:
        while position < len(text) and not _match_unit(unit, text, position):
            position += 1
        if position == len(text):
            return False
        position += _match_unit(unit, text, position)
    return True


def _word_start(text: str, position: int) -> int:
    start = position
    while not is_word_border(text, start):
        start -= 1
    # What "anti-glomerular basement membrane (GBM)" stains is the membrane.
    return position if _PREFIX.fullmatch(text, start, position) else start


def _covers(
    short: str, text: str, masked: str, offset: int, groups: Sequence[Tuple[int, int]]
) -> bool:
    """Tell whether a long form that is extended over brackets belongs together.

    It does where a bracket in it holds the beginning of the short form ("human immunodeficiency
    virus (HIV) type 1 (HIV-1)"), or where each of its words has a letter in the short form: in "the
    relative (RR) and absolute (RD) differences", "relative" is not what RD means.
    """
    plain = _plain(short)
    held = [_plain(text[start + 1 : end - 1]) for start, end in groups if start >= offset]
    is_list = _LISTING.search(masked, offset) is not None
    if not is_list and any(len(one) > 1 and plain.startswith(one) for one in held):
        return True
    return covers_words(short, masked[offset:])


def covers_words(short: str, long_form: str) -> bool:
    """Tell whether each word of a long form has its first letter in the short form, in order."""
    starts = [match.start() for match in _WORD_START.finditer(long_form)]
    words = [start for start in starts if not _FUNCTION_WORD.match(long_form, start)]
    initials = "".join(GREEK.get(long_form[s].lower(), long_form[s].lower())[0] for s in words)
    rest = iter("".join(unit[0] for unit in _spell(short)[0]))
    return all(initial in rest for initial in initials)


def _plain(text: str) -> str:
    return "".join(GREEK.get(char, char) for char in text.lower() if char.isalnum())
