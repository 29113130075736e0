"""Runs of our own training loop to their end: checkpoints, log and curves beside the result."""

from pathlib import Path
from typing import Any, Callable, Dict, List

from spacy_bioner.apps.training.curves import write_figure
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.outputs import name_beside
from spacy_bioner.reports.plots.loop import plot_run
from spacy_bioner.reports.plots.style import plot_style, require_matplotlib
from spacy_bioner.training.loop import LoopFiles, RateSchedule, Task, run_steps


def check_output(output: Path, account: str) -> None:
    """Make sure, before anything is computed, that a result can be put in its place with curves.

    account (str): The file by which an earlier result is told.
    RAISES (CorpusError): For something else at that place.
    RAISES (ConfigError): Without matplotlib.
    """
    require_matplotlib()
    if output.exists() and not (output / account).is_file():
        message = "found something else than an earlier result there; name another folder"
        raise CorpusError(message, path=output)


def run_to_end(
    task: Task,
    pace: RateSchedule,
    output: Path,
    fixed: Dict[str, Any],
    *,
    title: str,
    on_log: Callable[[Dict[str, Any]], None],
    start_notes: Dict[str, Any],
    **settings: Any,
) -> List[Dict[str, Any]]:
    """Run a task and draw its curves to OUT.png and OUT.svg.

    fixed (Dict[str, Any]): What the result depends on; a checkpoint of others is refused.
    settings (Any): The others of `run_steps`: resume, checkpoint_every and so on.
    RETURNS (List[Dict[str, Any]]): What was measured on what was held out.
    """
    log = run_steps(
        task,
        pace,
        LoopFiles.beside(output),
        fixed,
        start_notes={**start_notes, "settings": fixed},
        on_log=on_log,
        **settings,
    )
    entries = log.read()
    with plot_style():
        picture = name_beside(output, "")
        write_figure(plot_run(entries, title=title), picture.parent, picture.name)
    return [entry for entry in entries if entry.get("event") == "held_out"]


def drop_state(output: Path) -> None:
    """Remove the checkpoint of a run whose result is in place."""
    LoopFiles.beside(output).finish()
