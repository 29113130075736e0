"""A term table in columns: compact in memory, quick to write and read, free of pickle."""

from dataclasses import asdict, dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import (
    Any,
    Container,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
from numpy.typing import NDArray

from spacy_bioner.knowledge.skeletons import edge_hyphens
from spacy_bioner.knowledge.terms import CASES, Term, is_case_sensitive
from spacy_bioner.knowledge.typography import simplify_text

_CASE_MASK, TOKENS_FLAG, _EXACT_FLAG, RAGGED_FLAG = 3, 4, 8, 16
# A lone surrogate is no text, but a name may have one.
_CODEC, _ERRORS = "utf-8", "surrogatepass"
NO_RULES: Mapping[str, Any] = MappingProxyType({})
_ALL = attrgetter("name", "label", "id", "case", "tokens")


@dataclass(frozen=True)
class SourceInfo:
    """Where terms come from.

    name (str): The terminology.
    version (str): Its release, as its publisher calls it.
    licence (str): The terms of use.
    url (str): Where it is published.
    n_rows (int): How many of its rows became terms.
    """

    name: str
    version: str = ""
    licence: str = ""
    url: str = ""
    n_rows: int = 0


class TermTable:
    """An immutable sequence of distinct terms.

    Names and identifiers lie end to end, so that a table of a million terms is a handful of
    arrays: nothing is parsed when it is loaded, and a term is cut out when somebody asks for it.

    terms (Iterable[Term]): Of those that are equal the first is kept.
    sources (Sequence[SourceInfo]): Where they come from.
    rules (Mapping[str, Any]): By which rules they were chosen and changed; values of JSON.
    """

    def __init__(
        self,
        terms: Iterable[Term] = (),
        *,
        sources: Sequence[SourceInfo] = (),
        rules: Mapping[str, Any] = NO_RULES,
    ) -> None:
        rows = list(dict.fromkeys(map(_ALL, terms)))
        names, labels, ids, cases, tokens = zip(*rows, strict=True) if rows else ((),) * 5
        self.labels: List[str] = sorted(set(labels))
        self.sources, self.rules = tuple(sources), dict(rules)
        label_index = {label: index for index, label in enumerate(self.labels)}
        self._names, self._name_ends = _join(names)
        self._ids, self._id_ends = _join(ids)
        self._label_of = np.fromiter((label_index[label] for label in labels), dtype="<u4")
        self.flags = np.fromiter(map(_find_flags, names, cases, tokens), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.flags)

    def __getitem__(self, index: int) -> Term:
        flags = int(self.flags[index])
        return Term(
            name=_cut(self._names, self._name_ends, index),
            label=self.label(index),
            id=_cut(self._ids, self._id_ends, index),
            case=CASES[flags & _CASE_MASK],
            tokens=bool(flags & TOKENS_FLAG),
        )

    def __iter__(self) -> Iterator[Term]:
        return (self[index] for index in range(len(self)))

    def iter_names(self) -> Iterator[str]:
        """Iterate over the names alone."""
        return (_cut(self._names, self._name_ends, index) for index in range(len(self)))

    def rule(self, index: int) -> Tuple[str, bool, bool]:
        """Return what a comparison needs of a term: name, case sensitivity, `tokens`."""
        flags = int(self.flags[index])
        name = _cut(self._names, self._name_ends, index)
        return name, bool(flags & _EXACT_FLAG), bool(flags & TOKENS_FLAG)

    def label(self, index: int) -> str:
        """Return the label of a term, without making one."""
        return self.labels[self._label_of[index]]

    def describe(self, index: int) -> Tuple[str, str, str]:
        """Return label, name and id of a term, without making one."""
        return (
            self.label(index),
            _cut(self._names, self._name_ends, index),
            _cut(self._ids, self._id_ends, index),
        )

    def select(self, labels: Optional[Container[str]], min_length: int) -> NDArray[np.intp]:
        """Return the terms of some labels whose names have so many characters at least.

        labels (Optional[Container[str]]): None takes all.
        """
        taken = [labels is None or label in labels for label in self.labels]
        kept: NDArray[np.bool_] = np.array(taken, dtype=np.bool_)[self._label_of]
        # A character has four bytes at most: names with more than that need not be looked at.
        short = np.flatnonzero(kept & (np.diff(self._name_ends) < 4 * min_length))
        for index in short.tolist():
            kept[index] = len(_cut(self._names, self._name_ends, index)) >= min_length
        return np.flatnonzero(kept)

    def to_columns(self) -> Dict[str, Any]:
        """Return the columns as arrays, and what else there is as values of JSON."""
        return {
            "labels": self.labels,
            "sources": [asdict(source) for source in self.sources],
            "rules": self.rules,
            "names": np.frombuffer(self._names, dtype=np.uint8),
            "name_ends": self._name_ends,
            "ids": np.frombuffer(self._ids, dtype=np.uint8),
            "id_ends": self._id_ends,
            "label_of": self._label_of,
            "flags": self.flags,
        }

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> "TermTable":
        """Rebuild a table from what `to_columns` gave."""
        sources = [SourceInfo(**source) for source in columns["sources"]]
        table = cls(sources=sources, rules=columns["rules"])
        table.labels = list(columns["labels"])
        table._names, table._ids = memoryview(columns["names"]), memoryview(columns["ids"])
        table._name_ends, table._id_ends = columns["name_ends"], columns["id_ends"]
        table._label_of, table.flags = columns["label_of"], columns["flags"]
        return table


def read_old_columns(columns: Mapping[str, Any]) -> Iterator[Term]:
    """Read the terms of columns as they were before the `.gaz` form: two long strings."""
    name_ends, id_ends = (
        np.frombuffer(columns[key], dtype="<i8") for key in ("name_ends", "id_ends")
    )
    label_of = np.frombuffer(columns["label_of"], dtype="<u2")
    flags = np.frombuffer(columns["flags"], dtype=np.uint8)
    for index in range(len(flags)):
        yield Term(
            name=columns["names"][name_ends[index] : name_ends[index + 1]],
            label=columns["labels"][label_of[index]],
            id=columns["ids"][id_ends[index] : id_ends[index + 1]],
            case=CASES[int(flags[index]) & _CASE_MASK],
            tokens=bool(flags[index] & TOKENS_FLAG),
        )


def _find_flags(name: str, case: str, tokens: bool) -> int:
    # A name of small letters has nothing to be sensitive about, and most are.
    exact = case == "exact" or (
        case == "auto" and not name.islower() and is_case_sensitive(Term(name, "", case=case))
    )
    ragged = any(edge_hyphens(simplify_text(name)))
    return CASES.index(case) + TOKENS_FLAG * tokens + _EXACT_FLAG * exact + RAGGED_FLAG * ragged


def _join(texts: Sequence[str]) -> Tuple[memoryview, NDArray[Any]]:
    """Join texts in UTF-8; where each ends, behind a zero."""
    joined = "".join(texts)
    if joined.isascii():
        sizes: Iterable[int] = map(len, texts)
    else:
        sizes = (len(text.encode(_CODEC, _ERRORS)) for text in texts)
    ends = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(sizes, dtype=np.int64, count=len(texts)), out=ends[1:])
    kind = "<u4" if ends[-1] < 1 << 32 else "<u8"
    return memoryview(joined.encode(_CODEC, _ERRORS)), ends.astype(kind)


def _cut(joined: memoryview, ends: NDArray[Any], index: int) -> str:
    return str(joined[ends[index] : ends[index + 1]], _CODEC, _ERRORS)
