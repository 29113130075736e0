"""Skeletons: what two spellings of a name have in common, and a hash of every stretch of it.

The skeleton of a simplified text (see `typography`) has its characters folded to lower case one by
one, without white space and hyphens. Prefix sums of a polynomial modulo 2⁶⁴ give the hash of any
stretch by one subtraction and one multiplication (Karp & Rabin 1987), for thousands of stretches in
one call. Equal hashes do not prove that two stretches are equal: who finds one compares the texts.
"""

from functools import cache
from typing import Any, Dict, Tuple

import numpy as np
from numpy.typing import NDArray

_LAST_KEPT = 0x10000
_TABLED, _PAGE_BITS = 0x10000, 7
_KEPT, _ALNUM = 1, 2
# Odd, so that it has an inverse modulo 2**64, and 3 modulo 8, so that its powers repeat late.
_BASE = 0xD6E8FEB86659FD93
_INVERSE = pow(_BASE, -1, 1 << 64)
# Powers of more places than this are computed when a text needs them.
_MOST_POWERS = 1 << 18

_Powers = Tuple[NDArray[np.uint64], NDArray[np.uint64]]


class _Folding(Dict[int, Any]):
    """Maps a code point to its lower case if that is one character, else to itself.

    `str.lower` may lengthen a text ("İ" becomes two characters), and offsets would shift.
    """

    def __missing__(self, code: int) -> int:
        folded = _fold_code(code)
        # Texts of all planes would leave a million entries here.
        if folded != code or code < _LAST_KEPT:
            self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Fold to lower case, character by character: the length stays as it is."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def edge_hyphens(name: str) -> Tuple[int, int]:
    """Count the hyphens that a name starts and ends with ("Cl-"): the skeleton lacks them."""
    skipped = "- "
    return len(name) - len(name.lstrip(skipped)), len(name) - len(name.rstrip(skipped))


def is_bare(name: str) -> bool:
    """Tell whether nothing is left of a simplified name to look it up by: no letter, digit or
    symbol besides spaces and hyphens."""
    return not any(map(str.isalnum, name)) and not len(Skeleton(name))


class Skeleton:
    """The skeleton of a simplified text.

    Separators of texts that were joined (`SEPARATOR`) are a part of it that no name has.

    places (NDArray): Where its characters stand in the text; ascending.
    before (NDArray): How many of them stand before each offset in the text, the end included.
    alnum (NDArray): Which characters of the text are letters or digits; bool.
    """

    def __init__(self, simple: str) -> None:
        values, kinds = _look_up(simple)
        kept = (kinds & _KEPT).view(np.bool_)
        self.alnum: NDArray[np.bool_] = (kinds & _ALNUM) != 0
        self.places: NDArray[np.intp] = np.flatnonzero(kept)
        self.before: NDArray[np.int32] = np.zeros(len(simple) + 1, dtype=np.int32)
        np.cumsum(kept, dtype=np.int32, out=self.before[1:])
        powers, self._inverses = _find_powers(len(self.places))
        self._sums: NDArray[np.uint64] = np.zeros(len(self.places) + 1, dtype=np.uint64)
        np.cumsum(values[self.places] * powers[: len(self.places)], out=self._sums[1:])

    def __len__(self) -> int:
        return len(self.places)

    def hash(self, starts: NDArray[np.integer], ends: NDArray[np.integer]) -> NDArray[np.uint64]:
        """Return the hash of each stretch; what is equal has the same one wherever it stands."""
        return (self._sums[ends] - self._sums[starts]) * self._inverses[starts]


# `simplify` leaves it in no text, and it is neither letter nor digit.
SEPARATOR = "\x00"


def _fold_code(code: int) -> int:
    lower = chr(code).lower()
    return ord(lower) if len(lower) == 1 else code


def _look_up(simple: str) -> Tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return for each character the value that is hashed, and whether it is kept and a letter."""
    if simple.isascii():
        return _TABLE.look_up(np.frombuffer(simple.encode("ascii"), dtype=np.uint8))
    codes = np.frombuffer(simple.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    rare = np.flatnonzero(codes >= _TABLED)
    if not len(rare):
        return _TABLE.look_up(codes)
    values, kinds = _TABLE.look_up(np.minimum(codes, _TABLED - 1))
    distinct, which = np.unique(codes[rare], return_inverse=True)
    rare_values, rare_kinds = _describe(distinct.tolist())
    values[rare], kinds[rare] = rare_values[which], rare_kinds[which]
    return values, kinds


class _CodeTable:
    """Values and kinds of the first code points, page by page: all of them take longer to find out
    than everything else that happens to the first text of a process."""

    def __init__(self) -> None:
        self._values: NDArray[np.uint64] = np.zeros(_TABLED, dtype=np.uint64)
        self._kinds: NDArray[np.uint8] = np.zeros(_TABLED, dtype=np.uint8)
        self._is_known: NDArray[np.bool_] = np.zeros(_TABLED >> _PAGE_BITS, dtype=np.bool_)

    def look_up(self, codes: NDArray[Any]) -> Tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        """Return values and kinds of code points below `_TABLED`."""
        pages = codes >> _PAGE_BITS
        for page in np.unique(pages[~self._is_known[pages]]).tolist():
            first, end = page << _PAGE_BITS, (page + 1) << _PAGE_BITS
            self._values[first:end], self._kinds[first:end] = _describe(range(first, end))
            self._is_known[page] = True
        return self._values[codes], self._kinds[codes]


def _describe(codes: Any) -> Tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    kinds = [
        _KEPT * (char != "-" and not char.isspace()) + _ALNUM * char.isalnum()
        for char in map(chr, codes)
    ]
    folded = np.array([_fold_code(code) for code in codes], dtype=np.uint64)
    return _mix(folded), np.array(kinds, dtype=np.uint8)


def _mix(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread code points over 64 bits: the finalizer of SplitMix64 (Steele et al. 2014)."""
    mixed = (codes + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


_TABLE = _CodeTable()


def _find_powers(n_places: int) -> _Powers:
    """Return at least so many powers of the base, and of its inverse."""
    return _compute_powers(n_places) if n_places > _MOST_POWERS else _keep_powers()


@cache
def _keep_powers() -> _Powers:
    return _compute_powers(_MOST_POWERS)


def _compute_powers(size: int) -> _Powers:
    both = []
    for factor in (_BASE, _INVERSE):
        powers = np.full(size, factor, dtype=np.uint64)
        powers[0] = 1
        both.append(np.cumprod(powers))
    return both[0], both[1]
