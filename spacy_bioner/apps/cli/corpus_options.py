"""Options of the commands that read one corpus and write another."""

from typing import Annotated, Any, Dict, Optional

import typer

from spacy_bioner.corpora.formats.mimic import NoteColumns
from spacy_bioner.corpora.formats.registry import FORMATS, WRITABLE
from spacy_bioner.errors import CorpusError

_READABLE = ", ".join(FORMATS)
_WRITABLE = ", ".join(WRITABLE)

FromFormat = Annotated[str, typer.Option("--from", help=f"{_READABLE}; auto looks into the file")]
ToFormat = Annotated[
    Optional[str], typer.Option("--to", help=f"{_WRITABLE}; default: by the name of OUT")
]
AnyFormat = Annotated[
    str, typer.Option("--from", help=f"Of all that is read: {_READABLE}; auto looks into each")
]
TextColumn = Annotated[Optional[str], typer.Option(help="Column of a note's text")]
IdColumn = Annotated[Optional[str], typer.Option(help="Column of a note's id")]


def choose_note_columns(
    format_name: str, text: Optional[str], id_column: Optional[str]
) -> Dict[str, Any]:
    """Give the reader's option for columns of notes; nothing where none is named.

    RAISES CorpusError: For a format that has none.
    """
    if text is None and id_column is None:
        return {}
    if format_name != "mimic":
        raise CorpusError(
            f"found columns of notes for format {format_name}, expected them with mimic"
        )
    return {"columns": NoteColumns(text=text, id=id_column)}
