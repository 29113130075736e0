"""Tables of mentions: a row for each, with its document, label and offsets.

    document_id	text	entity_type	spans
    7	aspirin	Drug	8-15

Offsets stand in one cell ("8-15", "0-4;9-12", "[(8, 15)]") or in two. Ends are those of the mention
or its last characters, whichever its length says in all rows. The text of a document stands in a
column of the table, in `texts`, or in a file ID.txt beside the table; without it nothing can be
read. Documents come in the order of their first mention.
"""

import re
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.concept_ids import split_concept_ids
from spacy_bioner.corpora.formats.declaration import CorpusReader, Format
from spacy_bioner.corpora.formats.read_errors import (
    ANNOTATION,
    DOCUMENT,
    ReadErrors,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.standoff.brat import choose_text
from spacy_bioner.corpora.formats.standoff.mention_columns import (
    StandoffColumns,
    find_row_columns,
    find_standoff_columns,
)
from spacy_bioner.corpora.formats.standoff.paired_files import (
    PARTING_FOLDERS,
    TEXT_ENDING,
    note_strays,
    read_whole,
)
from spacy_bioner.corpora.formats.tagged.csv_cells import read_cells
from spacy_bioner.corpora.mention_checks import join_pieces, settle_claim
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file, read_lines
from spacy_bioner.records import Fragment, Mention, Record

_SPANS = re.compile(r"[\d\s\[\](){},;:|.–-]+")
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_HEADER = frozenset(("text", "title", "abstract", "note", "note_text", "notes"))
_HOW = "give them with --texts: a folder of ID.txt files, or a corpus file that has these documents"


@dataclass
class _Row:
    document: str
    line: int
    label: str
    pieces: List[Fragment]
    surface: str
    concepts: Tuple[str, ...]
    text: Optional[str]
    is_named: bool


def read_standoff(
    path: PathLike,
    *,
    texts: Optional[PathLike] = None,
    read_corpus: Optional[CorpusReader] = None,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream the documents of a table of mentions.

    texts (Optional[PathLike]): Where the documents' texts are: a folder of ID.txt files, or a
        corpus in any format, of which the texts are taken.
    read_corpus (Optional[CorpusReader]): Reads such a corpus; None takes a table of texts only.
    RAISES (CorpusError): No texts, or not that of each document; a malformed row; no row.
    """
    path = check_is_file(path)
    rows = _read_rows(path, problems)
    if not rows:
        raise CorpusError("found no mention, expected rows below a header", path=path, line=1)
    if _have_last_characters(rows):
        for row in rows:
            row.pieces = [(start, end + 1) for start, end in row.pieces]
    documents: Dict[str, List[_Row]] = {}
    for row in rows:
        documents.setdefault(row.document, []).append(row)
    known = _find_texts(path, documents, texts, read_corpus)
    strays = sorted(known.keys() - documents.keys())
    yield from note_strays(_make_records(path, documents, known, problems), strays)


def _make_records(
    path: Path,
    documents: Dict[str, List[_Row]],
    known: Dict[str, str],
    problems: Optional[ReadErrors],
) -> Iterator[Record]:
    for number, (name, found) in enumerate(documents.items(), start=1):
        text = known.get(name)
        if text is None:
            message = f"found no text of document {name}; {_HOW}"
            error = CorpusError(message, path=path, line=found[0].line)
            skip_or_raise(error, DOCUMENT, problems)
            continue
        yield _make_record(name if found[0].is_named else str(number), text, found)


def _read_rows(path: Path, problems: Optional[ReadErrors]) -> List[_Row]:
    cells = read_cells(path, problems=problems)
    _, header = next(cells, (1, []))
    columns = find_row_columns(header)
    if columns is not None:
        cells = chain([(1, header)], cells)
    else:
        columns = find_standoff_columns(header)
    if columns is None:
        found = ", ".join(header)[:200]
        message = (
            f"found the columns {found}, expected some for the document, the label and the offsets "
            "of mentions (document_id, entity_type, spans; or start and end)"
        )
        raise CorpusError(message, path=path, line=1)
    rows: List[_Row] = []
    for line, row in cells:
        try:
            if len(row) != len(header):
                message = f"found {len(row)} cells, expected {len(header)} as in the header"
                raise CorpusError(message, path=path, line=line)
            columns = _settle_text_column(columns, row)
            rows.append(_read_row(row, columns, path, line))
        except CorpusError as error:
            skip_or_raise(error, ANNOTATION, problems)
    return rows


def _settle_text_column(columns: StandoffColumns, row: List[str]) -> StandoffColumns:
    """Tell by the first row whether a column "text" has mentions or whole texts."""
    if columns.either is None:
        return columns
    if columns.surface is None:
        pieces = _read_pieces(row, columns)
        length, reach = len(row[columns.either].strip()), max((end for _, end in pieces), default=0)
        if length <= sum(end - start + 1 for start, end in pieces) or length < reach:
            return replace(columns, surface=columns.either, either=None)
    text = columns.text if columns.text is not None else columns.either
    return replace(columns, text=text, either=None)


def _read_row(row: List[str], columns: StandoffColumns, path: Path, line: int) -> _Row:
    def cell(place: Optional[int]) -> str:
        return "" if place is None else row[place].strip()

    text = None if columns.text is None else row[columns.text]
    name = cell(columns.document).removesuffix(TEXT_ENDING)
    document = name or text or ""
    pieces = _read_pieces(row, columns)
    label = cell(columns.label)
    if not pieces or any(start > end for start, end in pieces) or not label or not document:
        found = " ".join(row)[:60]
        message = (
            f"found {found!r}, expected a document, a label and offsets such as 8-15 or 0-4;9-12"
        )
        raise CorpusError(message, path=path, line=line)
    concepts = split_concept_ids(cell(columns.concepts))
    return _Row(document, line, label, pieces, cell(columns.surface), concepts, text, bool(name))


def _read_pieces(row: List[str], columns: StandoffColumns) -> List[Fragment]:
    if columns.spans is not None:
        offsets = row[columns.spans]
    else:
        offsets = f"{row[columns.start or 0]} {row[columns.end or 0]}"
    numbers = [int(number) for number in _NUMBER.findall(offsets)]
    if not _SPANS.fullmatch(offsets) or len(numbers) % 2:
        return []
    return list(zip(numbers[::2], numbers[1::2]))


def _have_last_characters(rows: List[_Row]) -> bool:
    """Tell whether ends are the last characters: every mention is one longer than its offsets."""
    whole = [row for row in rows if row.surface and len(row.pieces) == 1]
    return bool(whole) and all(
        len(row.surface) == row.pieces[0][1] - row.pieces[0][0] + 1 for row in whole
    )


def _find_texts(
    path: Path,
    documents: Dict[str, List[_Row]],
    texts: Optional[PathLike],
    read_corpus: Optional[CorpusReader],
) -> Dict[str, str]:
    if texts is not None and Path(texts).is_dir():
        found = _read_folder(Path(texts), None)
        if not found:
            message = "found no .txt file, expected one for each document, named by its id"
            raise CorpusError(message, path=texts)
        return found
    if texts is not None:
        found = _read_table(Path(texts), documents)
        if found:
            return found
        if read_corpus is None:
            message = (
                "found no table of ids and texts; a corpus as texts is read by `read_corpus` and "
                "commands, the reader of a format alone wants a function for it, read_corpus=…"
            )
            raise CorpusError(message, path=texts)
        return {record.id: record.text for record in read_corpus(texts)}
    own = {name: row.text for name, rows in documents.items() for row in rows if row.text}
    folders = [path.parent, *_list_parting(path.parent), *_list_parting(path.parent.parent)]
    for folder in folders if not own else ():
        own = _read_folder(folder, documents)
        if own:
            break
    if not own:
        message = f"found a table of mentions without the texts of its documents; {_HOW}"
        raise CorpusError(message, path=path, line=1)
    return own


def _read_table(path: Path, documents: Dict[str, List[_Row]]) -> Dict[str, str]:
    """Read the texts of a table without a header, id, title, abstract; empty for another file.

    One character stands between title and abstract.
    """
    found: Dict[str, str] = {}
    for _, line in read_lines(path):
        name, *parts = line.split("\t")
        if not line.strip():
            continue
        has_header = not found and not _HEADER.isdisjoint(part.strip().lower() for part in parts)
        if not parts or has_header:
            return {}
        found[name] = " ".join(parts)
    return found if found.keys() & documents.keys() else {}


def _list_parting(folder: Path) -> List[Path]:
    return [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name.lower() in PARTING_FOLDERS]


def _read_folder(folder: Path, wanted: Optional[Dict[str, List[_Row]]]) -> Dict[str, str]:
    """Read the texts of a folder by the names of their files, all or those that are wanted."""
    files = folder.rglob(f"*{TEXT_ENDING}") if wanted is None else folder.glob(f"*{TEXT_ENDING}")
    return {
        file.stem: read_whole(file)
        for file in sorted(files)
        if not file.name.startswith(".") and (wanted is None or file.stem in wanted)
    }


def _make_record(name: str, text: str, rows: List[_Row]) -> Record:
    mentions: List[Mention] = []
    for row in rows:
        pieces = join_pieces(row.pieces)
        mention = Mention(
            pieces[0][0],
            pieces[-1][1],
            row.label,
            row.surface,
            row.concepts,
            fragments=pieces if len(pieces) > 1 else (),
            line=row.line,
        )
        mentions.append(mention)
    text = choose_text(text, mentions, [row.pieces for row in rows])
    settled = (settle_claim(m, row.pieces, text) for m, row in zip(mentions, rows, strict=True))
    return Record(name, text, tuple(settled))


FORMAT = Format(
    "standoff",
    "table of mentions: a document, a label and offsets in each row",
    read_standoff,
    reads_corpora=True,
    options=frozenset(("texts",)),
)
