"""Running a recipe: one process and one log for each step, and what is finished is not run again.

OUT/steps.json says which command each step was started with and whether it ended well. A step runs
anew, in an emptied folder, when its command changed, an output is missing or a step that it uses
ran after it; one that was killed goes on in its folder, where many commands resume.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Callable, Dict, List, Mapping, Sequence

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.recipes.plan import Choices, Command, describe_run, plan_recipe
from spacy_bioner.apps.recipes.recipe_file import Recipe
from spacy_bioner.apps.recipes.results import LOGS, collect_results
from spacy_bioner.apps.subprocesses import explain_exit
from spacy_bioner.errors import BionerError, ConfigError, StoppedError
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.locks import refuse_writers_below
from spacy_bioner.files.outputs import is_debris
from spacy_bioner.files.replacing import write_text
from spacy_bioner.reports.text.recipe import render_recipe

STATE = "steps.json"
SUMMARY = "recipe.md"
FINISHED = "finished before"
_GRACE = 60.0
RunCommand = Callable[[Sequence[str], Path], int]


@dataclass
class State:
    """What is known of the steps of a run.

    path (Path): The file.
    recipe (str): The recipe's name.
    steps (Dict[str, Dict]): By name: command, number (a later start has a greater one), finished
        and seconds.
    """

    path: Path
    recipe: str
    steps: Dict[str, Dict[str, Any]]

    def start(self, name: str, command: Sequence[str]) -> None:
        """Note that a step begins."""
        number = 1 + max((step["number"] for step in self.steps.values()), default=0)
        self.steps[name] = {"command": list(command), "number": number, "finished": False}
        self.store()

    def finish(self, name: str, seconds: float) -> None:
        """Note that a step ended well."""
        self.steps[name].update(finished=True, seconds=round(seconds, 1))
        self.store()

    def store(self) -> None:
        """Write the file, whole or not at all."""
        write_json(self.path, {"recipe": self.recipe, "steps": self.steps})


def run_in_process(words: Sequence[str], log: Path) -> int:
    """Run a `bioner` command in a process of its own, all output to a log.

    RETURNS (int): The exit code; below 0 for a signal.
    """
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "spacy_bioner.apps.cli", *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal told the command as well: it may have checkpoints to put aside.
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


@guards_outputs("out", file=STATE)
def run_recipe(
    recipe: Recipe,
    out: Path,
    choices: Choices,
    *,
    report: Callable[[str], None] = lambda line: None,
    run_command: RunCommand = run_in_process,
) -> Path:
    """Run the steps of a recipe that are not finished, and sum up what came of all.

    out (Path): Gets a folder for each step, logs, steps.json and recipe.md.
    run_command (Callable): Runs a command line and writes its output to a log.
    RETURNS (Path): The summary.
    RAISES (ConfigError): Settings that cannot be used, a folder that is another recipe's.
    RAISES (BionerError): For a step that failed, with its log; for an interrupt.
    """
    commands = plan_recipe(recipe, out, choices)
    _check_files(recipe, commands, choices)
    state = _load_state(out, recipe)
    # A step outlives this command where only this was killed.
    refuse_writers_below(out)
    for place, command in enumerate(commands, start=1):
        name = command.step.name
        head = f"{place} of {len(commands)} {name}"
        reason = find_reason(command, commands[: place - 1], state, out)
        if reason == FINISHED:
            report(f"{head}: {FINISHED}")
            continue
        report(f"{head}: {command.step.title}" + (f" ({reason})" if reason else ""))
        _run_step(command, state, out, head=head, run_command=run_command)
    seconds = {name: step.get("seconds", 0.0) for name, step in state.steps.items()}
    results = collect_results(commands, out, seconds=seconds)
    text = render_recipe(
        recipe.about, results, how=describe_run(recipe, choices), corpus=choices.corpus
    )
    write_text(out / SUMMARY, text)
    return out / SUMMARY


def find_reason(command: Command, earlier: Sequence[Command], state: State, out: Path) -> str:
    """Say why a step has to run: `FINISHED` if it has not to, nothing for the first time.

    A folder whose content is of no use any more is removed.
    """
    known = state.steps.get(command.step.name)
    if known is None:
        reason, keeps = "", False
    elif known["command"] != _without_place(command, out):
        reason, keeps = "its command changed", False
    elif any(_number(state, other) > known["number"] for other in earlier if command.uses(other)):
        reason, keeps = "a step that it uses ran anew", False
    elif not known["finished"]:
        reason, keeps = "it was not finished", True
    else:
        missing = _find_missing(command)
        reason, keeps = (f"{missing[0]} is missing", False) if missing else (FINISHED, True)
    if not keeps and command.folder.exists():
        shutil.rmtree(command.folder)
    return reason


def _check_files(recipe: Recipe, commands: Sequence[Command], choices: Choices) -> None:
    """Make sure, before the first step, that what ships and what the user names is there."""
    if choices.corpus and not Path(choices.corpus).exists():
        raise ConfigError(f"--corpus {choices.corpus}: no such file or folder; {recipe.about.data}")
    words = {word for command in commands for word in command.words}
    missing = sorted(w for w in words if w.startswith("assets/") and not Path(w).exists())
    if missing:
        raise ConfigError(
            f"{missing[0]}: no such file; run the command in the project folder, where "
            "`python assets/demo/build.py` builds the demo corpus"
        )


def _run_step(
    command: Command, state: State, out: Path, *, head: str, run_command: RunCommand
) -> None:
    name = command.step.name
    log = out / LOGS / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command.folder.mkdir(parents=True, exist_ok=True)
    state.start(name, _without_place(command, out))
    start = perf_counter()
    try:
        code = run_command(command.words, log)
    except KeyboardInterrupt:
        message = f"interrupted in step {name}; the same command goes on with it"
        raise StoppedError(message) from None
    missing = _find_missing(command)
    if code or missing:
        why = explain_exit(code, log) if code else f"it did not write {', '.join(missing)}"
        raise BionerError(f"step {head} failed: {why}; its log is {log}")
    state.finish(name, perf_counter() - start)


def _find_missing(command: Command) -> List[str]:
    return [item for item in command.step.leaves if not (command.folder / item).exists()]


def _load_state(out: Path, recipe: Recipe) -> State:
    path = out / STATE
    if not path.is_file():
        if out.exists() and (out.is_file() or not all(map(is_debris, out.iterdir()))):
            message = "found something else than an earlier run of a recipe; name a new folder"
            raise ConfigError(f"{out}: {message}")
        return State(path, recipe.name, {})
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found, steps = str(data["recipe"]), dict(data["steps"])
    except (ValueError, KeyError, TypeError) as error:
        message = f"found no account of a recipe's steps ({error}); name a new folder"
        raise ConfigError(f"{path}: {message}") from error
    if found != recipe.name:
        message = f"found a run of {found}, expected one of {recipe.name}; name a new folder"
        raise ConfigError(f"{path}: {message}")
    return State(path, recipe.name, steps)


def _without_place(command: Command, out: Path) -> List[str]:
    """Return the command line as it would be in any other OUT, so that OUT can be moved."""
    return [word.replace(str(out), "${out}") for word in command.words]


def _number(state: State, command: Command) -> int:
    known: Mapping[str, Any] = state.steps.get(command.step.name, {})
    return int(known.get("number", 0))
