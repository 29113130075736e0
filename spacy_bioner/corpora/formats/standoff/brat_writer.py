"""Writing brat standoff, and what the format is; see `brat` for its form."""

from pathlib import Path
from typing import Iterable, Iterator

from spacy_bioner.corpora.formats.capabilities import (
    ATTRIBUTES,
    CLAIMED_TEXT,
    CONCEPT_IDS,
    DUPLICATES,
    FRAGMENTS,
    LINE_BREAKS,
    MENTIONS,
    OVERLAPS,
)
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.standoff.brat import (
    BLANKS,
    ENDING,
    EVENT,
    NO_RESOURCE,
    choose_text,
    read_brat,
)
from spacy_bioner.corpora.formats.standoff.paired_files import (
    BYTE_ORDER_MARK,
    writing_pairs,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record


def write_brat(records: Iterable[Record], folder: PathLike) -> int:
    """Write a .txt and an .ann file for each record, named by its id, into a new folder.

    Claimed texts get a space for each line break; reading puts those of the text itself back.
    RETURNS (int): The number of documents.
    RAISES (CorpusError): A folder that has files, an id that cannot name a file or stands twice, a
        label or attribute with white space, which the format cannot have.
    """
    with writing_pairs(folder, ENDING) as writer:
        for record in records:
            text = _text_to_write(record, Path(folder))
            writer.write(record.id, text, list(_format(record, Path(folder))))
        return writer.count


def _text_to_write(record: Record, folder: Path) -> str:
    """Return what the reader takes for the record's text: a mark that belongs to it needs another
    before it where no mention counts it."""
    for text in (record.text, BYTE_ORDER_MARK + record.text):
        if choose_text(text, record.mentions) == record.text:
            return text
    message = (
        f"document {record.id}: found mentions that fit the text only with other line ends, "
        "expected offsets that count CR LF as two; correct the offsets first"
    )
    raise CorpusError(message, path=folder)


def _format(record: Record, folder: Path) -> Iterator[str]:
    counts = dict.fromkeys("TEAN", 0)

    def number(kind: str) -> str:
        counts[kind] += 1
        return f"{kind}{counts[kind]}"

    for mention in record.mentions:
        key = number("T")
        surface = mention.text or mention.covered(record.text)
        _check(mention, record, folder)
        offsets = ";".join(f"{start} {end}" for start, end in mention.pieces)
        yield f"{key}\t{mention.label} {offsets}\t{surface.translate(BLANKS)}"
        for name, value in mention.attributes:
            if name == EVENT:
                yield f"{number('E')}\t{value}:{key}"
            else:
                yield f"{number('A')}\t{name} {key}" + ("" if value == "true" else f" {value}")
        for concept in mention.concept_ids:
            mark = "" if ":" in concept and not concept.startswith(NO_RESOURCE) else NO_RESOURCE
            yield f"{number('N')}\tReference {key} {mark}{concept}\t{surface.translate(BLANKS)}"


def _check(mention: Mention, record: Record, folder: Path) -> None:
    names = [mention.label, *(name for name, _ in mention.attributes)]
    values = [*(value for _, value in mention.attributes), *mention.concept_ids]
    events = [value for name, value in mention.attributes if name == EVENT]
    for name in (*names, *events):
        if not name or any(char.isspace() for char in name):
            message = (
                f"document {record.id}: found the name {name!r}, expected one without white space; "
                "rename labels with --label-map"
            )
            raise CorpusError(message, path=folder)
    for value in values:
        if not value or value != value.strip() or any(char in value for char in "\t\n\r"):
            message = f"document {record.id}: found the value {value!r}, expected one line of text"
            raise CorpusError(message, path=folder)


FORMAT = Format(
    "brat",
    "brat standoff: a folder of .txt and .ann files",
    read_brat,
    write_brat,
    carried=frozenset(
        (
            MENTIONS,
            FRAGMENTS,
            CONCEPT_IDS,
            ATTRIBUTES,
            OVERLAPS,
            DUPLICATES,
            CLAIMED_TEXT,
            LINE_BREAKS,
        )
    ),
    is_folder=True,
    folder_endings=(ENDING,),
)
