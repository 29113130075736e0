"""`bioner train`: `spacy train` with the settings of a profile."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import EncoderName, GpuId, MaxSteps, ProfileName, take_overrides
from spacy_bioner.apps.profiles import load_profile


def train_cli(
    context: typer.Context,
    corpus_dir: Annotated[Path, typer.Argument(help="Folder with train.spacy and dev.spacy")],
    output: Annotated[
        Path, typer.Argument(help="Folder that gets model-best and model-last", metavar="OUT")
    ],
    profile: ProfileName = "demo",
    encoder: EncoderName = "",
    gpu_id: GpuId = -1,
    seed: Annotated[int, typer.Option(help="Seed of weights and order")] = 0,
    package_name: Annotated[
        str, typer.Option(help="Check before training that a package may be called so")
    ] = "",
    max_steps: MaxSteps = 0,
    log: Annotated[
        Optional[Path],
        typer.Option(help="Log that gets a JSON line per evaluation; default: beside OUT"),
    ] = None,
    resume: Annotated[
        Optional[Path],
        typer.Option(help="Start from a checkpoint, such as OUT.interrupted/model-last"),
    ] = None,
) -> None:
    """Train a profile, and draw its curves beside the log.

    Config overrides can follow, as for `spacy train`: --training.dropout 0.2
    """
    from spacy_bioner.apps.training.train import train_and_draw

    chosen = load_profile(profile, encoder=encoder)
    if (output / "model-best").is_dir():
        message = "found an earlier result there; it is replaced when this training ends well"
        typer.echo(f"{output}: {message}", err=True)
    best = train_and_draw(
        chosen,
        corpus_dir,
        output,
        log_path=log,
        package_name=package_name,
        title=chosen.name,
        gpu_id=gpu_id,
        seed=seed,
        max_steps=max_steps,
        overrides=take_overrides(context),
        resume=resume,
    )
    typer.echo(f"best checkpoint: {best}")
