"""What readers have to say of a file: warnings, and keys that they do not read.

They leave it in `Record.reading_notes`, so that records can be streamed and a choice of documents
has the notes of these; `ReadingNotes` gathers it again. The numbers there are for the account of a
conversion.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, List, Mapping

from spacy_bioner.records import Note, Record

OTHERS_KEY = "files_of_other_formats_skipped"
STRAYS_KEY = "texts_without_annotations_skipped"
STRAY_NAMES_KEY = "texts_without_annotations"
OVERRULED_KEY = "claimed_texts_overruled"
WARNING_KEY = "reader_warning"
UNREAD_PREFIX = "not read: "
_NAMED_DOCUMENTS = 10
_LISTED_KEYS = 20
# What a reader leaves out that somebody may have meant as the annotation.
_LEFT_OUT = {
    "annotations_skipped": "annotations",
    "document_labels_skipped": "labels of documents",
    "regions_skipped": "regions that are no text spans",
    "rejected_skipped": "rejected documents",
}


def add_warning(record: Record, message: str) -> Record:
    """Note a warning on a document; the message must be the same for all documents it is of."""
    earlier = record.reading_notes.get(WARNING_KEY)
    return add_note(record, WARNING_KEY, f"{earlier}\n{message}" if earlier else message)


def add_note(record: Record, key: str, value: Note) -> Record:
    """Note a number or a text on a document; 0 and "" are not worth a note."""
    notes = {**record.reading_notes, key: value}
    return replace(record, reading_notes=notes) if value else record


def note_counts(counts: Mapping[str, int]) -> Dict[str, Note]:
    """Return the notes of numbers by name, without those that are 0."""
    return {key: number for key, number in counts.items() if number}


def note_unread(keys: Iterable[str]) -> Dict[str, Note]:
    """Return the notes for keys of a document that are not read."""
    return {f"{UNREAD_PREFIX}{key}": 1 for key in keys}


def list_counts(record: Record) -> Dict[str, int]:
    """List the numbers that a reader noted on a document, by name."""
    return {key: value for key, value in record.reading_notes.items() if isinstance(value, int)}


@dataclass
class ReadingNotes:
    """Gathers what the readers noted.

    documents (int): How many were read.
    mentions (int): Their mentions.
    """

    documents: int = 0
    mentions: int = 0
    _unread: Counter[str] = field(default_factory=Counter)
    _left_out: Counter[str] = field(default_factory=Counter)
    _warned: Dict[str, List[str]] = field(default_factory=dict)
    _numbers: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Take the notes of one more document."""
        self.documents += 1
        self.mentions += len(record.mentions)
        for key, number in list_counts(record).items():
            if key.startswith(UNREAD_PREFIX):
                self._unread[key.removeprefix(UNREAD_PREFIX)] += 1
            elif key in _LEFT_OUT:
                self._left_out[_LEFT_OUT[key]] += number
        warnings = str(record.reading_notes.get(WARNING_KEY, ""))
        for message in filter(None, warnings.split("\n")):
            named = self._warned.setdefault(message, [])
            self._numbers[message] += 1
            if len(named) < _NAMED_DOCUMENTS:
                named.append(record.id)

    def list_warnings(self) -> List[str]:
        """List the warnings, each with its documents, and whether nothing was found at all."""
        found = [f"{message} ({self._name(message)})" for message in self._warned]
        if self.documents and not self.mentions:
            reasons = "; ".join(filter(None, (self._list_unread(), self._list_left_out())))
            found += [f"no mention in any document: {reasons}"] if reasons else []
        return found

    def _list_unread(self) -> str:
        keys = sorted(self._unread)
        more = f" and {len(keys) - _LISTED_KEYS} more" if len(keys) > _LISTED_KEYS else ""
        return f"keys not read: {', '.join(keys[:_LISTED_KEYS])}{more}" if keys else ""

    def _list_left_out(self) -> str:
        numbers = [f"{name} {number:,}" for name, number in sorted(self._left_out.items())]
        return f"left out: {', '.join(numbers)}" if numbers else ""

    def _name(self, message: str) -> str:
        named, number = self._warned[message], self._numbers[message]
        more = f" and {number - len(named):,} more" if number > len(named) else ""
        return f"{'document' if number == 1 else 'documents'} {', '.join(named)}{more}"
