"""What the steps of a recipe left: scores, tables, verdicts, plots and pages."""

import json
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Sequence

from spacy_bioner.apps.recipes.plan import Command
from spacy_bioner.apps.recipes.score_readers import READERS
from spacy_bioner.errors import BionerError
from spacy_bioner.training.results.recipes import StepResult

LOGS = "logs"
_PLOTS = ("*.png", "*.html")


def collect_results(
    commands: Sequence[Command], out: Path, *, seconds: Mapping[str, float]
) -> List[StepResult]:
    """Read what of the steps the summary quotes.

    seconds (Mapping[str, float]): What each step took, by name.
    RAISES (BionerError): For a file of scores that cannot be read.
    """
    results = []
    for command in commands:
        step, folder = command.step, command.folder
        data = _read(folder / step.scores) if step.scores else None
        rows = READERS[command.words[1]](step.title, data) if step.scores else ()
        results.append(
            StepResult(
                name=step.name,
                title=step.title,
                line=command.line,
                seconds=seconds.get(step.name, 0.0),
                rows=tuple(rows),
                tables=tuple(
                    (folder / item).read_text(encoding="utf-8").strip() for item in step.tables
                ),
                notes=tuple(_read_notes(command, data)),
                plots=tuple(
                    str(path.relative_to(out))
                    for pattern in _PLOTS
                    for path in sorted(folder.glob(pattern))
                ),
                log=f"{LOGS}/{step.name}.log",
            )
        )
    return results


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"found no scores ({error}); remove the step's folder to run it again"
        raise BionerError(f"{path}: {message}") from error


def _read_notes(command: Command, data: Any) -> Iterator[str]:
    if command.words[1] == "compare":
        for item in data or ():
            if item["reason"]:
                yield f"{item['name']} ({item['source']}): {item['reason']}"
    for path in sorted(command.folder.glob("*/ensemble.json")):
        yield f"{command.step.name}: {_read(path)['verdict']}"
