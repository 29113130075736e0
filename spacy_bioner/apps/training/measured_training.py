"""One training in a process of its own, so that its peak memory is its own: train, test, measure.

Run as `python -m spacy_bioner.apps.training.measured_training JOB.json`; the result goes to a file that the
job names, errors to the error stream.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Mapping

from spacy.language import Language

from spacy_bioner.apps.results import write_json
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.training.trial import train_and_test
from spacy_bioner.errors import BionerError

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
