"""`bioner overview`: one page that compares runs."""

from pathlib import Path
from typing import List, Mapping

from spacy_bioner.apps.evaluation.significance import find_difference, read_evaluation
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.reports.figure_files import write_drawings
from spacy_bioner.apps.reports.report import check_folder
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.significance import compare_systems
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.replacing import write_text
from spacy_bioner.reports.html.overview_sections import make_overview
from spacy_bioner.reports.html.run_page import render_run_page
from spacy_bioner.reports.plots.style import plot_style, require_matplotlib
from spacy_bioner.training.results.experiments import StoredRun

REPORT = "report.json"


@guards_outputs("output", inputs=("runs",), file="overview.html")
def write_overview(
    runs: Mapping[str, Path], output: Path, *, title: str = "", seed: int = 0
) -> Path:
    """Compare runs on one page, OUT/overview.html, with its figures in OUT/overview-figures.

    runs (Mapping[str, Path]): The first is what the others are held against. Each is a folder that
        `bioner report` wrote, or the JSON of `bioner evaluate --output`.
    seed (int): Of intervals of differences.
    RETURNS (Path): The page.
    RAISES (ConfigError): Less than two runs, and files of another kind.
    """
    require_matplotlib()
    check_folder(output)
    if len(runs) < 2:
        raise ConfigError(f"found {len(runs)} run, expected two or more to compare")
    stored = [_read_run(name, path) for name, path in runs.items()]
    first = stored[0]
    warnings: List[str] = []
    for place, run in enumerate(stored[1:], 1):
        reason = find_difference(first.data, run.data)
        if reason:
            warnings.append(
                f"{run.name} was scored with other {reason} than {first.name}: "
                "do not compare the two"
            )
            # Figures and tables have it too, and may be looked at alone.
            stored[place] = run._replace(name=f"{run.name} (other {reason})")
            continue
        counts = [[Counts(*row) for row in item.measured["documents"]] for item in (first, run)]
        stored[place] = run._replace(compared=compare_systems(*counts, seed=seed))
    with plot_style():
        sections, drawings = make_overview(stored)
        write_drawings(drawings, output / "overview-figures")
    heading = title or f"{len(stored)} runs"
    page = render_run_page(heading, (), sections, None, warnings=warnings)
    path = output / "overview.html"
    write_text(path, page)
    return path


def _read_run(name: str, path: Path) -> StoredRun:
    data = read_evaluation(path / REPORT if path.is_dir() else path)
    attacked = data.get("robustness") or [None]
    return StoredRun(name, data, data.get("training") or (), attacked[0])
