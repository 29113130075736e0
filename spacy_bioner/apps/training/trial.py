"""A training from its start to its scores on the test set, as k-fold and comparisons need it.

Run as a program with a JSON file, it measures time, memory and parameters in a process of its own.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, Mapping

from spacy.language import Language

from spacy_bioner.apps.diagnosis.machine import read_peak_memory
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.training.run_names import LOG
from spacy_bioner.apps.training.train import train_and_draw
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.runner import DocumentEvaluation, evaluate_documents
from spacy_bioner.files.json_files import write_json

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class TestedTraining:
    """What came of a training.

    nlp (Language): The best checkpoint.
    evaluation (DocumentEvaluation): On the test set.
    seconds (float): Of training, with the evaluations on the development set in them.
    peak_memory (int): The most memory that the process had held by the end of training, in bytes.
    """

    nlp: Language
    evaluation: DocumentEvaluation
    seconds: float
    peak_memory: int

    @property
    def outcome(self) -> Dict[str, Any]:
        """The F1 on the development set, and scores and counts by document on the test set."""
        return {
            "dev_f_score": self.nlp.meta.get("performance", {}).get("ents_f"),
            "scores": self.evaluation.scores.to_json(),
            "document_counts": [[item.tp, item.fp, item.fn] for item in self.evaluation.counts],
        }


def train_and_test(
    profile: Profile, corpus_dir: Path, folder: Path, *, title: str = "", **training: Any
) -> TestedTraining:
    """Train a profile into FOLDER/model, draw its curves, and test the best checkpoint.

    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    training (Any): Settings of `apps.training.train`: gpu_id, seed, max_steps, overrides.
    """
    drawn: Any = {"log_path": folder / LOG, "name": "curves", "title": title}
    start = perf_counter()
    best = train_and_draw(profile, corpus_dir, folder / "model", **drawn, **training)
    seconds, peak = perf_counter() - start, read_peak_memory()
    nlp = load_pipeline(str(best), gpu_id=training["gpu_id"])
    evaluation = evaluate_documents(nlp, read_docbin(corpus_dir / "test.spacy", nlp.vocab))
    return TestedTraining(nlp, evaluation, seconds, peak)


def train_and_measure(job: Mapping[str, Any]) -> Dict[str, Any]:
    """Do what a job says.

    job (Mapping[str, Any]): profile (fields of `Profile`), corpus_dir, folder, seed, gpu_id,
        max_steps and overrides.
    RETURNS (Dict[str, Any]): Scores and times. Training seconds have the evaluations on the
        development set in them; peak memory is that of training, before the test.
    """
    profile = Profile(**job["profile"])
    profile = replace(profile, config=Path(profile.config))
    done = train_and_test(
        profile,
        Path(job["corpus_dir"]),
        Path(job["folder"]),
        **{name: job[name] for name in ("gpu_id", "seed", "max_steps", "overrides")},
    )
    return {
        **done.outcome,
        "training_seconds": round(done.seconds, 1),
        "peak_memory_mb": round(done.peak_memory / MEBIBYTE, 1),
        "gpu_memory_mb": _read_gpu_memory(job["gpu_id"]),
        "words_per_second": done.evaluation.pace.words_per_second,
        "parameters": count_parameters(done.nlp),
    }


def count_parameters(nlp: Language) -> int:
    """Count the weights of all components, those that are shared once."""
    sizes: Dict[int, int] = {}
    for _, component in nlp.pipeline:
        model = getattr(component, "model", None)
        for node in model.walk() if model is not None else ():
            for name in node.param_names:
                if node.has_param(name):
                    array = node.get_param(name)
                    sizes[id(array)] = array.size
            for shim in node.shims:
                network = getattr(shim, "_model", None)
                for weight in network.parameters() if network is not None else ():
                    sizes[id(weight)] = weight.numel()
    return sum(sizes.values())


def _read_gpu_memory(gpu_id: int) -> Any:
    if gpu_id < 0:
        return None
    import torch

    return round(torch.cuda.max_memory_allocated(gpu_id) / MEBIBYTE, 1)


def main(path: Path) -> int:
    """Read a job, do it and store its result.

    RETURNS (int): The exit code: 1 where the error stream says why nothing came of it.
    """
    job = json.loads(path.read_text(encoding="utf-8"))
    try:
        result = train_and_measure(job)
    except BionerError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    write_json(Path(job["result"]), result)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
