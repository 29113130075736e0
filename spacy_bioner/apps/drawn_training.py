"""A training with its curves: nothing is trained without them, also not what ends early."""

import logging
from pathlib import Path
from typing import Any, Mapping

from spacy_bioner.apps.curves import write_training_curves
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.training import train
from spacy_bioner.errors import BionerError
from spacy_bioner.reports.figures import require_matplotlib

logger = logging.getLogger(__name__)


def train_and_draw(
    profile: Profile,
    corpus_dir: Path,
    output: Path,
    *,
    log_path: Path,
    name: str = "",
    title: str = "",
    **training: Any,
) -> Path:
    """Train a profile and draw its curves beside the log.

    log_path (Path): Gets a JSON line per evaluation; a config with another logger writes none, and
        nothing is drawn.
    name (str): The pictures' name without ending; empty: the log's.
    training (Any): Further settings of `apps.training.train`.
    RETURNS (Path): The folder of the best checkpoint.
    RAISES ConfigError: Without matplotlib, before anything is trained.
    """
    require_matplotlib()
    place: Any = {"folder": log_path.parent, "name": name or log_path.stem, "title": title}
    # The curves of an earlier training are not those of one that fails at once.
    log_path.unlink(missing_ok=True)
    try:
        best = train(profile, corpus_dir, output, log_path=log_path, **training)
    except Exception:
        if log_path.is_file():
            _try_to_draw(log_path, place)
        raise
    if log_path.is_file():
        write_training_curves(log_path, config_path=best / "config.cfg", **place)
    return best


def _try_to_draw(log_path: Path, place: Mapping[str, Any]) -> None:
    try:
        write_training_curves(log_path, **place)
    except BionerError as error:
        logger.warning("no curves: %s", error)
