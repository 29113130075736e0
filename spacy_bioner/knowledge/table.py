"""A term table in columns: compact in memory, quick to write and read, free of pickle."""

from typing import Any, Dict, Iterable, Iterator, List, Tuple

import numpy as np
from numpy.typing import NDArray

from spacy_bioner.knowledge.terms import CASES, Term, is_case_sensitive

_CASE_MASK, _TOKENS_FLAG, _EXACT_FLAG = 3, 4, 8


class TermTable:
    """An immutable sequence of distinct terms.

    Names and identifiers lie end to end in one string each, so that a table of a million terms
    is a handful of objects: nothing is parsed when it is loaded, and a term is cut out when
    somebody asks for it.
    """

    def __init__(self, terms: Iterable[Term] = ()) -> None:
        unique = list(dict.fromkeys(terms))
        self.labels: List[str] = sorted({term.label for term in unique})
        label_index = {label: index for index, label in enumerate(self.labels)}
        self._names, self._name_ends = _join([term.name for term in unique])
        self._ids, self._id_ends = _join([term.id for term in unique])
        self._label_of = np.array([label_index[term.label] for term in unique], dtype=np.uint16)
        self._flags = np.array(
            [
                CASES.index(term.case)
                + _TOKENS_FLAG * term.tokens
                + _EXACT_FLAG * is_case_sensitive(term)
                for term in unique
            ],
            dtype=np.uint8,
        )

    def __len__(self) -> int:
        return len(self._flags)

    def __getitem__(self, index: int) -> Term:
        flags = int(self._flags[index])
        return Term(
            name=_cut(self._names, self._name_ends, index),
            label=self.labels[self._label_of[index]],
            id=_cut(self._ids, self._id_ends, index),
            case=CASES[flags & _CASE_MASK],
            tokens=bool(flags & _TOKENS_FLAG),
        )

    def __iter__(self) -> Iterator[Term]:
        return (self[index] for index in range(len(self)))

    @property
    def all_names(self) -> str:
        """All names without anything between them."""
        return self._names

    def rule(self, index: int) -> Tuple[str, bool, bool]:
        """Return what a comparison needs of a term: name, case sensitivity, `tokens`."""
        flags = int(self._flags[index])
        name = _cut(self._names, self._name_ends, index)
        return name, bool(flags & _EXACT_FLAG), bool(flags & _TOKENS_FLAG)

    def to_columns(self) -> Dict[str, Any]:
        """Return the columns as strings, lists of strings and little-endian bytes."""
        return {
            "labels": self.labels,
            "names": self._names,
            "name_ends": self._name_ends.tobytes(),
            "ids": self._ids,
            "id_ends": self._id_ends.tobytes(),
            "label_of": self._label_of.tobytes(),
            "flags": self._flags.tobytes(),
        }

    @classmethod
    def from_columns(cls, columns: Dict[str, Any]) -> "TermTable":
        """Rebuild a table from what `to_columns` gave."""
        table = cls()
        table.labels = list(columns["labels"])
        table._names, table._ids = columns["names"], columns["ids"]
        table._name_ends = np.frombuffer(columns["name_ends"], dtype="<i8")
        table._id_ends = np.frombuffer(columns["id_ends"], dtype="<i8")
        table._label_of = np.frombuffer(columns["label_of"], dtype="<u2")
        table._flags = np.frombuffer(columns["flags"], dtype="<u1")
        return table


def _join(texts: List[str]) -> Tuple[str, NDArray[np.int64]]:
    ends = np.cumsum([0, *(len(text) for text in texts)], dtype="<i8")
    return "".join(texts), ends


def _cut(joined: str, ends: NDArray[np.int64], index: int) -> str:
    return joined[ends[index] : ends[index + 1]]
