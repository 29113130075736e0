"""The same profile with one encoder after the other, each trained in a process of its own."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.apps.experiments.trials import PlannedTrial, TrialOutcome, run_trials
from spacy_bioner.apps.names import parse_named
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import Profile, check_one_encoder, read_training_config
from spacy_bioner.apps.stored_results import describe_training
from spacy_bioner.apps.subprocesses import explain_exit
from spacy_bioner.apps.training.curves import write_outcome
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import bootstrap_scores
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.locks import refuse_writers_below
from spacy_bioner.files.replacing import write_text
from spacy_bioner.reports.plots.experiments import plot_comparison
from spacy_bioner.reports.text.compare import render_comparison, render_comparison_csv
from spacy_bioner.training.results.experiments import ComparisonRow

ENCODERS: Dict[str, str] = {
    "bert-base-cased": "google-bert/bert-base-cased",
    "biobert-v1.2": "dmis-lab/biobert-base-cased-v1.2",
    "bio-clinicalbert": "emilyalsentzer/Bio_ClinicalBERT",
    "scibert-cased": "allenai/scibert_scivocab_cased",
    "scibert-uncased": "allenai/scibert_scivocab_uncased",
    "bluebert-pubmed-mimic": "bionlp/bluebert_pubmed_mimic_uncased_L-12_H-768_A-12",
    "roberta-base": "FacebookAI/roberta-base",
    "distilbert-cased": "distilbert/distilbert-base-cased",
    "deberta-v3-base": "microsoft/deberta-v3-base",
    "pubmedbert": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
}
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


@guards_outputs("output", file="comparison.json")
def compare_encoders(
    corpus_dir: Path,
    output: Path,
    profile: Profile,
    encoders: Mapping[str, str],
    *,
    seeds: int = 1,
    gpu_id: int = -1,
    max_steps: int = 0,
    overrides: Optional[Mapping[str, Any]] = None,
    keep_models: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> List[ComparisonRow]:
    """Train and test a profile with each encoder; what was finished before is not trained again.

    An encoder from which nothing comes is a row with the reason, and is tried again next time.

    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    output (Path): Gets NAME/seed-0/… and comparison.md, .csv, .json, .png and .svg.
    encoders (Mapping[str, str]): Hub names, folders or "package:NAME" by the names of the rows.
    seeds (int): How many trainings of each, with the seeds 0, 1 and so on.
    RAISES (ConfigError): No encoder or seed; settings that differ from those of finished trainings.
    RAISES (CorpusError): A split that is not there.
    """
    if not encoders or seeds < 1:
        message = f"found {len(encoders)} encoders and {seeds} seeds, expected one or more of each"
        raise ConfigError(f"{message}: name encoders by --encoder NAME=SOURCE, or use --all")
    check_one_encoder(read_training_config(profile.config), next(iter(encoders.values())))
    check_device(gpu_id)
    plan = _plan(corpus_dir, output, profile, encoders, seeds, max_steps, dict(overrides or {}))

    def run(trial: PlannedTrial) -> TrialOutcome:
        job = _make_job(corpus_dir, trial.folder, profile, trial.settings, gpu_id)
        return TrialOutcome(*_run_job(job, trial.folder, keep_model=keep_models))

    results: Dict[str, List[TrialOutcome]] = {name: [] for name in encoders}
    for trial, outcome in zip(plan, run_trials(plan, run, report=report), strict=True):
        results[trial.settings["name"]].append(outcome)
    rows = [summarize_encoder(name, encoders[name], results[name]) for name in encoders]
    _write(rows, output)
    return rows


def summarize_encoder(
    name: str, source: str, runs: Sequence[Tuple[Optional[Mapping[str, Any]], str]]
) -> ComparisonRow:
    """Make the row of an encoder from the results of its seeds, or the reasons why there are none.

    The interval is that of the documents' counts summed over the seeds.
    """
    done = [result for result, _ in runs if result is not None]
    if len(done) < len(runs):
        reason = next(reason for result, reason in runs if result is None)
        return ComparisonRow(name, source, reason=reason)
    documents = [
        sum((Counts(*row) for row in rows), Counts())
        for rows in zip(*(result["document_counts"] for result in done))
    ]
    seeds = [sum((Counts(*row) for row in run["document_counts"]), Counts()) for run in done]
    # Results of before it was shown may be without it.
    gpu_memory = [result.get("gpu_memory_mb") for result in done]
    return ComparisonRow(
        name=name,
        source=source,
        scores=bootstrap_scores(documents),
        dev_f_score=_mean(done, "dev_f_score"),
        training_seconds=_mean(done, "training_seconds"),
        words_per_second=_mean(done, "words_per_second"),
        peak_memory_mb=max(result["peak_memory_mb"] for result in done),
        gpu_memory_mb=max((value for value in gpu_memory if value is not None), default=None),
        parameters=done[0]["parameters"],
        f_scores=[counts.f_score for counts in seeds],
    )


def parse_encoders(items: Sequence[str], *, place: str = "--encoder") -> Dict[str, str]:
    """Read NAME=SOURCE items.

    RAISES (ConfigError): What is none, a name that no folder can have, a name that stands twice.
    """

    def wrong(item: str) -> str:
        return f"{place}: found {item!r}, expected NAME=HUB_OR_FOLDER with a simple name"

    return parse_named(items, place, wrong=wrong, pattern=_NAME)


def read_encoders(path: Path) -> Dict[str, str]:
    """Read a file with NAME=SOURCE in each line; empty lines and those after # are left out.

    RAISES (ConfigError): No such file, or a line that is none.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file, expected NAME=HUB_OR_FOLDER in each line")
    encoders: Dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = parse_encoders([line.strip()], place=f"{path}:{number}")
        if not found.keys().isdisjoint(encoders):
            raise ConfigError(f"{path}:{number}: found a name that stood before")
        encoders.update(found)
    return encoders


def _plan(
    corpus_dir: Path,
    output: Path,
    profile: Profile,
    encoders: Mapping[str, str],
    seeds: int,
    max_steps: int,
    overrides: Dict[str, Any],
) -> List[PlannedTrial]:
    made = describe_training(profile, corpus_dir, seed=0, max_steps=max_steps)
    base = {**made, "overrides": overrides}
    about = made["profile"]
    return [
        PlannedTrial(
            f"{name}, seed {seed}",
            output / name / f"seed-{seed}",
            {**base, "name": name, "seed": seed, "profile": {**about, "encoder": source}},
        )
        for name, source in encoders.items()
        for seed in range(seeds)
    ]


def _make_job(
    corpus_dir: Path, folder: Path, profile: Profile, settings: Mapping[str, Any], gpu_id: int
) -> Dict[str, Any]:
    encoder = settings["profile"]["encoder"]
    return {
        "profile": {**asdict(profile), "config": str(profile.config), "encoder": encoder},
        "corpus_dir": str(corpus_dir),
        "folder": str(folder),
        "result": str(folder / "measured.json"),
        "gpu_id": gpu_id,
        **{name: settings[name] for name in ("seed", "max_steps", "overrides")},
    }


def _run_job(
    job: Mapping[str, Any], folder: Path, *, keep_model: bool
) -> Tuple[Optional[Dict[str, Any]], str]:
    """Run a job in a process of its own; its output goes to FOLDER/output.log.

    RETURNS (Tuple[Optional[Dict[str, Any]], str]): The result, or None and the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A training outlives this command where only this was killed.
    refuse_writers_below(folder)
    measured = Path(job["result"])
    measured.unlink(missing_ok=True)
    write_json(folder / "job.json", job)
    command = [sys.executable, "-m", "spacy_bioner.apps.training.trial"]
    log = folder / "output.log"
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            [*command, str(folder / "job.json")], stdout=stream, stderr=subprocess.STDOUT
        )
    if not keep_model:
        shutil.rmtree(folder / "model", ignore_errors=True)
    if done.returncode or not measured.is_file():
        return None, f"{explain_exit(done.returncode, log, subject='the training')}; see {log}"
    result = json.loads(measured.read_text(encoding="utf-8"))
    measured.unlink()
    return result, ""


def _write(rows: Sequence[ComparisonRow], output: Path) -> None:
    data = [row.to_json() for row in rows]
    table = render_comparison(rows)
    write_outcome(output, "comparison", data, table, lambda: plot_comparison(rows))
    write_text(output / "comparison.csv", render_comparison_csv(rows))


def _mean(results: Sequence[Mapping[str, Any]], name: str) -> Optional[float]:
    known = [result[name] for result in results if result[name] is not None]
    return sum(known) / len(known) if known else None
