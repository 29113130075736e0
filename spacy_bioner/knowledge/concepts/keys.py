"""What two names of a concept have in common: keys by which they are looked up.

The exact key is the name without capitals, white space, hyphens and typesetting. The form is the
set of its words: stems, without words that say nothing, in American spelling, Greek letters by
their names and Roman numbers as digits. Grams are those words, and pieces of three and four
characters of them.
"""

import re
from functools import lru_cache
from typing import Any, FrozenSet, Tuple

from snowballstemmer import stemmer

from spacy_bioner.knowledge.skeletons import fold
from spacy_bioner.knowledge.typography import HYPHENS, simplify_text
from spacy_bioner.knowledge.variants import spell_american, spell_out_greek

GRAM_SIZES = (3, 4)
WORD_MARK = "="
"""Stands before a gram that is a whole word."""
MAX_WORDS = 24
"""A form has no more words than this: a longer name is a sentence."""

STEMMER: Any = stemmer("english")
_WORD = re.compile(r"[^\W_]+")
_GENITIVE = re.compile(r"(?<=\w)'s?\b")
_GAPS = re.compile(rf"[\s{re.escape(HYPHENS)}]+")
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8"}
# Not "a": vitamin A.
_EMPTY = frozenset(
    [
        "an",
        "and",
        "as",
        "at",
        "by",
        "due",
        "for",
        "from",
        "in",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
    ]
)
_KEPT_IN_CACHE = 1 << 16


def make_exact_key(name: str) -> str:
    """Return what names have in common that differ in capitals, spaces, hyphens, typesetting."""
    return make_storable(_GAPS.sub("", fold(simplify_text(name))))


def make_form(name: str) -> str:
    """Return the words of a name, each once, in the order of the alphabet, with spaces between.

    RETURNS (str): Empty for a name without letters and digits.
    """
    words = list_words(name)
    kept = {word for word in words if word not in _EMPTY} or set(words)
    return " ".join(sorted(map(stem, kept))[:MAX_WORDS])


def list_words(name: str) -> Tuple[str, ...]:
    """Split a name into words that are spelled alike, in their order."""
    text = spell_american(spell_out_greek(fold(simplify_text(name))))
    words = _WORD.findall(_GENITIVE.sub("", text))
    return tuple(_ROMAN.get(word, word) for word in words)


@lru_cache(maxsize=_KEPT_IN_CACHE)
def stem(word: str) -> str:
    """Return the stem of an English word (Porter 2); what has digits stays as it is."""
    return word if not word.isalpha() else str(STEMMER.stemWord(word))


def list_grams(form: str) -> FrozenSet[str]:
    """Return the words of a form and the pieces of them, with spaces where words start and end."""
    return frozenset(gram for word in form.split() for gram in _cut_word(word))


@lru_cache(maxsize=_KEPT_IN_CACHE)
def _cut_word(word: str) -> Tuple[str, ...]:
    padded = f" {word} "
    pieces = [padded[at : at + size] for size in GRAM_SIZES for at in range(len(padded) - size + 1)]
    return (*pieces, f"{WORD_MARK}{word}")


def make_storable(text: str) -> str:
    """Return a text that a database takes: lone surrogates, which are no text, become "?"."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def probe_stemmer() -> str:
    """Return stems that tell one release of the stemmer from another, if they differ."""
    words = "neoplasms diseases prostatic carcinomatosis anemia generously dyskinesias diabetes"
    return " ".join(map(stem, words.split()))
