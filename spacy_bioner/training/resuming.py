"""Going on with a training of `spacy train` from a checkpoint."""

import logging
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

import srsly
from spacy.language import Language
from thinc.api import Config

from spacy_bioner.errors import LabelError, TrainingDataError
from spacy_bioner.training.results.exports import META_KEY

logger = logging.getLogger(__name__)
# Settings of components that may change from one training to the next.
FREE = frozenset(
    [
        "adversary",
        "objective",
        "scorer",
        "dropout",
        "lr_scale",
        "crf_lr_scale",
        "layer_decay",
        "checkpointing",
        "precision",
        "batch_pieces",
        "window",
        "overlap",
        "unit",
        "truncate",
        "dataset",
        "max_chars",
        "nO",
    ]
)
LOST = (
    "weights and labels are taken over; the optimizer's moments, the place in the learning-rate "
    "schedule, the order of the documents, averaged weights and the best score so far start anew"
)


def make_resume_from(
    path: Path, after: Optional[Callable[[Language], Language]] = None
) -> Callable[[Language], Language]:
    """Make `spacy_bioner.ResumeFrom.v1`, for `initialize.after_init` of a training config.

    `spacy train` keeps no state of its optimizer, so this does not go on as if nothing had been;
    a line of the log says what is lost. The pipeline's own config forgets the checkpoint, which
    its user does not have.

    path (Path): A checkpoint, such as model-last, or a pipeline that has further components.
    after (Optional[Callable[[Language], Language]]): The config's own `after_init`; it runs first.
    RETURNS (Callable[[Language], Language]): Loads the weights into the initialized pipeline.
    RAISES (TrainingDataError): No checkpoint there, or one with other components.
    RAISES (LabelError): A checkpoint for other labels than those of the training data.
    """

    def resume(nlp: Language) -> Language:
        if after is not None:
            nlp = after(nlp)
        folder = Path(path)
        if not (folder / "meta.json").is_file():
            raise TrainingDataError(
                f"{folder}: found no checkpoint to resume from, expected a pipeline folder; a "
                "training writes model-best and model-last"
            )
        saved = srsly.read_json(folder / "meta.json")
        if not set(nlp.pipe_names) <= set(saved["pipeline"]):
            raise TrainingDataError(
                f"{folder}: found the components {', '.join(saved['pipeline'])}, expected "
                f"{', '.join(nlp.pipe_names)}; resume with the config that it was trained with"
            )
        if META_KEY in saved:
            raise TrainingDataError(
                f"{folder}: found an exported pipeline, which cannot be trained; make one of it "
                f"that can: bioner restore {folder} RESTORED, then --resume RESTORED"
            )
        changed = _compare(Config().from_disk(folder / "config.cfg"), nlp.config)
        if changed:
            raise TrainingDataError(
                f"{folder}: was trained with other settings of the model than these: "
                f"{'; '.join(changed)}. Resume with those that it has, or train anew"
            )
        for name in nlp.pipe_names:
            before, now = saved["labels"].get(name, []), list(nlp.pipe_labels.get(name, []))
            if sorted(before) != sorted(now):
                raise LabelError(_explain(folder, name, before, now))
        for name, component in nlp.pipeline:
            component.from_disk(folder / name, exclude=["vocab"])  # type: ignore[attr-defined]
        start = nlp.config["initialize"]
        start["after_init"] = (start.get("after_init") or {}).get("after")
        logger.warning("resuming from %s: %s", folder, LOST)
        return nlp

    return resume


def _compare(saved: Config, now: Config) -> List[str]:
    """Name the settings that decide what the weights mean and that differ."""
    trained = now.interpolate()["components"]
    kept = {key: own for key, own in saved.interpolate()["components"].items() if key in trained}
    before, after = _flatten(kept), _flatten(trained)
    return [
        f"{key} was {before.get(key)!r}, is {after.get(key)!r}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _flatten(section: Mapping[str, Any], path: str = "components") -> Dict[str, Any]:
    flat: Dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, Mapping):
            if key not in FREE:
                flat.update(_flatten(value, f"{path}.{key}"))
        elif key not in FREE:
            flat[f"{path}.{key}"] = value
    return flat


def _explain(folder: Path, name: str, before: list, now: list) -> str:
    new, gone = sorted(set(now) - set(before)), sorted(set(before) - set(now))
    parts = [f"new: {', '.join(new)}"] if new else []
    parts += [f"gone: {', '.join(gone)}"] if gone else []
    return (
        f"{folder}: component '{name}' was trained for other labels than the training data have "
        f"({'; '.join(parts)}). Map the corpus' labels to those of the checkpoint, or train anew"
    )
