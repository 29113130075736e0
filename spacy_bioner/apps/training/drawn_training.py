"""A training with its curves: nothing is trained without them, also not what ends early."""

import filecmp
import logging
import os
import shutil
from pathlib import Path
from typing import Any, Mapping, Optional

from spacy_bioner.apps.training.curves import write_training_curves
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.training.train import interrupted_folder, train
from spacy_bioner.errors import BionerError
from spacy_bioner.files.outputs import beside, claiming, follow_links
from spacy_bioner.files.replacing import replacing
from spacy_bioner.files.same_files import check_apart
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
        nothing is drawn. Where the training ends early and an earlier result stays, its log does
        too, and the new one is kept as "interrupted".
    name (str): The pictures' name without ending; empty: the log's.
    training (Any): Further settings of `apps.training.train`.
    RETURNS (Path): The folder of the best checkpoint.
    RAISES ConfigError: Without matplotlib, before anything is trained.
    """
    require_matplotlib()
    place: Any = {"folder": log_path.parent, "title": title}
    data = [corpus_dir / f"{split}.spacy" for split in ("train", "dev")]
    check_apart([output, log_path], [*data, profile.config])
    with claiming(output, log_path):
        _set_aside(output, log_path)
        try:
            best = train(profile, corpus_dir, output, log_path=log_path, **training)
        except Exception:
            left = _settle(output, log_path)
            if left is not None:
                own = left.stem if left != log_path else name or left.stem
                _try_to_draw(left, {**place, "name": own})
            raise
        if _is_as_before(log_path):
            # A config without our logger wrote none.
            log_path.unlink()
        _earlier(log_path).unlink(missing_ok=True)
        if log_path.is_file():
            place["name"] = name or log_path.stem
            write_training_curves(log_path, config_path=best / "config.cfg", **place)
    return best


def interrupted_log(output: Path, log_path: Path) -> Path:
    """Say where the log of a training that ended early is kept, beside that of a result."""
    kept, ending = interrupted_folder(output), log_path.name.removeprefix(f"{output.name}.")
    if ending != log_path.name:
        return log_path.with_name(f"{kept.name}.{ending}")
    return log_path.with_name(f"{log_path.stem}.interrupted{log_path.suffix}")


def _earlier(log_path: Path) -> Path:
    return beside(follow_links(log_path), ".earlier")


def _set_aside(output: Path, log_path: Path) -> None:
    """Keep the log of an earlier result until this training has one: it may fail at once."""
    if _earlier(log_path).is_file():
        logger.warning("an earlier training was killed; %s", _describe_log(output, log_path))
    if log_path.is_file():
        # A copy: a kill before the first line of the new one leaves the log where it was.
        with replacing(_earlier(log_path)) as temporary:
            shutil.copyfile(log_path, temporary)


def _is_as_before(log_path: Path) -> bool:
    earlier = _earlier(log_path)
    is_there = log_path.is_file() and earlier.is_file()
    return is_there and filecmp.cmp(log_path, earlier, shallow=False)


def _describe_log(output: Path, log_path: Path) -> str:
    left = _settle(output, log_path)
    return "it had no log yet" if left is None else f"its log is {left}"


def _settle(output: Path, log_path: Path) -> Optional[Path]:
    """Give back what was set aside for a training that ended early; RETURNS: the log of that."""
    earlier, own = _earlier(log_path), follow_links(log_path)
    has_own = own.is_file() and own.stat().st_size > 0
    if not earlier.is_file():
        return log_path if has_own else None
    if not has_own or _is_as_before(log_path):
        os.replace(earlier, own)
        return None
    if not (output / "model-best").is_dir():
        earlier.unlink()
        return log_path
    kept = interrupted_log(output, log_path)
    os.replace(own, kept)
    os.replace(earlier, own)
    return kept


def _try_to_draw(log_path: Path, place: Mapping[str, Any]) -> None:
    try:
        write_training_curves(log_path, **place)
    except BionerError as error:
        logger.warning("no curves: %s", error)
