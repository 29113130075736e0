"""`bioner disagree`: where the annotation rules of a pipeline's corpora differ."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId, IdColumn, InputFormat, TextColumn
from spacy_bioner.apps.output_guard import guards_outputs


@guards_outputs("output", inputs=("model", "source"), as_files=("output",))
def disagree_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    source: Annotated[
        Path, typer.Argument(help="Text, table or corpus, or a folder of them", metavar="TEXTS")
    ],
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write a page to this file as well")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Documents to read, at most")] = 200,
    from_format: InputFormat = "auto",
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    gpu_id: GpuId = -1,
) -> None:
    """Show the spans that a pipeline marks otherwise by the rules of other corpora.

    The pipeline has to be trained on several corpora with a vector for each. Every text is
    annotated by the rules of each of them.
    """
    from spacy_bioner.apps.annotation.sources import InputSettings
    from spacy_bioner.apps.evaluation.disagree import disagree
    from spacy_bioner.apps.progress import showing_pace
    from spacy_bioner.files.replacing import write_text
    from spacy_bioner.reports.plots.style import require_jinja2
    from spacy_bioner.reports.text.pipelines.disagreement import list_notes, render_disagreements

    if output is not None:
        require_jinja2()
    settings = InputSettings(from_format, text_column, id_column)
    with showing_pace() as pace:
        done = disagree(model, source, settings, limit=limit, gpu_id=gpu_id, progress=pace)
    reasons = [item.reason for item in done.left_out]
    notes = list_notes(limit=limit, is_cut=done.is_cut, reasons=reasons)
    typer.echo(render_disagreements(done.found, notes=notes))
    if output is not None:
        from spacy_bioner.reports.html.disagreement_page import render_disagreement_page

        title = f"Where corpora disagree: {source.name} by {Path(model).name}"
        write_text(output, render_disagreement_page(done.found, title=title, notes=notes))
        typer.echo(f"wrote {output}")
