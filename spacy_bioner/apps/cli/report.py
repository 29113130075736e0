"""`bioner report`: one page on a run, with all its figures as files in a folder beside it."""

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


def report_cli(
    run: Annotated[
        str,
        typer.Argument(
            help="Folder of `bioner train`, pipeline folder or installed pipeline package",
            metavar="RUN",
        ),
    ],
    corpus: Annotated[
        Optional[Path],
        typer.Argument(
            help="Gold documents, a .spacy file; default: test.spacy beside the run's dev.spacy",
            metavar="CORPUS",
        ),
    ] = None,
    output: Annotated[
        Optional[Path],
        typer.Argument(
            help="Folder for page and figures; default: RUN/report (training RUN anew removes it)",
            metavar="OUT",
        ),
    ] = None,
    label: ScoredLabels = None,
    train: TrainingDocs = None,
    log: Annotated[Optional[Path], typer.Option(help="Training log; default: the run's")] = None,
    account: Annotated[
        Optional[Path],
        typer.Option(help="corpus.json of `bioner prepare`; default: the one of the run's corpus"),
    ] = None,
    robustness: Annotated[
        Optional[Path], typer.Option(help="robustness.json of `bioner robustness`")
    ] = None,
    ablation: Annotated[
        Optional[Path], typer.Option(help="ablation.json of `bioner ablate`")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the page")] = "",
    dataset: Rules = "",
    marginals: Marginals = False,
    resamples: Resamples = 1000,
    seed: BootstrapSeed = 0,
    gpu_id: GpuId = -1,
) -> None:
    """Write a page on a run: scores, curves, confusion, calibration, thresholds, mistakes.

    The folder that `bioner train` wrote is enough: its best checkpoint is scored on the test
    documents beside those it was trained on. A pipeline needs CORPUS and OUT as well.

    OUT/report.html opens from the disk and loads nothing; OUT/figures has each figure as PNG, SVG
    and JSON, report.json all measures, cases.json all mistakes.
    """
    from spacy_bioner.apps.evaluation.evaluate import EvaluationSettings
    from spacy_bioner.reports.plots.style import require_jinja2, require_matplotlib

    require_matplotlib()
    require_jinja2()
    from spacy_bioner.apps.reports.report import ReportFiles, check_folder, report
    from spacy_bioner.apps.reports.report_inputs import find_report_inputs

    files = ReportFiles(log, account, robustness, ablation)
    found = find_report_inputs(run, corpus, output, train=train, files=files, title=title)
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    check_folder(found.output)
    settings = EvaluationSettings(
        labels=label or (),
        dataset=dataset,
        train=found.train,
        marginals=marginals,
        seed=seed,
        n_resamples=resamples,
    )
    page = report(
        found.model,
        found.corpus,
        found.output,
        settings,
        files=found.files,
        title=found.title,
        gpu_id=gpu_id,
    )
    typer.echo(f"wrote {page}")
