"""Which format of lines is this? Each is told by what its reader goes by."""

from pathlib import Path
from typing import List

from spacy_bioner.corpora.formats.standoff.mention_columns import (
    find_row_columns,
    find_standoff_columns,
)
from spacy_bioner.corpora.formats.tagged.conll_columns import TAG, looks_like_conll
from spacy_bioner.corpora.formats.tagged.conllu import looks_like_conllu
from spacy_bioner.corpora.formats.tagged.iob_lines import looks_like_iob
from spacy_bioner.corpora.formats.tagged.table_layout import (
    DELIMITERS,
    split_header,
    split_row,
)
from spacy_bioner.errors import CorpusError

_WORD_COLUMNS = frozenset(("word", "words", "token", "tokens"))
_TAG_COLUMNS = frozenset(("tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "entity"))
_NOTE_COLUMNS = frozenset(("text", "note", "notes", "note_text", "section_text"))


def detect_text(lines: List[str], path: Path) -> str:
    """Tell the format of a file by its first lines, the first of which is not blank.

    RAISES (CorpusError): No format that is known.
    """
    delimiter, header = split_header(lines[0])
    names = _WORD_COLUMNS | {"text"} if _have_tags(lines[1:], header, delimiter) else _WORD_COLUMNS
    if names & set(header) and _TAG_COLUMNS & set(header):
        return "csv"
    if find_standoff_columns(header) is not None or find_row_columns(header) is not None:
        return "standoff"
    if _NOTE_COLUMNS & set(header) and len(header) > 1:
        return "mimic"
    for looks_like, name in ((looks_like_conllu, "conllu"), (looks_like_conll, "conll")):
        if looks_like(lines):
            return name
    if looks_like_iob(lines):
        return "iob"
    if _is_table(lines[0]):
        return "csv"
    message = (
        f"found {lines[0][:40]!r}, expected a format that is known "
        "(see `bioner convert --help`); name it with --from"
    )
    raise CorpusError(message, path=path, line=1)


def _have_tags(lines: List[str], header: List[str], delimiter: str) -> bool:
    """Tell whether the first row below a header has a tag in a column of tags."""
    first = next(filter(str.strip, lines), "")
    cells = split_row(first, delimiter) or []
    pairs = zip(header, map(str.strip, cells))
    return any(name in _TAG_COLUMNS and TAG.fullmatch(cell) for name, cell in pairs)


def _is_table(line: str) -> bool:
    """Tell a row of a table without a header: its last cell is a tag."""
    rows = (split_row(line, delimiter) or [] for delimiter in DELIMITERS if delimiter in line)
    return any(len(row) > 1 and TAG.fullmatch(row[-1].strip()) for row in rows)
