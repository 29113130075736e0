"""Strict or lenient reading: a problem in a file raises, or is skipped and counted."""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, TypeVar

from spacy_bioner.corpora.formats.reading_notes import add_note
from spacy_bioner.errors import CorpusError
from spacy_bioner.printable import make_line
from spacy_bioner.records import Record

S = TypeVar("S")
T = TypeVar("T")
# Units that a reader can leave out, from the smallest: it skips no more than it must.
ANNOTATION, DOCUMENT, FILE = "annotation", "document", "file"


class ReadErrors:
    """What a lenient reader left out.

    skipped (Counter[str]): How many of each unit: "annotation", "document" or "file".
    messages (List[str]): The errors, each with its place; the first `keep` of them.
    """

    def __init__(self, *, keep: int = 1000) -> None:
        self.skipped: Counter[str] = Counter()
        self.messages: List[str] = []
        self.keep = keep

    def add(self, error: CorpusError, unit: str) -> None:
        """Count one unit that was left out."""
        self.skipped[unit] += 1
        if len(self.messages) < self.keep:
            self.messages.append(str(error))

    def count_documents(self) -> int:
        """Count what was left out that would have been a document, or a file of some."""
        return self.skipped[DOCUMENT] + self.skipped[FILE]

    def describe(self, shown: int = 10) -> str:
        """Say how many were left out, then the first errors, each on a line; "" for none."""
        if not self.skipped:
            return ""
        numbers = ", ".join(f"{unit} {number:,}" for unit, number in self.skipped.items())
        lines = map(make_line, self.messages[:shown])
        return "\n".join([f"skipped (--lenient): {numbers}", *lines])

    def to_json(self) -> Dict[str, Any]:
        """Return the numbers and messages as plain data."""
        return {"skipped": dict(sorted(self.skipped.items())), "messages": list(self.messages)}


def skip_or_raise(error: CorpusError, unit: str, problems: Optional[ReadErrors]) -> None:
    """Note what is left out, or raise the error when nobody takes note (`problems` is None)."""
    if problems is None:
        raise error
    problems.add(error, unit)


def read_each(
    items: Iterable[S],
    read: Callable[[S], T],
    problems: Optional[ReadErrors],
    *,
    unit: str = ANNOTATION,
) -> Iterator[T]:
    """Read annotations, or other units, one by one; a malformed one is left out where somebody
    takes note."""
    for item in items:
        try:
            value = read(item)
        except CorpusError as error:
            skip_or_raise(error, unit, problems)
        else:
            yield value


def note_skipped(records: Iterable[Optional[Record]], key: str) -> Iterator[Record]:
    """Leave out the Nones, and note their number on the record before them, or the first one.

    key (str): Under which key of `Record.reading_notes`.
    """
    held: Optional[Record] = None
    skipped = 0
    for record in records:
        if record is None:
            skipped += 1
        else:
            if held is not None:
                yield add_note(held, key, skipped)
                skipped = 0
            held = record
    if held is not None:
        yield add_note(held, key, skipped)


def at_least_one(records: Iterable[Record], error: CorpusError) -> Iterator[Record]:
    """Pass records on; raise the error where none came, even in lenient reading."""
    empty = True
    for record in records:
        empty = False
        yield record
    if empty:
        raise error
