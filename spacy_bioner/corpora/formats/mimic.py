"""Clinical notes in a table: NOTEEVENTS.csv of MIMIC-III, or any table with a column of texts.

Cells are separated by what the header has most of: commas, tabs, semicolons or bars. See
`csv_cells` for quotation marks.

There is no gold in them. A note's category, dates and other columns become `Record.meta`; its
sections start at headings: a few words and a colon at the start of a line, or a line in capitals.
Rows that MIMIC-III marks as erroneous (ISERROR) are left out and counted in
`reading_notes["erroneous_notes_skipped"]` of the record before them, or the first one.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.capabilities import LINE_BREAKS, META, SECTIONS
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import (
    DOCUMENT,
    ReadErrors,
    at_least_one,
    note_skipped,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.reading_notes import note_unread
from spacy_bioner.corpora.formats.tagged.csv_cells import read_cells
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.formula_cells import CsvRows
from spacy_bioner.files.lines import PathLike, check_is_file
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record

SKIPPED_KEY = "erroneous_notes_skipped"
_TEXT_NAMES = ("text", "note_text", "note", "notes", "section_text", "transcription")
_ID_NAMES = ("row_id", "note_id", "id", "encounter_id", "document_id", "doc_id")
_SECTION_NAMES = ("section_header", "section")
# Annotation of some kind, which is kept as it stands and not read.
_LABEL_NAMES = frozenset(
    (
        "label",
        "labels",
        "entity",
        "entities",
        "annotation",
        "annotations",
        "spans",
        "tag",
        "tags",
        "ner",
        "ner_tags",
        "mention",
        "mentions",
        "concept",
        "concepts",
    )
)
_NOTEEVENTS = (
    "subject_id",
    "hadm_id",
    "chartdate",
    "charttime",
    "storetime",
    "category",
    "description",
    "cgid",
)
# No more than six words at the start of a line. With capitals ("Chief Complaint: pain") anything
# may follow the colon; without ("Chief complaint:") the line must end there, because sentences
# have colons as well. In capitals alone it needs none ("CHIEF COMPLAINT").
_CAPITALISED = r"(?:[A-Z(][A-Za-z/&'()-]*|of|and|on|in|the|to|with|for|at|or|up)"
_WORD = r"[A-Za-z/&'()-]+"
_HEADING = re.compile(
    rf"^[ \t]*(?P<title>[A-Z][A-Za-z/&'()-]*(?:[ ,]+{_CAPITALISED}){{0,5}})[ \t]*:(?!//)"
    rf"|^[ \t]*(?P<line>[A-Z][A-Za-z/&'()-]*(?:[ ,]+{_WORD}){{0,5}})[ \t]*:[ \t]*\r?$"
    r"|^[ \t]*(?P<capitals>[A-Z]{2}[A-Z/&'() -]{2,50}?)[ \t]*\r?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class NoteColumns:
    """The columns of a table of notes, by name; None finds a usual one.

    text (Optional[str]): The note.
    id (Optional[str]): Its identifier; without one notes are numbered.
    section (Optional[str]): The name of the section that the note is.
    """

    text: Optional[str] = None
    id: Optional[str] = None
    section: Optional[str] = None


@dataclass(frozen=True)
class _Table:
    header: List[str]
    text: int
    id: Optional[int]
    section: Optional[int]


_DEFAULT = NoteColumns()


def read_mimic(
    path: PathLike,
    *,
    columns: NoteColumns = _DEFAULT,
    erroneous: bool = False,
    encoding: str = "utf-8",
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream the notes of a table with a header.

    erroneous (bool): Keep notes that are marked as errors.
    encoding (str): Of the file.
    YIELDS (Record): Without mentions; meta keys are the column names in small letters.
    RAISES (CorpusError): No such column, a malformed row (with the line where it starts), or no
        note at all.
    """
    path = check_is_file(path)
    rows = read_cells(path, encoding=encoding, problems=problems)
    _, header = next(rows, (1, []))
    table = _find_columns([name.strip().lower() for name in header], columns, path)
    notes = _make_records(rows, table, path, erroneous, problems)
    error = CorpusError("found no note, expected rows below a header", path=path, line=1)
    yield from at_least_one(note_skipped(notes, SKIPPED_KEY), error)


def write_mimic(records: Iterable[Record], path: PathLike) -> int:
    """Write texts with the columns of NOTEEVENTS.csv, and what else is in `meta` as JSON in one
    more column, META. Mentions have no place in it; sections are found in the text again.

    RETURNS (int): The number of notes.
    RAISES (CorpusError): A text with a NUL character, which tables cannot hold.
    """
    count = 0
    names = [name.upper() for name in _NOTEEVENTS]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        header = ["ROW_ID", *names, "ISERROR", "META", "TEXT"]
        rows = CsvRows(file, header, quoting=csv.QUOTE_ALL)
        for record in records:
            if "\0" in record.text:
                message = f"document {record.id}: found a NUL character, which a table cannot hold"
                raise CorpusError(message, path=path)
            meta = dict(record.meta)
            known = [meta.pop(name, "") for name in _NOTEEVENTS]
            rest = json.dumps(meta, ensure_ascii=False) if meta else ""
            rows.write([record.id, *known, "", rest, record.text])
            count += 1
    rows.warn(path)
    return count


def find_sections(text: str) -> Tuple[Tuple[str, int, int], ...]:
    """Find the sections of a note: from a heading up to the next one.

    RETURNS (Tuple[Tuple[str, int, int], ...]): Name in small letters, start, end; text before the
        first heading is "preamble". Empty without any heading.
    """
    found = ((m[m.lastgroup or 0], m.start(m.lastgroup or 0)) for m in _HEADING.finditer(text))
    starts = [(" ".join(heading.lower().split()), start) for heading, start in found]
    if not starts:
        return ()
    if text[: starts[0][1]].strip():
        starts.insert(0, ("preamble", 0))
    ends = [start for _, start in starts[1:]] + [len(text)]
    return tuple((name, start, end) for (name, start), end in zip(starts, ends, strict=True))


def _find_columns(header: List[str], columns: NoteColumns, path: Path) -> _Table:
    def find(wanted: Optional[str], usual: Tuple[str, ...]) -> Optional[int]:
        names = usual if wanted is None else (wanted.strip().lower(),)
        return next((header.index(name) for name in names if name in header), None)

    text = find(columns.text, _TEXT_NAMES)
    table = _Table(
        header,
        -1 if text is None else text,
        find(columns.id, _ID_NAMES),
        find(columns.section, _SECTION_NAMES),
    )
    asked = (
        (columns.text or "text", text),
        (columns.id, table.id),
        (columns.section, table.section),
    )
    for name, position in asked:
        if name is not None and position is None:
            found = ", ".join(header)[:200] or "no header"
            message = f"found the columns {found}, expected one named {name!r}; name the column"
            raise CorpusError(message, path=path, line=1)
    return table


def _is_erroneous(table: _Table, row: List[str]) -> bool:
    return "iserror" in table.header and row[table.header.index("iserror")].strip() == "1"


def _make_records(
    rows: Iterator[Tuple[int, List[str]]],
    table: _Table,
    path: Path,
    erroneous: bool,
    problems: Optional[ReadErrors],
) -> Iterator[Optional[Record]]:
    for number, (line, row) in enumerate(rows, start=1):
        if len(row) != len(table.header):
            message = f"found {len(row)} cells, expected {len(table.header)} as in the header"
            skip_or_raise(CorpusError(message, path=path, line=line), DOCUMENT, problems)
        elif not erroneous and _is_erroneous(table, row):
            yield None
        else:
            yield _make_record(table, row, str(number), path, line)


def _make_record(table: _Table, row: List[str], number: str, path: Path, line: int) -> Record:
    text = row[table.text]
    meta: Dict[str, str] = {}
    unread: List[str] = []
    for position, (name, cell) in enumerate(zip(table.header, row, strict=True)):
        if position in (table.text, table.id, table.section) or not cell.strip():
            continue
        if name == "meta":
            meta.update(_read_meta(cell, path, line))
        elif name:
            meta[name] = cell.strip()
            unread += [name] if name in _LABEL_NAMES else []
    sections = find_sections(text)
    if table.section is not None and row[table.section].strip():
        sections = ((row[table.section].strip().lower(), 0, len(text)),)
    # As it stands, blanks at its ends included: it is what other files call the document.
    identifier = "" if table.id is None else row[table.id]
    return Record(
        identifier if identifier.strip() else number,
        text,
        sections=sections,
        meta=meta,
        reading_notes=note_unread(unread),
    )


def _read_meta(cell: str, path: Path, line: int) -> Dict[str, str]:
    try:
        data = json.loads(cell)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return {"meta": cell.strip()}
    return {str(key): str(value) for key, value in data.items()}


FORMAT = Format(
    "mimic",
    "MIMIC-III's NOTEEVENTS.csv, or another table of notes",
    read_mimic,
    write_mimic,
    carried=frozenset((META, LINE_BREAKS)),
    file_ending=".csv",
    options=frozenset(("columns", "encoding")),
    derives=frozenset((SECTIONS,)),
)
