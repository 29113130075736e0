"""CSV and other tables with a word and its tag in each row.

    Sentence #,Word,POS,Tag
    Sentence: 1,Thousands,NNS,O
    ,of,IN,O

The cell of a sentence (and of a document, where there is such a column) may stand in the first of
its rows only, or in each; empty rows end sentences too. Where neither parts any, the text is split
into sentences as this package does it, but not within a mention.

Cells are quoted by the rules of csv; a quotation mark that is not closed in its line, where the
line has all its cells without it, is a word or a part of one.
"""

from collections import Counter, deque
from operator import itemgetter
from pathlib import Path
from typing import (
    Any,
    Callable,
    Deque,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
)

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.tagged.rows import (
    CARRIED,
    Item,
    Sentence,
    document_id,
    find_conflict,
    make_records,
    split_sentences,
    tagged_words,
)
from spacy_bioner.corpora.formats.tagged.scheme_detection import TagSurvey
from spacy_bioner.corpora.formats.tagged.table_layout import (
    DELIMITERS,
    TableFormat,
    TableLayout,
    detect_table,
    split_row,
)
from spacy_bioner.errors import CorpusError, LabelError
from spacy_bioner.files.formula_cells import CsvRows
from spacy_bioner.files.lines import PathLike, decode_line, open_lines
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record
from spacy_bioner.tags import OUTSIDE, normalize_scheme, parse_tag

__all__ = ["FORMAT", "TableFormat", "TableLayout", "detect_table", "read_table", "write_table"]
HEADER = ("Document", "Sentence #", "Word", "Tag")
_LINE_BREAKS = str.maketrans("\n\r\t", "   ")
_PREFIXES = frozenset("BIELSU")
_DEFAULT_LAYOUT = TableLayout()
# The csv module's own limit for one cell: a quotation mark that is not closed reaches no further.
_MAX_ROW = 131_072
_Line = Tuple[int, str, str]


class TableRow(NamedTuple):
    """A row: its first line, its cells by role, what is wrong with it, and whether it is empty but
    for the document."""

    line: int
    word: str = ""
    tag: str = ""
    sentence: str = ""
    document: str = ""
    problem: str = ""
    is_blank: bool = False


def read_table(
    path: PathLike,
    layout: TableLayout = _DEFAULT_LAYOUT,
    *,
    encoding: Optional[str] = None,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream the documents of a table; without a document column each sentence is one.

    The text is the words joined by single spaces. Tags are read as in `read_conll`; tags that are
    bare labels ("Disease") make one mention of equal neighbours. A row with a document and nothing
    else names a document without words.

    problems (Optional[ReadErrors]): Takes note of sentences with a malformed row, which are left
        out: each is a document of its own, or an annotation in a table with a document column.
    YIELDS (Record): With `words` and `sentence_starts`. The identifier is the cell of the document
        or sentence; unnamed ones are numbered.
    RAISES (CorpusError): A malformed row, with its line; a header without the columns; no row.
    """
    path = Path(path)
    table = detect_table(path, layout, encoding=encoding)
    read_tag, scheme = _survey(path, table, layout, lenient=problems is not None)
    yield from make_records(
        _read_items(path, table, read_tag),
        path,
        scheme=scheme,
        has_documents=table.columns.document is not None,
        problems=problems,
    )


def write_table(
    docs: Iterable[Doc], path: PathLike, *, delimiter: str = ",", scheme: str = "IOB2"
) -> int:
    """Write the entities of Docs as rows of document, sentence, word and tag.

    The document column holds `doc.user_data["bioner_id"]`, else its number; sentences are numbered
    over the whole file, which keeps them apart without the document. Both stand in every row. A
    document without words is one row with its name. Tokens of white space are left out.

    RETURNS (int): The number of documents.
    RAISES (CorpusError): Two documents of one name in a row, which a table cannot keep apart.
    """
    if delimiter not in DELIMITERS:
        message = f"found delimiter {delimiter!r}, expected comma, tab, semicolon or |"
        raise CorpusError(message, path=path)
    count = sentences = 0
    previous = ""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = CsvRows(file, HEADER, delimiter=delimiter)
        for count, doc in enumerate(docs, start=1):
            name = document_id(doc, count)
            _check_name(name, previous)
            previous = name
            words = tagged_words(doc, scheme, name)
            if "\0" in doc.text or any("\0" in ent.label_ for ent in doc.ents):
                raise CorpusError(f"document {name}: found a NUL, expected none in a table")
            if not words:
                rows.write((name, "", "", ""))
            for border, word, tag in words:
                sentences += border
                rows.write((name, f"Sentence: {sentences}", word, tag))
    rows.warn(path)
    return count


def make_options(
    columns: Mapping[str, Any], scheme: Optional[str], label: str
) -> Dict[str, TableLayout]:
    """Make the reader's options of columns by what they hold."""
    return {"layout": TableLayout(**columns, scheme=scheme, label=label)}


def _check_name(name: str, previous: str) -> None:
    if not name or name != name.strip().translate(_LINE_BREAKS) or "\0" in name:
        message = f"found document identifier {name!r}, expected one line, no space around it"
        raise CorpusError(message)
    if name == previous:
        message = (
            f"found two documents {name!r} in a row, expected different ones: a table cannot keep "
            "them apart; write another format, or rename one"
        )
        raise CorpusError(message)


def _survey(
    path: Path, table: TableFormat, layout: TableLayout, *, lenient: bool
) -> Tuple[Callable[[str], str], str]:
    """Look at all tags once. RETURNS: What makes a cell a tag of the scheme, and the scheme."""
    survey = TagSurvey()
    kinds: Counter[str] = Counter()
    for item in _read_items(path, table, lambda cell: _add_label(cell, layout.label)):
        if isinstance(item, Sentence):
            kinds.update(map(_kind_of, item.tags))
            tags = (tag for tag in item.tags if _kind_of(tag) in ("outside", "prefixed"))
            survey.add(["", *tags, ""])
    if kinds["outside"] and kinds["bare"] > kinds["prefixed"]:
        return _read_bare_tag, "IO"

    def read_tag(cell: str) -> str:
        tag = _add_label(cell, layout.label)
        parse_tag(tag)
        return tag

    if layout.scheme:
        return read_tag, normalize_scheme(layout.scheme)
    try:
        return read_tag, survey.choose_scheme(lenient=lenient)
    except LabelError as error:
        line = find_conflict(_read_items(path, table, read_tag))
        raise CorpusError(f"{error}; name the scheme", path=path, line=line) from error


def _kind_of(tag: str) -> str:
    if tag == OUTSIDE:
        return "outside"
    if tag[:1] in _PREFIXES and tag[1:2] in ("", "-"):
        return "prefixed" if tag[2:] else "unlabeled"
    return "bare" if tag else "empty"


def _add_label(cell: str, label: str) -> str:
    return f"{cell}-{label}" if label and cell and cell != OUTSIDE and "-" not in cell else cell


def _read_bare_tag(cell: str) -> str:
    if not cell:
        parse_tag(cell)
    return cell if cell == OUTSIDE else f"I-{cell}"


def _read_items(path: Path, table: TableFormat, read_tag: Callable[[str], str]) -> Iterator[Item]:
    """Stream sentences, and the name of each document."""
    items = _read_marked(path, table, read_tag)
    return split_sentences(items) if _has_no_borders(path, table) else items


def _has_no_borders(path: Path, table: TableFormat) -> bool:
    """Tell whether neither a column nor empty rows between others part sentences."""
    if table.columns.sentence is not None:
        return False
    has_words = has_gap = False
    for row in read_rows(path, table):
        if row.is_blank:
            has_gap = has_words
        elif has_gap:
            return False
        else:
            has_words = True
    return True


def _read_marked(path: Path, table: TableFormat, read_tag: Callable[[str], str]) -> Iterator[Item]:
    sentence = Sentence()
    document = ""
    for row in read_rows(path, table):
        starts_document = row.document not in ("", document)
        starts_sentence = row.sentence not in ("", sentence.name)
        if sentence and (row.is_blank or starts_document or starts_sentence):
            yield sentence
            sentence = Sentence()
        if starts_document:
            document = row.document
            yield document
        if row.is_blank:
            continue
        sentence.name = sentence.name or row.sentence
        problem = row.problem or _add_row(sentence, row, read_tag)
        if problem:
            sentence.note(CorpusError(problem, path=path, line=row.line))
    if sentence:
        yield sentence


def _add_row(sentence: Sentence, row: TableRow, read_tag: Callable[[str], str]) -> str:
    """Add a row to a sentence. RETURNS (str): What is wrong with it."""
    if not row.word:
        return f"found an empty word with tag {row.tag!r}, expected a word"
    try:
        tag = read_tag(row.tag)
    except LabelError as error:
        return f"{error}; name the tag column, or the label when tags have none"
    sentence.words.append(row.word)
    sentence.tags.append(tag)
    sentence.lines.append(row.line)
    return ""


def read_rows(path: PathLike, table: TableFormat) -> Iterator[TableRow]:
    """Stream the rows behind the header; what cannot be read has its `problem`."""
    columns, width = table.columns, table.width
    # One cell more, always empty, stands for the columns that the table does not have.
    sentence = width if columns.sentence is None else columns.sentence
    document = width if columns.document is None else columns.document
    roles = itemgetter(columns.word, columns.tag, sentence, document)
    with open_lines(path) as raw:
        has_header = bool(table.header)
        for line, cells, problem in _split_lines(_decode_lines(raw, table.encoding), table):
            if has_header:
                # Rows before the header are empty.
                has_header = not any(map(str.strip, cells))
                continue
            if len(cells) != width or problem:
                cells, problem = _mend(cells, table, problem)
            word, tag, name, owner = map(str.strip, roles([*cells, ""]))
            is_blank = not (word or tag or name or problem) and _is_blank(cells, document)
            yield TableRow(line, word, tag, name, owner, problem, is_blank)


def _mend(cells: List[str], table: TableFormat, problem: str) -> Tuple[List[str], str]:
    """Bring a malformed row to its width; behind a stray delimiter cells are in wrong columns."""
    if not problem and any(map(str.strip, cells)):
        problem = (
            f"found {len(cells)} cell(s), expected {table.width} as in the first row; "
            "quote cells that contain the delimiter"
        )
    sound = cells[: table.columns.word] if problem else []
    return sound + [""] * (table.width - len(sound)), problem


def _is_blank(cells: List[str], document: int) -> bool:
    return not any(cell.strip() for index, cell in enumerate(cells) if index != document)


def _decode_lines(lines: Iterable[bytes], encoding: str) -> Iterator[_Line]:
    for number, raw in enumerate(lines, start=1):
        text, problem = decode_line(raw, encoding)
        if "\0" in text and not problem:
            problem = "found a NUL byte, expected text; convert the file to UTF-8 first"
        yield number, text, problem


def _split_lines(
    lines: Iterator[_Line], table: TableFormat
) -> Iterator[Tuple[int, List[str], str]]:
    """Split lines to cells, joining those that a quoted line break divides."""
    ahead: Deque[_Line] = deque()
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number, text, problem = line
        cells = split_row(text, table.delimiter)
        if '"' in text and not problem and (cells is None or len(cells) != table.width):
            literal = text.split(table.delimiter)
            fits = len(literal) == table.width
            cells = literal if fits else cells or _join_lines(text, ahead, lines, table)
        if cells is None:
            cells = text.split(table.delimiter)
            problem = problem or "found a quotation mark that is not closed, expected a pair"
        if "\r" in text or '"' in text:
            cells = [cell.translate(_LINE_BREAKS) for cell in cells]
        yield number, cells, problem


def _join_lines(
    text: str, ahead: Deque[_Line], lines: Iterator[_Line], table: TableFormat
) -> Optional[List[str]]:
    """Join a line with those up to the one that closes its quotation; None when it is no row.

    ahead (Deque): Lines that were read but not used; those that were used are taken off.
    """
    parts, size = [text], len(text)
    for _, text, problem in _look_ahead(ahead, lines):
        parts.append(text)
        size += len(text) + 1
        if problem or size > _MAX_ROW:
            return None
        if text.count('"') % 2:
            break
    cells = split_row("\n".join(parts), table.delimiter)
    if cells is None or len(cells) != table.width:
        return None
    for _ in parts[1:]:
        ahead.popleft()
    return cells


def _look_ahead(ahead: Deque[_Line], lines: Iterator[_Line]) -> Iterator[_Line]:
    yield from tuple(ahead)
    for line in lines:
        ahead.append(line)
        yield line


FORMAT = Format(
    "csv",
    "table with a header, a word and its tag in each row",
    read_table,
    write_table,
    aliases=("table",),
    carried=CARRIED,
    takes_docs=True,
    line_based=True,
    endings=(".csv",),
    options=frozenset(("layout", "encoding")),
    tag_options=make_options,
    writer_options=frozenset(("scheme",)),
)
