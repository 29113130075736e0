"""Which terms may stand where in a text: hashes of skeletons, looked up for a whole batch at once.

A term starts and ends where tokens do, so only these places are looked at. A stretch of a few
characters is looked up as it is; a longer one only if some term has its beginning (`KEY_LENGTH`
characters) and its length. What is found has the hash of a term, and is left to be compared.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Tuple

import numpy as np
from numpy.typing import NDArray

from spacy_bioner.errors import TermTableError
from spacy_bioner.knowledge.skeletons import SEPARATOR, Skeleton
from spacy_bioner.knowledge.table import RAGGED_FLAG, TOKENS_FLAG, TermTable
from spacy_bioner.knowledge.typography import simplify_text

KEY_LENGTH = 8
BARE_NAME = (
    "found the term {}; expected a name with at least one letter, digit or symbol besides spaces "
    "and hyphens; leave it out"
)
# Lengths up to this one have a bit in the mask of a beginning; the last bit is for all others.
LONGEST_MASKED = 63
_LONGER_BIT = np.uint64(1 << LONGEST_MASKED)
_MASKED_BITS = np.uint64((1 << LONGEST_MASKED) - 1)
_SHORT_BITS = np.uint64((1 << (KEY_LENGTH - 1)) - 1)
_BLOCK = 1 << 14
# A filter has at least so many bits for each hash.
_FILTER_BITS = 8


class SkeletonIndex:
    """The skeletons of a table, by hash; terms that share a hash are a group.

    columns (Mapping[str, NDArray]): See `to_columns`.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._groups = _HashSet(columns["group_hashes"], columns["group_filter"])
        self._members = columns["members"]
        self._group_ends = columns["group_ends"]
        self.group_flags: NDArray[np.uint8] = columns["group_flags"]
        self._keys = _HashSet(columns["key_hashes"], columns["key_filter"])
        self._key_lengths = columns["key_lengths"]
        self._long_keys = _HashSet(columns["long_hashes"], columns["long_filter"])
        self._long_lengths = columns["long_lengths"]
        self._long_ends = columns["long_ends"]

    @classmethod
    def build(cls, table: TermTable) -> "SkeletonIndex":
        """Hash the names of a table.

        RAISES (TermTableError): A name of nothing but spaces and hyphens.
        """
        hashed = _hash_names(table)
        order = np.argsort(hashed.hashes, kind="stable")
        group_hashes, firsts = np.unique(hashed.hashes[order], return_index=True)
        flags = (table.flags & (RAGGED_FLAG | TOKENS_FLAG))[order]
        keyed = np.flatnonzero(hashed.lengths >= KEY_LENGTH)
        bits = np.left_shift(
            np.uint64(1), np.minimum(hashed.lengths[keyed] - 1, LONGEST_MASKED).astype(np.uint64)
        )
        long = np.flatnonzero(hashed.lengths > LONGEST_MASKED)
        long_hashes, long_ends, long_lengths = _list_lengths(
            hashed.long_keys[long], hashed.lengths[long]
        )
        key_order = np.argsort(hashed.keys[keyed], kind="stable")
        key_hashes, key_firsts = np.unique(hashed.keys[keyed][key_order], return_index=True)
        return cls(
            {
                "group_hashes": group_hashes.astype("<u8"),
                "group_filter": _make_filter(group_hashes),
                "group_ends": np.append(firsts, len(order)).astype("<i4"),
                "group_flags": _join_bits(flags, firsts),
                "members": order.astype("<i4"),
                "key_hashes": key_hashes.astype("<u8"),
                "key_filter": _make_filter(key_hashes),
                "key_lengths": _join_bits(bits[key_order], key_firsts).astype("<u8"),
                "long_hashes": long_hashes.astype("<u8"),
                "long_filter": _make_filter(long_hashes),
                "long_ends": long_ends.astype("<i4"),
                "long_lengths": long_lengths.astype("<i4"),
            }
        )

    def to_columns(self) -> Dict[str, NDArray[Any]]:
        """Return all that the index is made of."""
        return {
            "group_hashes": self._groups.hashes,
            "group_filter": self._groups.filter,
            "group_ends": self._group_ends,
            "group_flags": self.group_flags,
            "members": self._members,
            "key_hashes": self._keys.hashes,
            "key_filter": self._keys.filter,
            "key_lengths": self._key_lengths,
            "long_hashes": self._long_keys.hashes,
            "long_filter": self._long_keys.filter,
            "long_ends": self._long_ends,
            "long_lengths": self._long_lengths,
        }

    def members(self, group: int) -> List[int]:
        """Return the terms of a group, in the table's order."""
        found: List[int] = self._members[
            self._group_ends[group] : self._group_ends[group + 1]
        ].tolist()
        return found

    def find(
        self, skeleton: Skeleton, starts: NDArray[np.integer], ends: NDArray[np.integer]
    ) -> Tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Find the stretches that have the hash of a term.

        starts (NDArray): Places in the skeleton where terms may start, in any order.
        ends (NDArray): Places behind which they may end.
        RETURNS (Tuple[NDArray, NDArray, NDArray]): Start, end and group of each.
        """
        size = len(skeleton)
        is_start, is_end = np.zeros((2, size + LONGEST_MASKED + 130), dtype=np.bool_)
        is_start[starts] = True
        is_end[ends] = True
        first = np.flatnonzero(is_start[:size])
        reachable = _mask_ends(is_end, first)
        keys = skeleton.hash(first, np.minimum(first + KEY_LENGTH, size))
        known, key = self._keys.find(keys)
        lengths = self._key_lengths[key]
        wanted = reachable & _SHORT_BITS
        wanted[known] |= reachable[known] & lengths & _MASKED_BITS
        which, length = _list_bits(wanted)
        opens = first[which]
        closes = opens + length
        longer = known[lengths >= _LONGER_BIT]
        if len(longer):
            long_opens, long_closes = self._find_long(skeleton, first[longer], is_end)
            opens, closes = np.append(opens, long_opens), np.append(closes, long_closes)
        found, group = self._groups.find(skeleton.hash(opens, closes))
        return opens[found], closes[found], group

    def _find_long(
        self, skeleton: Skeleton, starts: NDArray[np.intp], is_end: NDArray[np.bool_]
    ) -> Tuple[NDArray[np.intp], NDArray[np.intp]]:
        size = len(skeleton)
        starts = starts[starts + LONGEST_MASKED < size]
        known, key = self._long_keys.find(skeleton.hash(starts, starts + LONGEST_MASKED))
        opens: List[NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
        closes = list(opens)
        for start, place in zip(starts[known].tolist(), key.tolist(), strict=True):
            ends = start + self._long_lengths[self._long_ends[place] : self._long_ends[place + 1]]
            ends = ends[: np.searchsorted(ends, size, side="right")]
            ends = ends[is_end[ends]]
            opens.append(np.full(len(ends), start, dtype=np.intp))
            closes.append(ends.astype(np.intp))
        return np.concatenate(opens), np.concatenate(closes)


class _HashSet:
    """Sorted hashes; a bit array by their leading bits turns most others away."""

    def __init__(self, hashes: NDArray[np.uint64], filter_bytes: NDArray[np.uint8]) -> None:
        self.hashes, self.filter = hashes, filter_bytes
        self._shift = np.uint64(64 - (8 * len(filter_bytes)).bit_length() + 1)

    def find(self, queries: NDArray[np.uint64]) -> Tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which of the queries are known, and the places of these among the hashes."""
        bits = (queries >> self._shift).astype(np.intp)
        known = np.flatnonzero((self.filter[bits >> 3] >> (bits & 7).astype(np.uint8)) & 1)
        queries = queries[known]
        places = np.searchsorted(self.hashes, queries)
        same = np.flatnonzero(self.hashes.take(places, mode="clip") == queries)
        return known[same], places[same]


@dataclass(frozen=True)
class _HashedNames:
    """Hash and length of each skeleton, and hashes of its first characters."""

    hashes: NDArray[np.uint64]
    lengths: NDArray[np.int64]
    keys: NDArray[np.uint64]
    long_keys: NDArray[np.uint64]


def _hash_names(table: TermTable) -> _HashedNames:
    blocks: List[Tuple[NDArray[Any], ...]] = [(np.empty(0, dtype=np.uint64),) * 4]
    n_done = 0
    for names in _divide(map(simplify_text, table.iter_names())):
        skeleton = Skeleton(SEPARATOR.join(names))
        sizes = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
        ends = np.cumsum(sizes + 1) - 1
        opens, closes = skeleton.before[ends - sizes], skeleton.before[ends]
        lengths = closes - opens
        if not lengths.all():
            raise TermTableError(BARE_NAME.format(table[n_done + int(np.argmin(lengths))]))
        keys, long_keys = (
            skeleton.hash(opens, np.minimum(opens + length, closes))
            for length in (KEY_LENGTH, LONGEST_MASKED)
        )
        blocks.append((skeleton.hash(opens, closes), lengths, keys, long_keys))
        n_done += len(names)
    hashes, lengths, keys, long_keys = (np.concatenate(column) for column in zip(*blocks))
    return _HashedNames(hashes, lengths.astype(np.int64), keys, long_keys)


def _divide(names: Iterable[str]) -> Iterator[List[str]]:
    iterator = iter(names)
    while block := list(islice(iterator, _BLOCK)):
        yield block


def _list_lengths(
    keys: NDArray[np.uint64], lengths: NDArray[np.int64]
) -> Tuple[NDArray[np.uint64], NDArray[np.intp], NDArray[np.int64]]:
    """Return distinct keys, and the ends of their lengths, distinct and ascending, in a list."""
    order = np.lexsort((lengths, keys))
    keys, lengths = keys[order], lengths[order]
    fresh = np.ones(len(keys), dtype=np.bool_)
    fresh[1:] = (keys[1:] != keys[:-1]) | (lengths[1:] != lengths[:-1])
    keys, lengths = keys[fresh], lengths[fresh]
    distinct, firsts = np.unique(keys, return_index=True)
    return distinct, np.append(firsts, len(keys)), lengths


def _join_bits(bits: NDArray[Any], firsts: NDArray[np.intp]) -> NDArray[Any]:
    return np.bitwise_or.reduceat(bits, firsts) if len(firsts) else bits


def _make_filter(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    n_bits = (max(8, _FILTER_BITS * len(hashes)) - 1).bit_length()
    flags = np.zeros(1 << n_bits, dtype=np.bool_)
    flags[(hashes >> np.uint64(64 - n_bits)).astype(np.intp)] = True
    return np.packbits(flags, bitorder="little")


def _mask_ends(is_end: NDArray[np.bool_], starts: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Return for each start which lengths lead to an end: bit 0 for one character, and so on."""
    size = len(is_end) // 64 * 64
    words = np.packbits(is_end[:size], bitorder="little").view("<u8")
    word, bit = (starts + 1) >> 6, ((starts + 1) & 63).astype(np.uint64)
    # A shift by 64 bits is undefined: hence two.
    behind = (words[word + 1] << np.uint64(1)) << (np.uint64(63) - bit)
    return ((words[word] >> bit) | behind) & _MASKED_BITS


def _list_bits(masks: NDArray[np.uint64]) -> Tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which masks have bits, and the lengths that these stand for."""
    filled = np.flatnonzero(masks)
    rows = masks[filled].astype("<u8").view(np.uint8)
    bits = np.flatnonzero(np.unpackbits(rows, bitorder="little"))
    return filled[bits >> 6], (bits & 63) + 1
