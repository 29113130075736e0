"""`bioner ensemble`: several trained pipelines as one, weighed and judged on development data."""

from pathlib import Path
from typing import Annotated, List

import typer

from spacy_bioner.apps.cli.options import GpuId


def ensemble_cli(
    members: Annotated[
        List[str], typer.Argument(help="Trained pipelines, two or more", metavar="MEMBER…")
    ],
    dev: Annotated[Path, typer.Option(help="Development documents, a .spacy with entities")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that gets the pipeline")],
    method: Annotated[
        str,
        typer.Option(
            help="Way to combine: average, stacked (weights learned on dev), or best of both"
        ),
    ] = "best",
    l2: Annotated[
        float, typer.Option(help="Strength that holds stacked weights near equal ones")
    ] = 1.0,
    per_tag: Annotated[
        bool, typer.Option("--per-tag", help="Learn stacked weights for each tag")
    ] = False,
    folds: Annotated[int, typer.Option(help="Folds of dev, to judge stacked weights fairly")] = 5,
    gpu_id: GpuId = -1,
) -> None:
    """Combine trained pipelines into one: seeds, checkpoints or different encoders.

    Says so where the ensemble is below its best member on dev.
    """
    from spacy_bioner.apps.training.ensemble import EnsembleSettings, make_ensemble
    from spacy_bioner.reports.text.ensemble import render_ensemble

    settings = EnsembleSettings(method=method, l2=l2, per_tag=per_tag, folds=folds)
    outcome = make_ensemble(members, dev, output, settings, gpu_id=gpu_id, report=typer.echo)
    typer.echo("\n" + render_ensemble(outcome))
    typer.echo(f"\nwrote {output}")
