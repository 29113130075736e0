"""Kinds of character noise: where each may strike in a stretch of text, and what it does there."""

import random
import re
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from spacy_bioner.records import Fragment
from spacy_bioner.transforms.offsets import Edit

# Neighbours on a QWERTY keyboard.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Short words and symbols are identities: one letter makes another gene of a gene.
_TYPO_WORD = re.compile(r"(?<![^\W_])[A-Za-z]{4,}(?![^\W_])")
_LONG_SYMBOL = 7
_WORD = re.compile(r"[^\W_]+")
# What scanners and their software take for each other, both ways.
_CONFUSIONS = (
    ("l", "1"), ("I", "l"), ("I", "1"), ("O", "0"), ("o", "0"), ("rn", "m"), ("cl", "d"),
    ("S", "5"), ("B", "8"), ("vv", "w"), ("e", "c"), ("h", "b"), ("Z", "2"),
)  # fmt: skip
_HYPHENS = "-\u2010\u2011\u2013"
# A hyphen between letters or letters and digits; between digits it is a range.
_HYPHEN = re.compile(rf"(?<=[^\W_])[{_HYPHENS}](?=[^\W\d_])|(?<=[^\W\d_])[{_HYPHENS}](?=\d)")
# "IL2", "IL 2": the digit, or the space in front of it.
_SYMBOL_DIGIT = re.compile(r"(?<![^\W_])(?<![^\W_]-)[A-Z]{2,6}(\d)(?!\d{3})")
_SYMBOL_SPACE = re.compile(r"(?<![^\W_])(?<![^\W_]-)[A-Z]{2,6}( )(?=\d{1,2}(?![^\W_]|[.,]\d))")
# Without mu, which is a unit nearly everywhere.
_GREEK = {
    "α": ("alpha", "a"), "β": ("beta", "b"), "γ": ("gamma", "g"), "δ": ("delta", "d"),
    "ε": ("epsilon", "e"), "ζ": ("zeta",), "η": ("eta",), "θ": ("theta",), "ι": ("iota",),
    "κ": ("kappa", "k"), "λ": ("lambda",), "ν": ("nu",), "ξ": ("xi",), "π": ("pi",),
    "ρ": ("rho",), "σ": ("sigma",), "τ": ("tau",), "φ": ("phi",), "χ": ("chi",), "ψ": ("psi",),
    "ω": ("omega",), "Δ": ("Delta",), "Γ": ("Gamma",), "Σ": ("Sigma",), "Ω": ("Omega",),
}  # fmt: skip
# As names: other words have these letters, or mean them ("pi", "nu", "chi-square").
_AMBIGUOUS = ("eta", "iota", "nu", "xi", "pi", "rho", "phi", "chi", "psi")
_SPELLED = {
    name: letter
    for letter, (name, *_) in _GREEK.items()
    if name.islower() and name not in _AMBIGUOUS
}
_LATIN = {"a": "α", "b": "β", "g": "γ", "d": "δ"}
_GREEK_PLACE = re.compile(
    rf"[{''.join(_GREEK)}]"
    # "alpha-tocopherol", "TNFalpha", "PPAR-gamma2"
    rf"|(?:(?<![^\W_])|(?<=[A-Z]{{2}})|(?<=\d))(?i:{'|'.join(_SPELLED)})(?![^\W\d_])"
    # "TNF-a": a small letter behind a symbol
    r"|(?<=[A-Z]{2}[-])[abgd](?![^\W_])"
)


@dataclass(frozen=True)
class NoiseKind:
    """One kind of noise.

    find (Callable[[str], Iterator[Tuple[int, int]]]): Gives the places in a stretch, by offset.
    change (Callable[[str, int, int, Random], Optional[Edit]]): Changes one place of a stretch. The
        edit replaces characters, never inserts between them, so that it is inside the stretch at
        its ends too; None when nothing fits.
    """

    find: Callable[[str], Iterator[Fragment]]
    change: Callable[[str, int, int, random.Random], Optional[Edit]]


def _find_typos(text: str) -> Iterator[Fragment]:
    for match in _TYPO_WORD.finditer(text):
        word = match[0]
        if word.isupper() and len(word) < _LONG_SYMBOL:
            continue
        yield from ((at, at + 1) for at in range(match.start(), match.end()))


def _make_typo(text: str, start: int, end: int, rng: random.Random) -> Edit:
    letter, following = text[start], text[end : end + 1]
    swaps = following.isascii() and following.isalpha() and following.lower() != letter.lower()
    kind = rng.choice(("insert", "delete", "substitute", "transpose" if swaps else "substitute"))
    if kind == "transpose":
        return Edit(start, end + 1, following + letter)
    if kind == "delete":
        return Edit(start, end, "")
    neighbour = rng.choice(_NEIGHBOURS[letter.lower()])
    neighbour = neighbour.upper() if letter.isupper() else neighbour
    if kind == "substitute":
        return Edit(start, end, neighbour)
    return Edit(start, end, letter + rng.choice((letter, neighbour)))


def _find_confusions(text: str) -> Iterator[Fragment]:
    return (match.span() for match in _CONFUSION.finditer(text))


def _confuse(text: str, start: int, end: int, rng: random.Random) -> Edit:
    return Edit(start, end, rng.choice(_CONFUSED[text[start:end]]))


def _find_words(text: str) -> Iterator[Fragment]:
    return (m.span() for m in _WORD.finditer(text) if m[0].upper() != m[0].lower())


def change_case(text: str, start: int, end: int, rng: random.Random) -> Optional[Edit]:
    """Write a stretch in small letters, in capitals, with capitals in front, or at random."""
    old = text[start:end]
    forms = (old.lower(), old.upper(), _WORD.sub(lambda m: m[0][0].upper() + m[0][1:].lower(), old))
    mixed = "".join(char.upper() if rng.random() < 0.5 else char.lower() for char in old)
    others = [form for form in (*forms, mixed) if form != old]
    return Edit(start, end, rng.choice(others)) if others else None


def _find_hyphens(text: str) -> Iterator[Fragment]:
    places = [match.span() for match in _HYPHEN.finditer(text)]
    for pattern in (_SYMBOL_DIGIT, _SYMBOL_SPACE):
        places += [match.span(1) for match in pattern.finditer(text)]
    return iter(sorted(places))


def _change_hyphen(text: str, start: int, end: int, rng: random.Random) -> Edit:
    old = text[start:end]
    if old.isdigit():
        return Edit(start, end, rng.choice(("-", " ")) + old)
    others = [form for form in ("-", " ", "") if form != old]
    return Edit(start, end, rng.choice(others))


def _find_greek(text: str) -> Iterator[Fragment]:
    return (match.span() for match in _GREEK_PLACE.finditer(text))


def _change_greek(text: str, start: int, end: int, rng: random.Random) -> Edit:
    old = text[start:end]
    if old in _GREEK:
        return Edit(start, end, rng.choice(_GREEK[old]))
    # Other names have their capital from the start of a sentence.
    if old == "Delta":
        return Edit(start, end, "Δ")
    letter = _LATIN.get(old) or _SPELLED[old.lower()]
    names = _GREEK[letter]
    return Edit(start, end, rng.choice([letter, *(name for name in names if name != old.lower())]))


def _list_neighbours() -> Dict[str, str]:
    found: Dict[str, str] = {}
    for number, row in enumerate(_ROWS):
        for at, key in enumerate(row):
            near = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
            # Each row is half a key to the right of the one above.
            if number > 0:
                near += _ROWS[number - 1][at : at + 2]
            if number + 1 < len(_ROWS):
                near += _ROWS[number + 1][max(0, at - 1) : at + 1]
            found[key] = near
    return found


def _list_confusions() -> Dict[str, Tuple[str, ...]]:
    found: Dict[str, List[str]] = {}
    for left, right in _CONFUSIONS:
        found.setdefault(left, []).append(right)
        found.setdefault(right, []).append(left)
    return {key: tuple(values) for key, values in found.items()}


_NEIGHBOURS = _list_neighbours()
_CONFUSED = _list_confusions()
_CONFUSION = re.compile("|".join(sorted(map(re.escape, _CONFUSED), key=len, reverse=True)))

NOISE_KINDS: Dict[str, NoiseKind] = {
    "typo": NoiseKind(_find_typos, _make_typo),
    "ocr": NoiseKind(_find_confusions, _confuse),
    "case": NoiseKind(_find_words, change_case),
    "hyphen": NoiseKind(_find_hyphens, _change_hyphen),
    "greek": NoiseKind(_find_greek, _change_greek),
}
