"""`bioner report`: one page on a run, with all its figures as files in a folder beside it."""

from pathlib import Path
from typing import Annotated, Optional

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


def report_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    corpus: Annotated[Path, typer.Argument(help="Gold documents, a .spacy file")],
    output: Annotated[Path, typer.Argument(help="Folder for page and figures", metavar="OUT")],
    label: ScoredLabels = None,
    train: TrainingDocs = None,
    log: Annotated[
        Optional[Path], typer.Option(help="Training log; default: the one beside the run")
    ] = None,
    account: Annotated[
        Optional[Path], typer.Option(help="corpus.json of `bioner prepare`: the training corpus")
    ] = None,
    robustness: Annotated[
        Optional[Path], typer.Option(help="robustness.json of `bioner robustness`")
    ] = None,
    ablation: Annotated[
        Optional[Path], typer.Option(help="ablation.json of `bioner ablate`")
    ] = None,
    title: Annotated[str, typer.Option(help="Of the page")] = "",
    dataset: DatasetName = "",
    marginals: Marginals = False,
    resamples: Resamples = 1000,
    seed: BootstrapSeed = 0,
    gpu_id: GpuId = -1,
) -> None:
    """Write a page on a run: scores, curves, confusion, calibration, thresholds, mistakes.

    OUT/report.html opens from the disk and loads nothing; OUT/figures has each figure as PNG, SVG
    and JSON, report.json all measures, cases.json all mistakes.
    """
    from spacy_bioner.apps.evaluating import EvaluationSettings
    from spacy_bioner.reports.figures import require_jinja2, require_matplotlib

    require_matplotlib()
    require_jinja2()
    from spacy_bioner.apps.reporting import ReportFiles, write_report

    settings = EvaluationSettings(
        labels=label or (),
        dataset=dataset,
        train=train,
        marginals=marginals,
        seed=seed,
        n_resamples=resamples,
    )
    files = ReportFiles(log, account, robustness, ablation)
    page = write_report(model, corpus, output, settings, files=files, title=title, gpu_id=gpu_id)
    typer.echo(f"wrote {page}")
