"""Capitals of a name that takes another one's place in a sentence."""

import re

from spacy_bioner.records import Record

# "Renal", "Parkinson" and also "Smith-Lemli"; not "pH", "IL", "Akt", "McCune".
_TITLED = re.compile(r"[A-Z][a-z]{3,}(?:-[A-Za-z][a-z]+)*")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
# Also "METHODS: ", and the full stop that some corpora have without a space: "of tumours.The".
_SENTENCE_END = re.compile(r"(?:[.!?][\"'”’)\]]*\s+|[A-Z]{3}:\s+|[a-z]{3}\.)[(\[\"'“‘]*$")
_OPENING = "([\"'“‘ \t\n"
# Short words keep their small letters in a headline.
_HEADLINE_LENGTH = 4
_SHOUTED_LETTERS = 8
# How far to look for the end of the sentence before.
_REACH = 12


def opens_sentence(record: Record, offset: int) -> bool:
    """Tell whether a sentence, a section or the text starts at an offset."""
    if offset in record.sentence_starts or any(offset == start for _, start, _ in record.sections):
        return True
    before = record.text[max(0, offset - _REACH) : offset]
    opens_text = offset <= _REACH and not before.strip(_OPENING)
    return opens_text or _SENTENCE_END.search(before) is not None


def is_shouted(record: Record, start_char: int, end_char: int) -> bool:
    """Tell whether a stretch is in capitals because of its surroundings, not as a symbol is."""
    surface = record.text[start_char:end_char]
    letters = sum(map(str.isalpha, surface))
    if not surface.isupper():
        return False
    if " " in surface and letters >= _SHOUTED_LETTERS:
        return True
    left = _WORD.findall(record.text[max(0, start_char - 30) : start_char])[-1:]
    right = _WORD.findall(record.text[end_char : end_char + 30])[:1]
    return bool(left or right) and all(
        len(word) > 1 and word.isupper() and word.isalpha() for word in left + right
    )


def is_symbol(name: str) -> bool:
    """Tell whether a name looks like an abbreviation or a symbol: "ARF", "IL-2", "5-FU"."""
    letters = [char for char in name if char.isalpha()]
    capitals = sum(char.isupper() for char in letters)
    return " " not in name and capitals > 1 and capitals * 2 >= len(letters)


def is_headline(name: str) -> bool:
    """Tell whether a name of several words has capitals in front of all but its short words.

    One of them behind the first has to be just that, a capital and small letters: "CNS Disease" is
    in headline style, "MFL regimen" and "DNA PKCS" are not.
    """
    words = _WORD.findall(name)
    long_words = [word for word in words if len(word) >= _HEADLINE_LENGTH]
    return all(word[0].isupper() for word in long_words) and any(
        _TITLED.fullmatch(word) for word in words[1:]
    )


def fit_case(name: str, old: str, *, opens: bool, shouted: bool) -> str:
    """Return a name with the capitals that its place calls for.

    name (str): As it is written in the middle of a sentence.
    old (str): What stood in the place.
    opens (bool): The place is the start of a sentence.
    shouted (bool): The place is in capitals throughout.
    """
    if shouted:
        return name.upper()
    if is_headline(old):
        return _WORD.sub(_capitalize_word, name)
    # A sentence may start in small letters as well: "pH", "mRNA", "alpha-tocopherol".
    if opens and old[:1].isupper() and name[:2].islower():
        return name[0].upper() + name[1:]
    return name


def lower_headline(name: str) -> str:
    """Take away the capitals that a terminology writes for looks: "Kidney Failure, Acute".

    Words that are not just one capital and small letters keep theirs ("DNA", "McCune"), and so do
    possessives ("Parkinson's"). That "Hodgkin" is a name and "Kidney" is not cannot be seen: both
    are written small.
    """
    return _WORD.sub(lambda match: _lower_word(match[0]), name)


def lower_first(name: str) -> str:
    """Take away the capital of a name that stood at the start of a sentence."""
    match = _WORD.match(name)
    return name if match is None else _lower_word(match[0]) + name[match.end() :]


def _lower_word(word: str) -> str:
    return word[0].lower() + word[1:] if _TITLED.fullmatch(word) else word


def _capitalize_word(match: "re.Match[str]") -> str:
    word = match[0]
    if len(word) < _HEADLINE_LENGTH or not word.islower():
        return word
    return word[0].upper() + word[1:]
