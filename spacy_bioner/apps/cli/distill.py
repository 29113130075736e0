"""`bioner distill`: train a smaller pipeline to tag as a trained one does."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import CheckpointEvery, EvalEvery, GpuId, Resume


def distill_cli(
    teacher: Annotated[Path, typer.Argument(help="A trained pipeline", metavar="TEACHER")],
    texts: Annotated[
        List[Path],
        typer.Argument(
            help="Texts to tag: .txt, .txt.xz, .xz, folders, or a .spacy", metavar="TEXT…"
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Folder that gets the student", metavar="OUT")],
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimizer")],
    layers: Annotated[
        Optional[int], typer.Option(min=1, help="Layers of the teacher to keep; default: 3")
    ] = None,
    spaced: Annotated[bool, typer.Option(help="Keep layers evenly, or the first ones")] = True,
    encoder: Annotated[str, typer.Option(help="Encoder of the student, instead of --layers")] = "",
    student: Annotated[
        str, typer.Option(help="Profile whose model the student gets, instead of --layers")
    ] = "",
    gold: Annotated[
        Optional[Path],
        typer.Option(help="Gold documents to learn from as well, a .spacy with entities"),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Share of the gold loss")] = 0.5,
    temperature: Annotated[
        float, typer.Option(help="Temperature that flattens distributions")
    ] = 2.0,
    batch_passages: Annotated[
        int, typer.Option(min=1, help="Passages in a batch, of about 100 tokens each")
    ] = 8,
    learn_rate: Annotated[float, typer.Option(help="Highest learning rate")] = 1e-4,
    held_out: Annotated[float, typer.Option(help="Share of documents to compare on")] = 0.02,
    unit: Annotated[str, typer.Option(help="What a document is: a line or a block")] = "line",
    seed: Annotated[int, typer.Option(help="Seed of order, dropout and new weights")] = 0,
    checkpoint_every: CheckpointEvery = 200,
    eval_every: EvalEvery = 200,
    resume: Resume = True,
    gpu_id: GpuId = -1,
) -> None:
    """Distill a trained `bioner` into a smaller one, on unlabeled text."""
    from spacy_bioner.apps.cli.pretrain import show_entry
    from spacy_bioner.apps.training.distill import distill
    from spacy_bioner.apps.training.student import DistillSettings

    settings = DistillSettings(
        steps,
        layers=layers or (0 if encoder or student else 3),
        spaced=spaced,
        encoder=encoder,
        student=student,
        temperature=temperature,
        alpha=alpha,
        batch_passages=batch_passages,
        learn_rate=learn_rate,
        held_out=held_out,
        unit=unit,
        seed=seed,
    )
    distill(
        teacher,
        texts,
        output,
        settings,
        gold=gold,
        gpu_id=gpu_id,
        resume=resume,
        checkpoint_every=checkpoint_every,
        evaluate_every=eval_every,
        on_log=show_entry,
    )
    typer.echo(f"student: {output}")
