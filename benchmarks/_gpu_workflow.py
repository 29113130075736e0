"""Sections of `gpu_check.py`: the commands of a project, from corpus to installed package."""

import json
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

import srsly
from _common import note
from _gpu_setup import Setup, Table, free_memory

from spacy_bioner.evaluation.runner import PIPELINE

TAG = """
import json, sys
from spacy_bioner.apps.loading import load_pipeline
nlp = load_pipeline(sys.argv[1], gpu_id=int(sys.argv[2]))
doc = nlp(open(sys.argv[3], encoding="utf8").read())
print(json.dumps([[e.start_char, e.end_char, e.label_] for e in doc.ents]))
"""
LINES = 25


def run_workflow(setup: Setup) -> Iterator[Table]:
    """Train a small encoder, then evaluate, assemble, package, install and load the result."""
    folder = setup.folder / "workflow"
    folder.mkdir()
    shell = Shell(folder / "workflow.log")
    model, assembled = folder / "run" / "model-best", folder / "assembled"
    n_steps = 60 if setup.quick else 400
    rate = ("--training.optimizer.learn_rate.initial_rate", "1e-3")
    training = ("train", setup.corpus_dir, folder / "run", "--encoder", setup.small_encoder())
    options = ("--gpu-id", setup.gpu_id, "--max-steps", n_steps, "--seed", setup.seed)
    often = ("--training.eval_frequency", n_steps // 2)
    shell.process(*training, *options, *rate, *often)
    scores = {}
    for device, gpu_id in {"GPU": setup.gpu_id, "CPU": -1}.items():
        output = folder / f"{device}.json"
        gold = setup.corpus_dir / "test.spacy"
        found = ("evaluate", model, gold, "--output", output, "--gpu-id", gpu_id)
        shell.command(*found, "--resamples", 50)
        scores[device] = _f1(srsly.read_json(output))
        shell.steps[-1] = (f"evaluate, {device}", shell.steps[-1][1], f"F1 {scores[device]:.2f}")
    shell.command("assemble", model, assembled)
    packages, name = folder / "packages", "bioner_random"
    account = ("--corpus", setup.corpus_dir / "corpus.json")
    shell.command("package", assembled, packages, "--name", name, *account)
    found = _load_package(setup, shell, packages, f"en_{name}")
    yield _report(setup, shell, scores, found, n_steps)


def run_flagship(setup: Setup) -> Iterator[Table]:
    """Train the profile `biobert` for some steps on weights of its size and layout."""
    free_memory()
    folder = setup.folder / "flagship"
    folder.mkdir()
    shell = Shell(folder / "flagship.log")
    n_steps = 4 if setup.quick else 40
    training = ("train", setup.corpus_dir, folder / "run", "--profile", "biobert")
    options = ("--encoder", setup.base_encoder(), "--gpu-id", setup.gpu_id)
    length = ("--max-steps", n_steps, "--training.eval_frequency", n_steps // 2)
    shell.process(*training, *options, *length, "--package-name", "bioner_biobert")
    log = list(srsly.read_jsonl(folder / "run.training.jsonl"))
    losses = [entry["losses"]["bioner"] for entry in log if "losses" in entry]
    step = (f"train, {n_steps} steps", shell.steps[0][1], f"losses {_listed(losses)}")
    wrong = () if losses else ("biobert: no losses in the log",)
    about = {"n": f"{n_steps} steps, {setup.source}", "seed": 0}
    rows = [("step", "s", "result"), step]
    yield Table("Profile biobert, random weights", rows, about=about, wrong=wrong)


class Shell:
    """Runs commands of `bioner`, notes their seconds, and keeps what they print.

    steps (List[Tuple[str, str, str]]): Name, seconds and result of each.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.steps: List[Tuple[str, str, str]] = []

    def command(self, *words: Any) -> None:
        """Run a command in this process: imports take longer than most commands."""
        from spacy_bioner.apps.cli.main import run

        def call() -> int:
            with self.log.open("a", encoding="utf8") as file, redirect_stdout(file):
                try:
                    run([str(word) for word in words])
                except SystemExit as left:
                    return int(left.code or 0)
            return 0

        self._measure(str(words[0]), call)

    def process(self, *words: Any) -> None:
        """Run a command as users do, in a process of its own."""
        command = [sys.executable, "-m", "spacy_bioner.apps.cli", *map(str, words)]
        self.call(str(words[0]), command)

    def call(self, name: str, command: Sequence[str], **environment: str) -> str:
        """Run any program. RETURNS: The last line that it printed."""
        lines: List[str] = []

        def call() -> int:
            merged = {**os.environ, **environment}
            done = subprocess.run(command, env=merged, capture_output=True, text=True)
            with self.log.open("a", encoding="utf8") as file:
                file.write(done.stderr + done.stdout)
            lines.extend(done.stdout.strip().splitlines())
            return done.returncode

        self._measure(name, call)
        return lines[-1] if lines else ""

    def _measure(self, name: str, call: Callable[[], int]) -> None:
        began = time.perf_counter()
        code = call()
        self.steps.append((name, f"{time.perf_counter() - began:.1f}", "done"))
        note(" ".join(self.steps[-1][:2]))
        if code:
            end = "\n".join(self.log.read_text("utf8").splitlines()[-LINES:])
            raise RuntimeError(f"{name} ended with exit code {code}:\n{end}")


def _load_package(setup: Setup, shell: Shell, packages: Path, package: str) -> Dict[str, Any]:
    """Install the wheel into a folder of its own and load it by its name on both devices."""
    site = packages.parent / "site"
    (wheel,) = packages.glob("*/dist/en_*.whl")
    options = ("-q", "--no-index", "--no-deps", "--target", str(site))
    shell.call("pip install", [sys.executable, "-m", "pip", "install", *options, str(wheel)])
    paths = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    text = setup.folder / "text.txt"
    text.write_text("\n\n".join(setup.dev_texts[:5]), encoding="utf8")
    found = {}
    for device, gpu_id in {"GPU": setup.gpu_id, "CPU": -1}.items():
        command = [sys.executable, "-c", TAG, package, str(gpu_id), str(text)]
        found[device] = json.loads(shell.call(f"load, {device}", command, PYTHONPATH=paths))
        name, seconds, _ = shell.steps[-1]
        shell.steps[-1] = (name, seconds, f"{len(found[device]):,} entities")
    return found


def _report(
    setup: Setup, shell: Shell, scores: Dict[str, float], found: Dict[str, Any], n_steps: int
) -> Table:
    wrong = []
    if not found["GPU"] or not found["CPU"]:
        wrong.append("workflow: the installed package finds no entities")
    if abs(scores["GPU"] - scores["CPU"]) > 1.0:
        wrong.append(f"workflow: F1 differs between devices: {scores}")
    same = sum(entity in found["CPU"] for entity in found["GPU"])
    about = {
        "n": f"{n_steps} steps, {setup.source}; {same:,} entities of the package on both devices",
        "seed": setup.seed,
        "precision": "auto",
    }
    rows = [("step", "s", "result"), *shell.steps]
    return Table("Workflow, small encoder", rows, about=about, wrong=tuple(wrong))


def _f1(account: Dict[str, Any]) -> float:
    return 100 * float(account["scores"][PIPELINE]["micro"]["f_score"] or 0.0)


def _listed(losses: Sequence[float]) -> str:
    return ", ".join(f"{loss:.3f}" for loss in losses)
