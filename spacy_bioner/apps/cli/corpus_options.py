"""Options of the commands that read one corpus and write another."""

from typing import Annotated, Optional

import typer

from spacy_bioner.corpora.formats.registry import FORMATS, WRITABLE

_READABLE = ", ".join(FORMATS)
_WRITABLE = ", ".join(WRITABLE)

FromFormat = Annotated[
    str, typer.Option("--from", help=f"Format of IN: {_READABLE}; auto looks into the file")
]
ToFormat = Annotated[
    Optional[str], typer.Option("--to", help=f"Format of OUT: {_WRITABLE}; default: by its name")
]
AnyFormat = Annotated[
    str,
    typer.Option("--from", help=f"Format of all that is read: {_READABLE}; auto looks into each"),
]
TextColumn = Annotated[Optional[str], typer.Option(help="Column of a note's text")]
IdColumn = Annotated[Optional[str], typer.Option(help="Column of a note's id")]
