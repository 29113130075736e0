"""`bioner annotate`: many documents through a pipeline, to a folder of shards."""

from pathlib import Path
from typing import Annotated

import typer

from spacy_bioner.apps.annotation.annotate import (
    BATCH_SIZE,
    SHARD_SIZE,
    AnnotateSettings,
    annotate_files,
)
from spacy_bioner.apps.annotation.shards import JSONL, TARGETS
from spacy_bioner.apps.annotation.sources import AUTO, InputSettings
from spacy_bioner.apps.cli.options import GpuId, IdColumn, InputFormat, Rules, TextColumn
from spacy_bioner.apps.progress import showing_pace
from spacy_bioner.reports.text.annotation import render_annotation


def annotate_cli(
    source: Annotated[
        Path, typer.Argument(help="Text, table or corpus, or a folder of them", metavar="IN")
    ],
    target: Annotated[
        Path, typer.Argument(help="Folder to write, or to go on with", metavar="OUT")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Pipeline folder or installed pipeline package")
    ],
    from_format: InputFormat = AUTO,
    to_format: Annotated[
        str, typer.Option("--to", help=f"Format of OUT's shards: {', '.join(TARGETS)}")
    ] = JSONL,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    n_process: Annotated[
        int, typer.Option(min=1, help="Processes; each uses one core and loads the pipeline")
    ] = 1,
    dataset: Rules = "",
    gpu_id: GpuId = -1,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Documents that go through the pipeline together")
    ] = BATCH_SIZE,
    shard_size: Annotated[int, typer.Option(min=1, help="Documents of a shard")] = SHARD_SIZE,
) -> None:
    """Annotate many documents; a run that was killed goes on where it was.

    OUT has manifest.json, shards, receipts (what was read of each document), and rejected: the
    documents that could not be read or annotated, with the reason. Gold mentions of IN are not
    used.
    """
    settings = AnnotateSettings(
        to_format,
        shard_size,
        batch_size,
        InputSettings(from_format, text_column, id_column),
        dataset,
    )
    with showing_pace() as pace:
        done = annotate_files(
            source, target, model, settings, n_process=n_process, gpu_id=gpu_id, progress=pace
        )
    typer.echo(render_annotation(done.target, done.counts, kept=done.kept, losses=done.losses))
