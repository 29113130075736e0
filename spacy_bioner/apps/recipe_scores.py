"""What the steps of a recipe left: scores, tables, verdicts, plots and pages."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence

from spacy_bioner.apps.recipes import Command
from spacy_bioner.errors import BionerError
from spacy_bioner.reports.recipes import ScoreRow, StepResult

LOGS = "logs"
_PLOTS = ("*.png", "*.html")
_SPANS = "spans"


def collect_results(
    commands: Sequence[Command], out: Path, *, seconds: Mapping[str, float]
) -> List[StepResult]:
    """Read what of the steps the summary quotes.

    seconds (Mapping[str, float]): What each step took, by name.
    RAISES BionerError: For a file of scores that cannot be read.
    """
    results = []
    for command in commands:
        step, folder = command.step, command.folder
        data = _read(folder / step.scores) if step.scores else None
        rows = _READERS[command.words[1]](command, data) if step.scores else ()
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


def _read_evaluation(command: Command, data: Any) -> Iterator[ScoreRow]:
    split = Path(data["corpus"]).stem
    labels = f", {' and '.join(data['labels'])} only" if data.get("labels") else ""
    group = data.get("spans_key")
    for source, name in (("pipeline", ""), (_SPANS, f", all of doc.spans[{group!r}]")):
        if source in data["scores"]:
            row = data["scores"][source]["micro"]
            yield _make_row(command.step.title + name, f"{split}{labels}", row)


def _read_comparison(command: Command, data: Any) -> Iterator[ScoreRow]:
    for item in data:
        scores = item["scores"] or {}
        values = {name: scores[name]["value"] for name in scores if isinstance(scores[name], dict)}
        yield _make_row(f"{item['name']} ({item['source']})", "test", values)


def _read_folds(command: Command, data: Any) -> Iterator[ScoreRow]:
    number = len(data["folds"])
    yield _make_row(command.step.title, f"training documents, {number} folds", data["pooled"])


_READERS: Dict[str, Callable[[Command, Any], Iterator[ScoreRow]]] = {
    "evaluate": _read_evaluation,
    "compare": _read_comparison,
    "kfold": _read_folds,
}


def _make_row(system: str, data: str, values: Mapping[str, Any]) -> ScoreRow:
    shares = {name: values.get(name) for name in ("precision", "recall", "f_score")}
    percents = {name: None if v is None else 100 * v for name, v in shares.items()}
    return ScoreRow(system, data, mentions=values.get("gold"), **percents)


def _read_notes(command: Command, data: Any) -> Iterator[str]:
    if command.words[1] == "compare":
        for item in data or ():
            if item["reason"]:
                yield f"{item['name']} ({item['source']}): {item['reason']}"
    for path in sorted(command.folder.glob("*/ensemble.json")):
        yield f"{command.step.name}: {_read(path)['verdict']}"
