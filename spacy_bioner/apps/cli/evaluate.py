"""`bioner evaluate`: scores of a pipeline on a converted corpus, as tables and as JSON."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import (
    BootstrapSeed,
    GpuId,
    Marginals,
    Resamples,
    Rules,
    ScoredLabels,
    TrainingDocs,
)


def evaluate_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    corpus: Annotated[Path, typer.Argument(help="Gold documents, a .spacy file")],
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the scores as JSON")
    ] = None,
    gpu_id: GpuId = -1,
    label: ScoredLabels = None,
    spans_key: Annotated[
        Optional[str],
        typer.Option(help="Score this span group as well: nested mentions, which doc.ents has not"),
    ] = None,
    dataset: Rules = "",
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help="Print partial matches, recall by kind, confusion, tokens, calibration, concepts",
        ),
    ] = False,
    train: TrainingDocs = None,
    marginals: Marginals = False,
    resamples: Resamples = 1000,
    seed: BootstrapSeed = 0,
) -> None:
    """Score a pipeline on gold documents.

    An entity counts when its offsets and its label are those of a gold mention. With --label,
    mentions of other labels are left out on both sides: for a pipeline that finds more than the
    corpus annotates.
    """
    from spacy_bioner.apps.evaluation.evaluate import EvaluationSettings, evaluate
    from spacy_bioner.reports.text.evaluation import render_evaluation

    settings = EvaluationSettings(
        labels=label or (),
        spans_key=spans_key,
        dataset=dataset,
        train=train,
        marginals=marginals,
        seed=seed,
        n_resamples=resamples,
    )
    found = evaluate(model, corpus, settings, output=output, gpu_id=gpu_id)
    wanted = details or train is not None or marginals
    typer.echo(render_evaluation(found.evaluation, found.measurement, found.group, details=wanted))
    for line in found.warnings:
        typer.echo(f"warning: {line}", err=True)
