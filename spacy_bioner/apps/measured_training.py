"""One training in a process of its own, so that its peak memory is its own: train, test, measure.

Run as `python -m spacy_bioner.apps.measured_training JOB.json`; the result goes to a file that the
job names, errors to the error stream.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, Mapping

from spacy.language import Language

from spacy_bioner.apps.curves import write_training_curves
from spacy_bioner.apps.finished_runs import write_json
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.training import train
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.intervals import evaluate_documents

_STATUS = Path("/proc/self/status")
MEBIBYTE = 1 << 20


def train_and_measure(job: Mapping[str, Any]) -> Dict[str, Any]:
    """Do what a job says.

    job (Mapping[str, Any]): profile (fields of `Profile`), corpus_dir, folder, seed, gpu_id,
        max_steps and overrides.
    RETURNS (Dict[str, Any]): Scores and times. Training seconds have the evaluations on the
        development set in them; peak memory is that of training, before the test.
    """
    profile = Profile(**job["profile"])
    profile = replace(profile, config=Path(profile.config))
    corpus_dir, folder = Path(job["corpus_dir"]), Path(job["folder"])
    log = folder / "training.jsonl"
    start = perf_counter()
    best = train(
        profile,
        corpus_dir,
        folder / "model",
        gpu_id=job["gpu_id"],
        seed=job["seed"],
        max_steps=job["max_steps"],
        log_path=log,
        overrides=job["overrides"],
    )
    seconds, peak = perf_counter() - start, read_peak_memory()
    write_training_curves(log, folder, config_path=best / "config.cfg")
    nlp = load_pipeline(str(best), gpu_id=job["gpu_id"])
    evaluation = evaluate_documents(nlp, read_docbin(corpus_dir / "test.spacy", nlp.vocab))
    return {
        "dev_f_score": nlp.meta.get("performance", {}).get("ents_f"),
        "training_seconds": round(seconds, 1),
        "peak_memory_mb": round(peak / MEBIBYTE, 1),
        "gpu_memory_mb": _read_gpu_memory(job["gpu_id"]),
        "words_per_second": evaluation.words_per_second,
        "parameters": count_parameters(nlp),
        "scores": evaluation.scores.to_json(),
        "document_counts": [[item.tp, item.fp, item.fn] for item in evaluation.counts],
    }


def read_peak_memory() -> int:
    """Give the most memory that this process held at a time, in bytes.

    Linux counts what a process held before it became this program (its parent's memory, when that
    was large) into `ru_maxrss`, but not into VmHWM.
    """
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


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
