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
    dataset: DatasetName = "",
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
    from spacy_bioner.apps.reports.report import ReportFiles, check_folder, write_report
    from spacy_bioner.apps.training.run_folder import find_run_files, is_run
    from spacy_bioner.errors import ConfigError

    model = run
    if is_run(Path(run)):
        found = find_run_files(Path(run), corpus)
        model, corpus, output = str(found.model), found.corpus, output or Path(run) / "report"
        for warning in found.warnings if train is None else ():
            typer.echo(f"warning: {warning}", err=True)
        train, account, log = train or found.train, account or found.account, log or found.log
        title = title or f"{Path(run).resolve().name} on {corpus.stem}"
    elif corpus is None or output is None:
        raise ConfigError(
            f"{run}: is no folder of `bioner train` with model-best in it, and a pipeline needs "
            "CORPUS and OUT after it"
        )
    check_folder(output)
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
