"""The UMLS Metathesaurus: MRCONSO.RRF, and beside it MRSTY.RRF with the semantic types."""

import re
from collections import Counter
from typing import Iterator, Tuple

from spacy_bioner.knowledge.sources.rows import (
    ABBREVIATION,
    EXACT,
    PREFERRED,
    SourceFile,
    SourceKind,
    TermRow,
)

CONSO, STY = "MRCONSO.RRF", "MRSTY.RRF"
_N_CELLS = 18
_START = re.compile(r"C\d{7}\|[A-Z]{3}\|(?:[^|\n]*\|){16}(?:\n|$)", re.MULTILINE)
_LANGUAGE = "ENG"
_PREFERRED = ("P", "PF", "Y")
_ABBREVIATIONS = ("AB", "ACR", "AA", "SB")
_LICENCE = "UMLS Metathesaurus License"
# Where one concept has several types, they are one label.
_JOINED = "+"


def looks_like_mrconso(head: str) -> bool:
    """Say whether a file that starts so is a MRCONSO.RRF."""
    return _START.match(head) is not None


def read_mrconso(source: SourceFile) -> Iterator[TermRow]:
    """Stream the English names that are not suppressed.

    The label is the semantic type where MRSTY.RRF lies beside, else empty. The licence tells how
    many names are under which restriction level, which is that of the vocabulary they come from.
    RAISES (TermTableError): Files of which one is not in the order of the concepts.
    """
    types = _SemanticTypes(source)
    levels: Counter[str] = Counter()
    for text in source.read_lines():
        cells = text.split("|")
        # Each line ends with a bar.
        if len(cells) != _N_CELLS + 1:
            source.skip(f"rows of other than {_N_CELLS} columns", text)
        elif cells[1] != _LANGUAGE:
            source.skip("names in other languages", cells[14])
        elif cells[16] not in ("N", ""):
            source.skip("suppressed names", cells[14])
        else:
            levels[cells[15]] += 1
            kind = PREFERRED if (cells[2], cells[4], cells[6]) == _PREFERRED else EXACT
            kind = ABBREVIATION if cells[12] in _ABBREVIATIONS else kind
            yield TermRow(cells[0], cells[14], types.find(cells[0]), kind)
    counted = ", ".join(f"level {level}: {count:,}" for level, count in sorted(levels.items()))
    source.licence = f"{_LICENCE} ({counted})" if counted else _LICENCE


class _SemanticTypes:
    """Reads MRSTY.RRF alongside: both files are in the order of the concepts."""

    def __init__(self, source: SourceFile) -> None:
        packing = source.path.name.partition(CONSO)[2] if CONSO in source.path.name else ""
        self._file = source.find_beside(STY + packing)
        self._rows = self._read(self._file) if self._file else iter(())
        self._next = next(self._rows, ("", ""))
        self._concept, self._label = "", ""

    def find(self, concept: str) -> str:
        """Return the label of a concept; concepts are asked for in their order."""
        if concept == self._concept:
            return self._label
        self._check_order(self._concept, concept)
        names = []
        while self._next[0] and self._next[0] <= concept:
            if self._next[0] == concept:
                names.append(self._next[1])
            before, self._next = self._next, next(self._rows, ("", ""))
            if self._next[0]:
                self._check_order(before[0], self._next[0])
        self._concept, self._label = concept, _JOINED.join(sorted(names))
        return self._label

    def _check_order(self, before: str, concept: str) -> None:
        if self._file and concept < before:
            message = f"found {concept} behind {before}; expected {CONSO} and {STY} in the order "
            raise self._file.error(f"{message}of the concepts; sort both by their first column")

    @staticmethod
    def _read(file: SourceFile) -> Iterator[Tuple[str, str]]:
        for text in file.read_lines():
            cells = text.split("|")
            if len(cells) > 3:
                yield cells[0], cells[3]


KIND = SourceKind(
    "mrconso",
    "UMLS (MRCONSO.RRF)",
    read_mrconso,
    looks_like_mrconso,
    licence=_LICENCE,
    url="https://www.nlm.nih.gov/research/umls/",
)
