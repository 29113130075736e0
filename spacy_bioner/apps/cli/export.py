"""`bioner export`: a trained pipeline without torch, in float32 or int8."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import BootstrapSeed, Rules, ScoredLabels


def export_cli(
    model: Annotated[str, typer.Argument(help="Trained pipeline", metavar="MODEL")],
    output: Annotated[Path, typer.Argument(help="Folder to write the pipeline to", metavar="OUT")],
    precision: Annotated[str, typer.Option(help="Precision: float32 or int8")] = "int8",
    dev: Annotated[
        Optional[Path],
        typer.Option(help="Gold documents, a .spacy file; default: those of the pipeline's config"),
    ] = None,
    label: ScoredLabels = None,
    dataset: Rules = "",
    max_loss: Annotated[
        float, typer.Option(min=0, help="Points of F1 that int8 may cost on these documents")
    ] = 0.2,
    seed: BootstrapSeed = 0,
) -> None:
    """Write a pipeline that needs neither torch nor transformers: onnxruntime runs it.

    Both pipelines annotate the development documents. float32 has to give the same entities; what
    int8 costs is printed and kept in meta.json, and more than --max-loss is refused.
    """
    from spacy_bioner.apps.packaging.export import export
    from spacy_bioner.reports.text.evaluation import render_export

    exported = export(
        model,
        output,
        precision=precision,
        dev=dev,
        labels=label or (),
        dataset=dataset,
        max_loss=max_loss,
        seed=seed,
    )
    typer.echo(render_export(exported))
