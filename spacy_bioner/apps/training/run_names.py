"""How what a training writes beside its checkpoints is called."""

from pathlib import Path
from typing import Optional

from spacy_bioner.files.outputs import name_beside

LOG = "training.jsonl"


def find_log(pipeline: Path) -> Optional[Path]:
    """Find the training log that belongs to a checkpoint, RUN/model-best."""
    run = pipeline.resolve().parent
    names = (name_log(run), run / LOG)
    return next((path for path in names if path.is_file()), None)


def name_log(output: Path) -> Path:
    """Say where the log of a training is by default: OUT.training.jsonl beside OUT."""
    return name_beside(output, f".{LOG}")


def interrupted_folder(output: Path) -> Path:
    """Say where the checkpoints of a training that ended early are kept."""
    return name_beside(output, ".interrupted")


def interrupted_log(output: Path, log_path: Path) -> Path:
    """Say where the log of a training that ended early is kept, beside that of a result."""
    kept, ending = interrupted_folder(output), log_path.name.removeprefix(f"{output.name}.")
    if ending != log_path.name:
        return log_path.with_name(f"{kept.name}.{ending}")
    return log_path.with_name(f"{log_path.stem}.interrupted{log_path.suffix}")
