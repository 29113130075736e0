"""`bioner cross`: what is learned on one corpus, scored on the others."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import EncoderName, GpuId, MaxSteps, take_overrides


def cross_cli(
    context: typer.Context,
    output: Annotated[Path, typer.Argument(help="Folder for table and plot", metavar="OUT")],
    corpus: Annotated[
        List[str],
        typer.Option(help="Folder of splits; can be repeated", metavar="NAME=FOLDER"),
    ],
    model: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Pipeline by the corpus that it was trained on; can be repeated",
            metavar="NAME=PIPELINE",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Train this profile on corpora that no --model is for")
    ] = "",
    encoder: EncoderName = "",
    label_map: Annotated[
        str,
        typer.Option(
            help="Map that brings all labels to one set: a name or a .yaml, as for convert"
        ),
    ] = "",
    max_steps: MaxSteps = 0,
    seed: Annotated[int, typer.Option(help="Seed of trainings and intervals")] = 0,
    gpu_id: GpuId = -1,
) -> None:
    """Score each pipeline on the test documents of each corpus, by the labels of both.

    Test documents that stand in a pipeline's training documents are left out. Further options go
    to all trainings as for `spacy train`, such as --training.dropout 0.2.
    """
    from spacy_bioner.apps.experiments.cross import CrossSettings, cross_evaluate
    from spacy_bioner.apps.names import FOLDER_NAME, parse_named
    from spacy_bioner.apps.profiles import load_profile
    from spacy_bioner.corpora.labels import load_label_map
    from spacy_bioner.reports.text.cross_corpus import render_matrix

    # Trainings lie in folders of these names.
    named = parse_named(corpus, "--corpus", pattern=FOLDER_NAME)
    cells = cross_evaluate(
        {name: Path(path) for name, path in named.items()},
        parse_named(model or (), "--model"),
        output,
        CrossSettings(
            label_map=load_label_map(label_map) if label_map else None,
            profile=load_profile(profile, encoder=encoder) if profile else None,
            seed=seed,
            max_steps=max_steps,
            overrides=take_overrides(context),
            gpu_id=gpu_id,
        ),
        report=lambda line: typer.echo(line, err=True),
    )
    typer.echo("\n" + render_matrix(cells))
    typer.echo(f"\nwrote {output / 'cross.md'}")
