"""`bioner tune`: search for settings of a profile with Optuna, resumable."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import EncoderName, GpuId, MaxSteps, ProfileName, take_overrides


def tune_cli(
    context: typer.Context,
    corpus_dir: Annotated[Path, typer.Argument(help="Folder with train.spacy and dev.spacy")],
    output: Annotated[Path, typer.Argument(help="Folder for the study", metavar="OUT")],
    profile: ProfileName = "demo",
    encoder: EncoderName = "",
    trials: Annotated[int, typer.Option(help="Trials in all, those of earlier runs included")] = 20,
    space: Annotated[
        Optional[Path], typer.Option(help="Settings that may vary: a .cfg with a section [space]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of choices, weights and order")] = 0,
    gpu_id: GpuId = -1,
    max_steps: MaxSteps = 0,
) -> None:
    """Search for settings by the development set. The same command goes on with a study.

    Config overrides can follow, as for `spacy train`: --training.eval_frequency 100
    """
    from spacy_bioner.apps.experiments.tune import BEST, read_space, tune
    from spacy_bioner.apps.profiles import load_profile
    from spacy_bioner.reports.text.tuning import render_trials

    study = tune(
        corpus_dir,
        output,
        load_profile(profile, encoder=encoder),
        n_trials=trials,
        space=read_space(space) if space is not None else None,
        seed=seed,
        gpu_id=gpu_id,
        max_steps=max_steps,
        overrides=take_overrides(context),
        report=typer.echo,
    )
    typer.echo("\n" + render_trials(study))
    typer.echo(f"\nbest settings: {output / BEST} (copy it to configs/profiles to train with it)")
