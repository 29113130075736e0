"""`bioner ablate`: what each component, or each choice in training, is worth."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import EncoderName, GpuId, MaxSteps, ProfileName, take_overrides


def ablate_cli(
    context: typer.Context,
    corpus: Annotated[
        Path,
        typer.Argument(help="With --model a .spacy file, with --off the folder of the splits"),
    ],
    output: Annotated[Path, typer.Argument(help="Folder for table and plot", metavar="OUT")],
    model: Annotated[
        str, typer.Option(help="A pipeline whose components are switched off in turn")
    ] = "",
    off: Annotated[
        Optional[List[str]],
        typer.Option(
            help="NAME:KEY=VALUE, a choice in training by what switches it off; can be repeated"
        ),
    ] = None,
    each: Annotated[
        bool,
        typer.Option("--each", help="Switch each standard choice of the profile off in turn"),
    ] = False,
    profile: ProfileName = "demo",
    encoder: EncoderName = "",
    max_steps: MaxSteps = 0,
    seed: Annotated[int, typer.Option(help="Seed of trainings and intervals")] = 0,
    gpu_id: GpuId = -1,
) -> None:
    """Switch parts off in turn and measure what is lost, with intervals.

    With --model, each component of a trained pipeline. With --each or --off, choices in training:
    the profile is trained as it is and once without each. Further options go to all trainings as
    for `spacy train`, such as --training.dropout 0.2.
    """
    from spacy_bioner.apps.experiments.ablate import (
        ablate_components,
        ablate_training,
        check_asked,
        list_choices,
        parse_choice,
    )
    from spacy_bioner.apps.profiles import load_profile
    from spacy_bioner.reports.text.ablation import render_ablation

    check_asked(model, off or (), each=each)

    def say(line: str) -> None:
        typer.echo(line, err=True)

    overrides = take_overrides(context)
    if model:
        rows = ablate_components(model, corpus, output, seed=seed, gpu_id=gpu_id, report=say)
    else:
        choices = [parse_choice(text) for text in off or ()]
        loaded = load_profile(profile, encoder=encoder)
        if each:
            choices = [*list_choices(loaded, overrides), *choices]
        rows = ablate_training(
            loaded,
            corpus,
            output,
            choices,
            seed=seed,
            max_steps=max_steps,
            gpu_id=gpu_id,
            overrides=overrides,
            report=say,
        )
    typer.echo("\n" + render_ablation(rows))
    typer.echo(f"\nwrote {output / 'ablation.md'}")
