"""`bioner overview`: one page that compares runs."""

import json
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence

from spacy_bioner.apps.curves import write_figure
from spacy_bioner.apps.finished_runs import write_json
from spacy_bioner.apps.significance import read_evaluation
from spacy_bioner.corpora.files import replacing
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.evaluation.significance import compare_systems
from spacy_bioner.reports.figures import plot_style, require_matplotlib
from spacy_bioner.reports.overview_sections import StoredRun, make_overview
from spacy_bioner.reports.run_page import render_run_page

REPORT = "report.json"


def write_overview(
    runs: Mapping[str, Path], output: Path, *, title: str = "", seed: int = 0
) -> Path:
    """Compare runs on one page, OUT/overview.html, with PNG, SVG and JSON of its figures beside it.

    runs (Mapping[str, Path]): The first is what the others are held against. Each is a folder that
        `bioner report` wrote, or the JSON of `bioner evaluate --output`.
    seed (int): Of intervals of differences.
    RETURNS (Path): The page.
    RAISES ConfigError: Less than two runs, and files of another kind.
    """
    require_matplotlib()
    if len(runs) < 2:
        raise ConfigError(f"found {len(runs)} runs, expected two or more to compare")
    stored = [_read_run(name, path) for name, path in runs.items()]
    first = stored[0]
    warnings: List[str] = []
    for place, run in enumerate(stored[1:], 1):
        reason = _why_not_comparable(first.data, run.data)
        if reason:
            warnings.append(f"{run.name} was scored {reason} {first.name}: do not compare the two")
            continue
        counts = [[Counts(*row) for row in item.measured["documents"]] for item in (first, run)]
        stored[place] = run._replace(compared=compare_systems(*counts, seed=seed))
    with plot_style():
        sections, drawings = make_overview(stored)
        for name, drawing in drawings.items():
            write_figure(drawing.figure, output, name)
            write_json(output / f"{name}.json", drawing.data)
    facts = [("runs", str(len(stored)))]
    page = render_run_page(title or f"{len(stored)} runs", facts, sections, None, warnings=warnings)
    path = output / "overview.html"
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _read_run(name: str, path: Path) -> StoredRun:
    data = read_evaluation(path / REPORT if path.is_dir() else path)
    if not path.is_dir():
        return StoredRun(name, data)
    attacked = _read_beside(path / "robustness.json") or [None]
    return StoredRun(name, data, _read_beside(path / "training.json"), attacked[0])


def _read_beside(path: Path) -> Sequence[Any]:
    if not path.is_file():
        return ()
    try:
        found: Sequence[Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: found no JSON ({error}), write the report again") from error
    return found


def _why_not_comparable(first: Mapping[str, Any], other: Mapping[str, Any]) -> Optional[str]:
    if first["ids"] != other["ids"]:
        return "on other documents than"
    if first.get("labels") != other.get("labels"):
        return "by other labels than"
    gold = [
        [row[0] + row[2] for row in item["measurement"]["documents"]] for item in (first, other)
    ]
    return None if gold[0] == gold[1] else "against other gold mentions than"
