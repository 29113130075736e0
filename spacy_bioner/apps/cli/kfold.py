"""`bioner kfold`: cross-validation of a profile, resumable."""

from pathlib import Path
from typing import Annotated

import typer

from spacy_bioner.apps.cli.options import (
    EncoderName,
    GpuId,
    KeepModels,
    MaxSteps,
    ProfileName,
    take_overrides,
)


def kfold_cli(
    context: typer.Context,
    corpus: Annotated[
        Path, typer.Argument(help="All documents, a .spacy file", metavar="CORPUS.spacy")
    ],
    output: Annotated[Path, typer.Argument(help="Folder for folds and table", metavar="OUT")],
    profile: ProfileName = "demo",
    encoder: EncoderName = "",
    folds: Annotated[int, typer.Option(help="Number of folds, two or more")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of folds, weights and order")] = 0,
    group_by: Annotated[
        str, typer.Option(help="Metadata that keeps documents together (a patient)")
    ] = "document",
    dev_share: Annotated[
        float, typer.Option(help="Share of the training folds to choose the checkpoint on")
    ] = 0.1,
    gpu_id: GpuId = -1,
    max_steps: MaxSteps = 0,
    keep_models: KeepModels = False,
) -> None:
    """Train a profile on each fold's rest and test it on the fold. Finished folds are kept.

    Config overrides can follow, as for `spacy train`: --training.dropout 0.2
    """
    from spacy_bioner.apps.experiments.kfold import cross_validate
    from spacy_bioner.apps.profiles import load_profile
    from spacy_bioner.reports.text.cross_validation import render_folds

    outcome = cross_validate(
        corpus,
        output,
        load_profile(profile, encoder=encoder),
        k=folds,
        seed=seed,
        group_by=group_by,
        dev_share=dev_share,
        gpu_id=gpu_id,
        max_steps=max_steps,
        overrides=take_overrides(context),
        keep_models=keep_models,
        report=typer.echo,
    )
    typer.echo("\n" + render_folds(outcome))
    typer.echo(f"\nwrote {output / 'folds.json'}")
