"""`bioner train`: `spacy train` with the settings of a profile."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import EncoderName, GpuId, MaxSteps, ProfileName
from spacy_bioner.apps.profiles import load_profile

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def train_cli(
    context: typer.Context,
    corpus_dir: Annotated[Path, typer.Argument(help="Folder with train.spacy and dev.spacy")],
    output: Annotated[Path, typer.Argument(help="Gets model-best and model-last", metavar="OUT")],
    profile: ProfileName = "minilm",
    encoder: EncoderName = "",
    gpu_id: GpuId = -1,
    seed: Annotated[int, typer.Option(help="Seeds weights and order")] = 0,
    package_name: Annotated[
        str, typer.Option(help="Check before training that a package may be called so")
    ] = "",
    max_steps: MaxSteps = 0,
    log: Annotated[
        Optional[Path], typer.Option(help="Gets a JSON line per evaluation; empty: beside OUT")
    ] = None,
    resume: Annotated[
        Optional[Path],
        typer.Option(help="Start from a checkpoint, such as OUT.interrupted/model-last"),
    ] = None,
) -> None:
    """Train a profile, and draw its curves beside the log.

    Config overrides can follow, as for `spacy train`: --training.dropout 0.2
    """
    from spacy.cli._util import parse_config_overrides

    from spacy_bioner.apps.curves import write_training_curves
    from spacy_bioner.apps.training import check_package_name, train

    chosen = load_profile(profile, encoder=encoder)
    if package_name:
        check_package_name(package_name, chosen, corpus_dir)
    overrides = parse_config_overrides(context.args, env_var=None)
    log_path = log or output.with_name(f"{output.name}.training.jsonl")
    best = train(
        chosen,
        corpus_dir,
        output,
        gpu_id=gpu_id,
        seed=seed,
        log_path=log_path,
        max_steps=max_steps,
        overrides=overrides,
        resume=resume,
    )
    # A config with another logger writes no log of ours.
    if log_path.is_file():
        write_training_curves(
            log_path,
            log_path.parent,
            name=log_path.stem,
            title=chosen.name,
            config_path=best / "config.cfg",
        )
    typer.echo(f"best checkpoint: {best}")
