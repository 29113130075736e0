"""`bioner show`: the entities of a text as a table."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId
from spacy_bioner.errors import BionerError

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span

HEADER = ("text", "label", "confidence", "source", "id")
MAX_TEXT_WIDTH = 36
MAX_ID_WIDTH = 24
DASH = "–"


def show_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    file: Annotated[
        Optional[Path], typer.Argument(help="Text file; standard input without it")
    ] = None,
    text: Annotated[Optional[str], typer.Option("--text", "-t", help="The text itself")] = None,
    gpu_id: GpuId = -1,
) -> None:
    """Print the entities that a pipeline finds."""
    content = read_text(file, text)
    typer.echo(show(model, content, gpu_id=gpu_id))


def show(model: str, text: str, *, gpu_id: int = -1) -> str:
    """Load a pipeline, run it over one text and render what it finds.

    model (str): A pipeline folder, or the name of an installed pipeline package.
    text (str): One document.
    gpu_id (int): -1 for the CPU.
    RETURNS (str): Several lines; no final line break.
    """
    from spacy_bioner.apps.loading import load_pipeline

    return render_entities(load_pipeline(model, gpu_id=gpu_id)(text))


def render_entities(doc: "Doc") -> str:
    """Render `doc.ents` in the order of the text, with a line that counts them by label."""
    from spacy_bioner.reports.tables import render_table, shorten

    if not doc.ents:
        return f"  no entities in {len(doc.text):,} characters"
    rows: List[List[str]] = []
    for ent in doc.ents:
        name = shorten(ent.text, MAX_TEXT_WIDTH)
        concept = shorten(_concept_id(ent), MAX_ID_WIDTH)
        rows.append([name, ent.label_, _confidence(ent), _source(ent), concept])
    counts = Counter(ent.label_ for ent in doc.ents)
    summary = ", ".join(f"{label} {count:,}" for label, count in counts.most_common())
    noun = "entity" if len(doc.ents) == 1 else "entities"
    return f"{render_table(HEADER, rows, right=[2])}\n\n  {len(doc.ents):,} {noun}: {summary}"


def read_text(file: Optional[Path], text: Optional[str]) -> str:
    """Take the text from the option, the file or standard input.

    RAISES (BionerError): Both an option and a file, no such file, not UTF-8.
    """
    if text is not None and file is not None:
        raise BionerError(f"found both --text and the file {file}, expected one of them")
    if text is not None:
        return text
    if file is not None and not file.is_file():
        found = "found a folder" if file.is_dir() else "no such file"
        raise BionerError(f"{file}: {found}, expected a text file")
    content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"found byte 0x{content[error.start]:02x} at offset {error.start}"
        place = "standard input" if file is None else file
        raise BionerError(f"{place}: {message}, expected UTF-8 text") from error


def _confidence(ent: "Span") -> str:
    value = ent._.confidence if ent.has_extension("confidence") else None
    return DASH if value is None else f"{value:.3f}"


def _source(ent: "Span") -> str:
    value = ent._.source if ent.has_extension("source") else None
    return str(value) if value else DASH


def _concept_id(ent: "Span") -> str:
    from spacy_bioner.components.evidence import span_evidence

    known = [entry.concept_id for entry in span_evidence(ent) if entry.concept_id]
    return ent.kb_id_ or next(iter(known), "") or ent.ent_id_ or DASH
