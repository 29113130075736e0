"""`bioner show`: the entities of a text as a table."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId, Rules
from spacy_bioner.apps.show import read_text, show
from spacy_bioner.reports.text.entities import render_entities


def show_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    file: Annotated[
        Optional[Path], typer.Argument(help="Text file; standard input without it")
    ] = None,
    text: Annotated[Optional[str], typer.Option("--text", "-t", help="The text itself")] = None,
    dataset: Rules = "",
    gpu_id: GpuId = -1,
) -> None:
    """Print the entities that a pipeline finds."""
    content = read_text(file, text)
    typer.echo(render_entities(show(model, content, dataset=dataset, gpu_id=gpu_id)))
