"""What a report is made of: named by the user, or found beside a training run."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from spacy_bioner.apps.reports.report import ReportFiles
from spacy_bioner.apps.training.run_folder import find_run_files, is_run
from spacy_bioner.errors import ConfigError


class ReportInputs(NamedTuple):
    """What `report` takes.

    model (str): The pipeline: a folder or a package.
    corpus (Path): Gold documents to score.
    output (Path): The folder of the page.
    train (Optional[Path]): Training documents.
    title (str): Of the page; empty: the page finds one.
    warnings (Sequence[str]): What was looked for beside a run in vain.
    """

    model: str
    corpus: Path
    output: Path
    train: Optional[Path]
    files: ReportFiles
    title: str
    warnings: Sequence[str] = ()


def find_report_inputs(
    run: str,
    corpus: Optional[Path],
    output: Optional[Path],
    *,
    train: Optional[Path],
    files: ReportFiles,
    title: str,
) -> ReportInputs:
    """Find beside a training run what was not named; of a pipeline, take what was.

    run (str): A folder of `bioner train`, a pipeline folder or a package.
    RAISES (ConfigError): For a pipeline without corpus or output, and as `find_run_files` does.
    """
    if is_run(Path(run)):
        found = find_run_files(Path(run), corpus)
        named = {**vars(files), "train": train}
        given = {name for name, path in named.items() if path is not None}
        return ReportInputs(
            str(found.model),
            found.corpus,
            output or Path(run) / "report",
            train or found.train,
            replace(files, log=files.log or found.log, account=files.account or found.account),
            title or f"{Path(run).resolve().name} on {found.corpus.stem}",
            [line for name, line in found.warnings.items() if name not in given],
        )
    if corpus is None or output is None:
        raise ConfigError(
            f"{run}: is no folder of `bioner train` with model-best in it, and a pipeline needs "
            "CORPUS and OUT after it"
        )
    return ReportInputs(run, corpus, output, train, files, title)
