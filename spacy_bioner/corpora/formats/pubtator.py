"""PubTator: title and abstract lines, then one tab-separated line per mention.

    227508|t|Naloxone reverses the antihypertensive effect of clonidine.
    227508|a|In unanesthetized, …
    227508	0	8	Naloxone	Chemical	D009270

Offsets count characters of the title, one separator and the abstract. A mention has 5 columns
(no identifier), 6, or 7 (BC5CDR names the members of a coordination in the last one). Lines whose
second column is no number, such as `227508	CID	D008750	D007022`, are relations.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.capabilities import (
    CLAIMED_TEXT,
    CONCEPT_IDS,
    DUPLICATES,
    MENTIONS,
    OVERLAPS,
    SECTIONS,
)
from spacy_bioner.corpora.formats.concept_ids import join_concept_ids, split_concept_ids
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import (
    ANNOTATION,
    DOCUMENT,
    ReadErrors,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.corpora.formats.truncation import find_cut
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, decode_line, open_lines
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Mention, Note, Record

RELATIONS_KEY = "relations_skipped"
_HEADER = re.compile(r"\s*([^|\t\s][^|\t]*)\|([ta])\|(.*)", re.DOTALL)
_START = re.compile(r"[^|\t\n]+\|[ta]\|[^\n]*")
_NUMBER = re.compile(r"\s*\d{1,9}\s*", re.ASCII)
_MENTION_FORM = "id<TAB>start<TAB>end<TAB>text<TAB>type[<TAB>concept ids[<TAB>parts]]"
_BREAK = re.compile("[\n\r\t]")
_LINE_BREAKS = str.maketrans("\n\r\t", "   ")


@dataclass
class _PubtatorDocument:
    id: str
    title: str
    line: int
    abstract: Optional[str] = None
    mentions: List[Mention] = field(default_factory=list)
    columns: Dict[str, Note] = field(default_factory=dict)
    relations: int = 0
    is_broken: bool = False


def is_pubtator(head: str) -> bool:
    """Tell whether a text starts with the title or abstract of a document."""
    return _START.match(head) is not None


def read_pubtator(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Record]:
    """Stream the documents of a PubTator file, in its order; repeated identifiers are kept.

    path (Union[str, Path]): A UTF-8 file.
    problems (Optional[ReadErrors]): Takes note of malformed mention lines, and of documents with a
        malformed title or abstract line, which are then left out.
    YIELDS (Record): Text is title, one space and abstract (the title alone when the abstract is
        empty). `reading_notes["relations_skipped"]` counts relation lines. Columns that concept ids
        do not reproduce are in `reading_notes` under the mention's line, so that `write_pubtator`
        repeats them.
    RAISES (CorpusError): A malformed line, with its number; a file without any document; a last
        line that was cut, where that can be told: it has no line end, and fewer columns than all
        mentions before it, or the start of their label.
    """
    path = Path(path)
    document: Optional[_PubtatorDocument] = None
    found = 0
    with open_lines(path) as lines:
        for number, raw in enumerate(lines, start=1):
            line, fault = decode_line(raw)
            if not line.strip():
                continue
            header = _HEADER.fullmatch(line)
            unit = DOCUMENT if header or document is None else ANNOTATION
            if document is None or _starts_document(header, document):
                if document and not document.is_broken:
                    yield _to_record(document)
                is_title = header is not None and header[2] == "t"
                found += is_title
                document = _start(header, number) if header else _PubtatorDocument("", "", number)
                if not is_title:
                    fault = fault or f"found {_shorten(line)}, expected a title line `id|t|title`"
            elif not document.is_broken and not fault:
                is_open = header is None and not raw.endswith(b"\n")
                fault = find_cut(path, line) if is_open else ""
                fault = fault or _take(document, header, line, number)
            if fault and not document.is_broken:
                skip_or_raise(CorpusError(fault, path=path, line=number), unit, problems)
                document.is_broken = unit == DOCUMENT
    if document and not document.is_broken:
        yield _to_record(document)
    if not found:
        raise CorpusError("found no document, expected lines `id|t|title`", path=path, line=1)


def write_pubtator(records: Iterable[Record], path: PathLike) -> int:
    """Write records as PubTator, replacing the file only when all of them are written.

    A record without title and abstract sections goes into the title line as a whole. Line breaks
    and tabs become single spaces, which keeps offsets valid; the cover of a discontinuous mention
    is written, because the format has no fragments.

    RETURNS (int): The number of documents.
    RAISES (CorpusError): An identifier, label or concept id that would be read as something else.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            _check(record, path)
            file.write("\n".join(_format_record(record)))
            file.write("\n\n")
            count += 1
    return count


def find_pubtator_losses(record: Record) -> "Counter[str]":
    """Count the sections of a record that has others than a title and an abstract."""
    whole = record.sections and _split_text(record) == (record.text, "")
    others = [name for name, _, _ in record.sections if name not in ("title", "abstract")]
    if not others and not (whole and record.sections != _whole_title(record.text)):
        return Counter()
    return Counter({SECTIONS: len(others) or len(record.sections)})


def _starts_document(header: "Optional[re.Match[str]]", document: _PubtatorDocument) -> bool:
    """Tell whether a line starts a document: a title, or an abstract behind a whole document."""
    if header is None or header[2] == "t":
        return header is not None
    return document.abstract is not None and header[1].strip() != document.id


def _start(header: "re.Match[str]", line: int) -> _PubtatorDocument:
    return _PubtatorDocument(header[1].strip(), header[3], line)


def _take(
    document: _PubtatorDocument, header: "Optional[re.Match[str]]", line: str, number: int
) -> str:
    """Add a line to a document, or say what is wrong with it."""
    columns = [header[1]] if header else line.split("\t")
    name = columns[0].strip()
    if name != document.id:
        return (
            f"found a line of document {_shorten(name)}, expected one of document {document.id} "
            f"(its title is line {document.line})"
        )
    if header is None:
        return _add_row(document, columns, number)
    if document.abstract is not None:
        return f"found a second abstract of document {document.id}, expected at most one"
    document.abstract = header[3]
    return ""


def _add_row(document: _PubtatorDocument, columns: List[str], line: int) -> str:
    if len(columns) in (4, 5) and not columns[1].strip().isdigit():
        document.relations += 1
        return ""
    if len(columns) not in (5, 6, 7):
        return f"found {len(columns)} columns, expected 5 to 7: {_MENTION_FORM}"
    for name, value in (("start", columns[1]), ("end", columns[2])):
        if not _is_number(value):
            return f"found {name} offset {_shorten(value)}, expected a number: {_MENTION_FORM}"
    ids = columns[5] if len(columns) > 5 else ""
    mention = Mention(
        start_char=int(columns[1]),
        end_char=int(columns[2]),
        label=columns[4].strip(),
        text=columns[3],
        concept_ids=split_concept_ids(ids),
        line=line,
    )
    document.mentions.append(mention)
    if len(columns) > 5 and ids != join_concept_ids(mention.concept_ids):
        document.columns[_column_key(line, 6)] = ids
    if len(columns) > 6:
        document.columns[_column_key(line, 7)] = columns[6]
    return ""


def _is_number(value: str) -> bool:
    return len(value) < 20 and _NUMBER.fullmatch(value) is not None


def _shorten(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")


def _column_key(line: int, column: int) -> str:
    return f"line{line}.column{column}"


def _to_record(document: _PubtatorDocument) -> Record:
    title, abstract = document.title, document.abstract or ""
    text = f"{title} {abstract}" if abstract else title
    body_start = len(text) - len(abstract)
    return Record(
        id=document.id,
        text=text,
        mentions=tuple(document.mentions),
        sections=(("title", 0, len(title)), ("abstract", body_start, len(text))),
        reading_notes={**document.columns, **note_counts({RELATIONS_KEY: document.relations})},
    )


def _check(record: Record, path: PathLike) -> None:
    """Make sure that a record is read again as it is written."""
    header = _HEADER.fullmatch(f"{record.id}|t|")
    if header is None or header[1].strip() != record.id or "\n" in record.id:
        message = f"found document {record.id!r}, expected an identifier without | and white space"
        raise CorpusError(f"{message} at its ends; rename it first", path=path)
    for mention in record.mentions:
        fault = ""
        if mention.start_char < 0 or mention.end_char < 0:
            fault = f"offsets {mention.start_char} and {mention.end_char}, expected none below 0"
        elif _BREAK.search(mention.label) or mention.label.strip() != mention.label:
            fault = f"label {mention.label!r}, expected one without tabs and spaces at its ends"
        elif join_concept_ids(mention.concept_ids) is None or any(
            map(_BREAK.search, mention.concept_ids)
        ):
            ids = ", ".join(map(repr, mention.concept_ids))
            fault = f"concept ids {ids}, expected ids without separators (| , ; tab)"
        if fault:
            raise CorpusError(f"document {record.id}: found {fault}", path=path)


def _format_record(record: Record) -> Iterator[str]:
    title, abstract = _split_text(record)
    yield f"{record.id}|t|{title.translate(_LINE_BREAKS)}"
    yield f"{record.id}|a|{abstract.translate(_LINE_BREAKS)}"
    for mention in record.mentions:
        yield _format_mention(record, mention)


def _format_mention(record: Record, mention: Mention) -> str:
    covered = record.text[mention.start_char : mention.end_char]
    # What fragments claim is not what their cover holds, which is all that is written.
    surface = covered if mention.fragments else mention.text or covered
    ids = join_concept_ids(mention.concept_ids) or ""
    parts: Optional[Note] = None
    if mention.line is not None:
        column = str(record.reading_notes.get(_column_key(mention.line, 6), ids))
        # The record may come from elsewhere, or have got other ids.
        ids = column if split_concept_ids(column) == mention.concept_ids else ids
        parts = record.reading_notes.get(_column_key(mention.line, 7))
    columns = [
        record.id,
        str(mention.start_char),
        str(mention.end_char),
        surface.translate(_LINE_BREAKS),
        mention.label,
    ]
    if ids or parts is not None:
        columns.append(ids)
    if parts is not None:
        columns.append(str(parts))
    return "\t".join(columns)


def _whole_title(text: str) -> Tuple[Tuple[str, int, int], ...]:
    """Return the sections of a document that has nothing but a title."""
    return (("title", 0, len(text)), ("abstract", len(text), len(text)))


def _split_text(record: Record) -> Tuple[str, str]:
    text = record.text
    borders = {name: (start, end) for name, start, end in record.sections}
    if "title" in borders and "abstract" in borders:
        title_end, body_start = borders["title"][1], borders["abstract"][0]
        separator = text[title_end:body_start]
        is_split = borders["title"][0] == 0 and body_start < borders["abstract"][1] == len(text)
        if is_split and len(separator) == 1 and separator in " \n\r\t":
            return text[:title_end], text[body_start:]
    return text, ""


FORMAT = Format(
    "pubtator",
    "PubTator: id|t|title, id|a|abstract, tab-separated mentions",
    read_pubtator,
    write_pubtator,
    # Sections: a title and an abstract that one character separates; nothing else is carried.
    carried=frozenset((MENTIONS, CONCEPT_IDS, OVERLAPS, DUPLICATES, CLAIMED_TEXT, SECTIONS)),
    line_based=True,
    endings=(".pubtator", ".pubtator.txt"),
    name_part="pubtator",
    looks_like=is_pubtator,
    derives=frozenset((SECTIONS,)),
    losses=find_pubtator_losses,
)
