"""`bioner explain`: why the entities of a text are there."""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.show import read_text


@guards_outputs("html", "output", inputs=("model", "file"), as_files=("html", "output"))
def explain_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    file: Annotated[
        Optional[Path], typer.Argument(help="Text file; standard input without it")
    ] = None,
    text: Annotated[Optional[str], typer.Option("--text", "-t", help="The text itself")] = None,
    method: Annotated[
        str, typer.Option(help="How words are weighed: auto, gradients, occlusion or none")
    ] = "auto",
    steps: Annotated[int, typer.Option(min=2, help="Steps of integrated gradients")] = 50,
    readings: Annotated[
        int, typer.Option(min=0, help="Other readings of an entity to show, at most")
    ] = 3,
    html: Annotated[Optional[Path], typer.Option(help="Write a page to this file as well")] = None,
    output: Annotated[
        Optional[Path], typer.Option(help="Write all of it to this file as JSON")
    ] = None,
    gpu_id: GpuId = -1,
) -> None:
    """Say of each entity who found it, what else it might be, and which words it hangs on."""
    from rich.console import Console

    from spacy_bioner.apps.evaluation.explain import explain
    from spacy_bioner.apps.loading import load_pipeline
    from spacy_bioner.apps.terminal import unguarded
    from spacy_bioner.files.json_files import write_json
    from spacy_bioner.files.replacing import write_text
    from spacy_bioner.reports.plots.style import require_jinja2
    from spacy_bioner.reports.text.explanation import print_explanation

    if html is not None:
        require_jinja2()
    content = read_text(file, text)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    found = explain(nlp, content, method=method, n_steps=steps, n_readings=readings)
    console = Console(file=unguarded(sys.stdout), highlight=False, soft_wrap=True, emoji=False)
    print_explanation(found, console)
    if html is not None:
        from spacy_bioner.reports.html.explanation_page import render_explanation_page

        title = f"Entities of {file.name if file else 'a text'} by {Path(model).name}"
        write_text(html, render_explanation_page(found, title=title))
        typer.echo(f"wrote {html}")
    if output is not None:
        write_json(output, found.to_json())
        typer.echo(f"wrote {output}")
