"""`bioner compare`: one profile with several encoders, side by side, resumable."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId, KeepModels, MaxSteps, ProfileName, take_overrides


def compare_cli(
    context: typer.Context,
    corpus_dir: Annotated[
        Path, typer.Argument(help="Folder with train.spacy, dev.spacy and test.spacy")
    ],
    output: Annotated[Path, typer.Argument(help="Folder for trainings and table", metavar="OUT")],
    encoder: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Encoder to compare: hub name, folder or package:NAME; can be repeated",
            metavar="NAME=SOURCE",
        ),
    ] = None,
    encoders: Annotated[
        Optional[Path], typer.Option(help="File with NAME=SOURCE in each line")
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Compare BERT, BioBERT, SciBERT … PubMedBERT from the model hub"
        ),
    ] = False,
    profile: ProfileName = "demo",
    seeds: Annotated[int, typer.Option(help="Trainings of each encoder, with seeds 0, 1, …")] = 1,
    gpu_id: GpuId = -1,
    max_steps: MaxSteps = 0,
    keep_models: KeepModels = False,
) -> None:
    """Train a profile with each encoder and compare scores, speed and memory.

    Config overrides can follow, as for `spacy train`: --training.dropout 0.2
    """
    from spacy_bioner.apps.experiments.compare import (
        ENCODERS,
        compare_encoders,
        parse_encoders,
        read_encoders,
    )
    from spacy_bioner.apps.profiles import load_profile
    from spacy_bioner.reports.text.compare import render_comparison

    chosen = {
        **(ENCODERS if every else {}),
        **(read_encoders(encoders) if encoders is not None else {}),
        **parse_encoders(encoder or ()),
    }
    rows = compare_encoders(
        corpus_dir,
        output,
        load_profile(profile),
        chosen,
        seeds=seeds,
        gpu_id=gpu_id,
        max_steps=max_steps,
        overrides=take_overrides(context),
        keep_models=keep_models,
        report=typer.echo,
    )
    typer.echo("\n" + render_comparison(rows))
    typer.echo(f"\nwrote {output / 'comparison.md'}")
