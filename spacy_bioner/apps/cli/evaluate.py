"""`bioner evaluate`: scores of a pipeline on a converted corpus, as tables and as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import (
    BootstrapSeed,
    DatasetName,
    GpuId,
    Marginals,
    Resamples,
    ScoredLabels,
    TrainingDocs,
)

if TYPE_CHECKING:
    from spacy_bioner.evaluation.evaluation import Measurement
    from spacy_bioner.evaluation.runner import PipelineEvaluation


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
    dataset: DatasetName = "",
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


def render_evaluation(
    evaluation: "PipelineEvaluation",
    measurement: Optional["Measurement"] = None,
    group: Optional["Measurement"] = None,
    *,
    details: bool = False,
) -> str:
    """Render a table for each source of predictions that differs, intervals and throughput.

    measurement (Optional[Measurement]): What was measured of the pipeline's entities.
    group (Optional[Measurement]): The same of its span group, where one was asked for.
    details (bool): All of that, instead of intervals and the number of mistakes.
    """
    from spacy_bioner.evaluation.runner import TITLES
    from spacy_bioner.reports.scores import merge_equal, render_scores
    from spacy_bioner.reports.text.evaluation import render_details, render_summary

    tables = merge_equal({TITLES[source]: scores for source, scores in evaluation.scores.items()})
    parts = [render_scores(scores, title=title) for title, scores in tables.items()]
    titled = {"doc.ents": measurement, "The span group": group}
    for title, item in titled.items():
        if item is None:
            continue
        summary = render_summary(item)
        parts.append(f"{title}\n\n{summary}" if group is not None else summary)
        if details:
            parts.append(render_details(item))
    pace = evaluation.pace
    speed = pace.words_per_second
    rate = f": {speed:,.0f} words/s" if speed else ""
    noun = "document" if evaluation.n_docs == 1 else "documents"
    parts.append(
        f"{evaluation.n_docs:,} {noun} with {pace.n_words:,} words (split at white space) "
        f"in {pace.seconds:,.1f} s{rate}"
    )
    return "\n" + "\n\n".join(parts) + "\n"
