"""Options of the commands that read one corpus and write another."""

from typing import Annotated, List, Optional

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
LabelMap = Annotated[
    Optional[List[str]],
    typer.Option(
        "--label-map",
        help="Labels to rename, others stay: OLD=NEW, several with commas or by repeating",
    ),
]
TextColumn = Annotated[Optional[str], typer.Option(help="Column of a note's text")]
IdColumn = Annotated[Optional[str], typer.Option(help="Column of a note's id")]
