"""What a feature CRF sees of a token: the features of the literature, as strings.

Words, shapes and affixes of the token and words, shapes and parts of speech of its neighbours
within its sentence, as in BANNER (Leaman and Gonzalez, 2008) and what followed it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Iterator, List, Tuple

import numpy as np
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.words import Words
from spacy_bioner.blanks import squeeze

WINDOW = 2
AFFIXES = (2, 3, 4)
# Always there, so that every token has a feature.
BIAS = "bias"
_GREEK_LETTER = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_GREEK_NAMES = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|"
    "sigma|tau|upsilon|phi|chi|psi|omega"
)
_LONGEST_KEPT = 100
_RUNS = re.compile(r"(.)\1+")


@dataclass(frozen=True)
class Parts:
    """What of a token its own features and those of its neighbours are made of."""

    text: str
    lower: str
    shape: str
    pos: str


def word_features(doc: Doc, words: Words) -> List[List[str]]:
    """Return the features of each word; those of its neighbours end with its sentence.

    Parts of speech are used where the Doc has them.

    words (Words): The Doc's.
    """
    has_pos = doc.has_annotation("POS")
    parts = [_read_parts(doc, start, end, has_pos) for start, end in zip(words.starts, words.ends)]
    features: List[List[str]] = []
    for start, end in sequence_borders(doc, words):
        features += _sequence_features(parts[start:end])
    return features


def sequence_borders(doc: Doc, words: Words) -> List[Tuple[int, int]]:
    """Return the borders, in words, of what is tagged together: the sentences, or the whole Doc
    where nothing says where they are."""
    if not len(words):
        return []
    if not doc.has_annotation("SENT_START"):
        return [(0, len(words))]
    starts = [token.i for token in doc if token.is_sent_start]
    borders = np.searchsorted(words.starts, starts)
    return list(pairwise(np.unique([0, *borders, len(words)]).tolist()))


def _read_parts(doc: Doc, start: int, end: int, has_pos: bool) -> Parts:
    token = doc[int(start)]
    pos = token.pos_ if has_pos else ""
    if end - start == 1:
        return Parts(token.text, token.lower_, token.shape_, pos)
    # A soft hyphen or the like cuts the word in two.
    word = doc.vocab[squeeze(doc[int(start) : int(end)].text).text]
    return Parts(word.text, word.lower_, word.shape_, pos)


def _sequence_features(parts: List[Parts]) -> List[List[str]]:
    features = [[BIAS, *_own_features(item.text, item.lower, item.shape)] for item in parts]
    for position, chosen in enumerate(features):
        for offset in range(-WINDOW, WINDOW + 1):
            other = position + offset
            if not 0 <= other < len(parts):
                chosen.append(f"{offset}:edge")
                continue
            chosen.append(f"{offset}:w={parts[other].lower}")
            chosen.append(f"{offset}:s={parts[other].shape}")
            if parts[other].pos:
                chosen.append(f"{offset}:p={parts[other].pos}")
    words = [item.lower for item in parts]
    for position, (left, right) in enumerate(pairwise(words)):
        features[position].append(f"0:2w={left}|{right}")
        features[position + 1].append(f"-1:2w={left}|{right}")
    return features


def _own_features(text: str, lower: str, shape: str) -> Tuple[str, ...]:
    # Words of a text without blanks, kept for good, would take the memory of a service.
    find = _remembered if len(text) <= _LONGEST_KEPT else _find_own
    return find(text, lower, shape)


def _find_own(text: str, lower: str, shape: str) -> Tuple[str, ...]:
    return tuple(_list_own(text, lower, shape))


_remembered = lru_cache(maxsize=100_000)(_find_own)


def _list_own(text: str, lower: str, shape: str) -> Iterator[str]:
    yield "short=" + _RUNS.sub(r"\1", shape)
    for length in AFFIXES:
        if len(lower) > length:
            yield f"pre={lower[:length]}"
            yield f"suf={lower[-length:]}"
    checks = {
        "digits": text.isdigit(),
        "has-digit": any(char.isdigit() for char in text),
        "all-caps": text.isupper(),
        "first-cap": text[:1].isupper(),
        "inner-cap": any(char.isupper() for char in text[1:]),
        "greek": bool(_GREEK_LETTER.search(text)) or bool(_GREEK_NAMES.fullmatch(lower)),
        "roman": bool(re.fullmatch("[IVX]+", text)),
        "mark": not any(char.isalnum() for char in text),
    }
    yield from (name for name, holds in checks.items() if holds)
