"""Training a profile: `spacy train` with the profile's overrides, behind early checks."""

import filecmp
import logging
import os
import shutil
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import srsly
from thinc.api import Config

from spacy_bioner.apps.names import check_name, other_words
from spacy_bioner.apps.profiles import (
    TRF_KEY,
    Profile,
    find_encoder_keys,
    get_setting,
    read_training_config,
)
from spacy_bioner.apps.setting_names import check_settings
from spacy_bioner.apps.terminal import passing_styles
from spacy_bioner.apps.training.curves import write_training_curves
from spacy_bioner.apps.training.run_names import interrupted_folder, interrupted_log, name_log
from spacy_bioner.errors import BionerError, DeviceError, StoppedError
from spacy_bioner.extras import find_missing, require, say_missing
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.outputs import (
    beside,
    claiming,
    follow_links,
    is_claimed,
    partial_folder,
    replace_folder,
)
from spacy_bioner.files.replacing import replacing, replacing_folder
from spacy_bioner.files.same_files import check_apart
from spacy_bioner.reports.plots.style import require_matplotlib

logger = logging.getLogger(__name__)
# Schedules that fall to the end of training.
WITH_TOTAL = ("warmup_linear.v1", "spacy_bioner.WarmupCosine.v1")
_AFTER_INIT = "initialize.after_init"
# What each of these components is trained with, and the extra that brings it.
PACKAGES = {
    "bioner": (("torch", "transformers", "matplotlib"), "train"),
    "transformer": (("spacy_transformers",), "trf"),
    "bioner_feature_crf": (("pycrfsuite", "matplotlib"), "baselines"),
}


def train_and_draw(
    profile: Profile,
    corpus_dir: Path,
    output: Path,
    *,
    log_path: Optional[Path] = None,
    package_name: str = "",
    name: str = "",
    title: str = "",
    **training: Any,
) -> Path:
    """Train a profile and draw its curves beside the log.

    log_path (Optional[Path]): Gets a JSON line per evaluation, by default beside the output; a
        config with another logger writes none, and nothing is drawn. Where the training ends early
        and an earlier result stays, its log does too, and the new one is kept as "interrupted".
    package_name (str): See `check_package_name`; empty: not checked.
    name (str): The pictures' name without ending; empty: the log's.
    training (Any): Further settings of `train`.
    RETURNS (Path): The folder of the best checkpoint.
    RAISES (ConfigError): Without matplotlib, before anything is trained.
    RAISES (PackageError): As `check_package_name` does.
    """
    require_matplotlib()
    if package_name:
        check_package_name(package_name, profile, corpus_dir)
    log_path = log_path or name_log(output)
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


def train(
    profile: Profile,
    corpus_dir: Path,
    output: Path,
    *,
    gpu_id: int = -1,
    seed: int = 0,
    max_steps: int = 0,
    log_path: Optional[Path] = None,
    overrides: Optional[Dict[str, Any]] = None,
    resume: Optional[Path] = None,
) -> Path:
    """Train a profile through `spacy train` and put the result in place when it is whole.

    profile (Profile): What to train.
    corpus_dir (Path): The folder with train.spacy and dev.spacy.
    output (Path): Gets model-best and model-last; an earlier result stays until this is done.
    gpu_id (int): The GPU, or -1 for the CPU.
    seed (int): Seeds weights and order.
    max_steps (int): Training steps; 0 takes the profile's.
    log_path (Optional[Path]): Gets a JSON line per evaluation.
    overrides (Optional[Dict[str, Any]]): Dotted config keys that win over the profile's.
    resume (Optional[Path]): A checkpoint to start from: see `training.resuming`.
    RETURNS (Path): The folder of the best checkpoint.
    RAISES (ConfigError): For an override that the config has no place for.
    RAISES (DeviceError): For a GPU that is not there.
    RAISES (CorpusError): For documents that are not there, before spaCy starts.
    RAISES (BionerError): For data or weights that cannot be used.
    RAISES (StoppedError): When the user stops it.

    Where training ends early, for whatever reason, its checkpoints are kept in OUTPUT.interrupted;
    those of a process that was killed are put there before the next training for `output`.
    """
    check_device(gpu_id)
    config = read_training_config(profile.config)
    check_settings(config, overrides or {})
    data = [corpus_dir / f"{split}.spacy" for split in ("train", "dev")]
    check_apart([output], [*data, profile.config], replaced=[output])
    check_documents(corpus_dir, overrides or {})
    with claiming(output):
        resume = _rescue(output, resume)
        settings = config_overrides(profile, corpus_dir, seed=seed, log_path=log_path)
        settings.update({"training.max_steps": max_steps} if max_steps else {})
        settings.update(overrides or {})
        if resume is not None:
            settings[_AFTER_INIT] = _resume_from(resume, config, settings)
        settings.update(length_overrides(config, settings))
        _run(profile.config, output, settings, gpu_id)
    return output / "model-best"


def check_documents(corpus_dir: Path, overrides: Mapping[str, Any]) -> None:
    """Make sure that there is something to train on and to choose the checkpoint by.

    overrides (Mapping[str, Any]): paths.train and paths.dev may be among them.
    RAISES (CorpusError): For a file that is not there.
    """
    for split in ("train", "dev"):
        path = Path(overrides.get(f"paths.{split}") or corpus_dir / f"{split}.spacy")
        # A folder of DocBins will do, too.
        if not path.is_dir():
            check_is_file(path)


def _resume_from(resume: Path, config: Config, settings: Dict[str, Any]) -> Dict[str, Any]:
    own = settings.get(_AFTER_INIT, get_setting(config, _AFTER_INIT))
    return {"@callbacks": "spacy_bioner.ResumeFrom.v1", "path": str(resume), "after": own}


def _run(config: Path, output: Path, settings: Dict[str, Any], gpu_id: int) -> None:
    from spacy.cli.train import train as spacy_train

    with replacing_folder(output, marks=("model-best", "model-last")) as partial:
        try:
            with passing_styles():
                spacy_train(config, partial, use_gpu=gpu_id, overrides=settings)
        except KeyboardInterrupt:
            raise StoppedError(f"training was interrupted; {_keep(partial, output)}") from None
        except Exception:
            logger.warning("training ended early; %s", _keep(partial, output))
            raise


def _keep(partial: Path, output: Path) -> str:
    """Keep the checkpoints of a training that ended early, and say where."""
    if not (partial / "model-last" / "meta.json").is_file():
        return "there was no checkpoint yet"
    kept = interrupted_folder(output)
    replace_folder(partial, kept)
    return f"its checkpoints are in {kept} (to go on: --resume {kept / 'model-last'})"


def _rescue(output: Path, resume: Optional[Path]) -> Optional[Path]:
    """Keep what a killed training for the same output left; return where to resume from now.

    Of an output that is not claimed nothing is taken: its training may still be running.
    """
    partial = partial_folder(output)
    if not partial.is_dir() or not is_claimed(output):
        return resume
    logger.warning("an earlier training was killed; %s", _keep(partial, output))
    if resume is not None and resume.resolve().is_relative_to(partial.resolve()):
        return interrupted_folder(output) / resume.resolve().relative_to(partial.resolve())
    return resume


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
    """Put back what was set aside for a training that ended early.

    RETURNS (Optional[Path]): Where its own log is; None if it left none.
    """
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


def config_overrides(
    profile: Profile, corpus_dir: Path, *, seed: int, log_path: Optional[Path]
) -> Dict[str, Any]:
    """Gather what a profile changes in its training config, as dotted keys."""
    config = read_training_config(profile.config)
    overrides: Dict[str, Any] = {
        **profile.overrides,
        "paths.train": str(corpus_dir / "train.spacy"),
        "paths.dev": str(corpus_dir / "dev.spacy"),
        "system.seed": seed,
        **encoder_override(config, profile.encoder),
    }
    if log_path is not None:
        overrides["training.logger.output_file"] = str(log_path)
    return overrides


def check_package_name(name: str, profile: Profile, corpus_dir: Path) -> None:
    """Make sure, before hours of training, that the result may be packaged under a name.

    corpus_dir (Path): The folder that `bioner prepare` wrote.
    RAISES (PackageError): For a name that would claim another encoder.
    """
    account = corpus_dir / "corpus.json"
    corpus = srsly.read_json(account)["name"] if account.is_file() else profile.corpus
    config = read_training_config(profile.config)
    components = config["components"]
    uses_trf = "transformer" in components
    has_encoder = bool(find_encoder_keys(config))
    check_name(
        name,
        [profile.encoder] if has_encoder else [],
        others=other_words(spacy_transformers=uses_trf, corpus=corpus),
        several_corpora="corpora" in (profile.overrides.get("corpora.train") or {}),
    )


def length_overrides(config: Config, settings: Dict[str, Any]) -> Dict[str, Any]:
    """Make the length of training, the learning rate schedule and the evaluations fit together.

    config (Config): The training config.
    settings (Dict[str, Any]): The overrides so far.
    """
    training = config["training"]
    steps = settings.get("training.max_steps", training["max_steps"])
    frequency = settings.get("training.eval_frequency", training["eval_frequency"])
    chosen = {
        "training.max_steps": steps,
        "training.eval_frequency": min(frequency, steps) if steps else frequency,
    }
    rate = "training.optimizer.learn_rate"
    schedule = settings.get(rate, training["optimizer"].get("learn_rate"))
    has_total = isinstance(schedule, dict) and (
        "total_steps" in schedule or schedule.get("@schedules") in WITH_TOTAL
    )
    if steps and has_total and f"{rate}.total_steps" not in settings:
        chosen[f"{rate}.total_steps"] = steps
    return chosen


def encoder_override(config: Config, encoder: str) -> Dict[str, str]:
    """Say which setting of a training config names the encoder, and its value.

    A config without an encoder, or with several, is left as it is. spacy-transformers knows hub
    names and folders only, so "package:NAME" becomes a folder there.
    RAISES (MissingExtraError): For a config whose extra is not installed.
    """
    components = config.get("components", {})
    keys = find_encoder_keys(config)
    for name in PACKAGES:
        if name in components or (name == "bioner" and any(key != TRF_KEY for key in keys)):
            packages, extra = PACKAGES[name]
            require(*packages, extra=extra, who=f"training '{name}'")
    if keys == [TRF_KEY]:
        from spacy_bioner.architectures.encoder_source import resolve_source

        return {TRF_KEY: resolve_source(encoder)}
    return {keys[0]: encoder} if len(keys) == 1 else {}


def check_device(gpu_id: int) -> None:
    """Make sure that a GPU that is asked for can be used.

    RAISES (DeviceError): Where it cannot, saying what is missing.
    """
    if gpu_id < 0:
        return
    how = f"use --vars.gpu -1 (or --gpu-id -1) to run on the CPU; GPU {gpu_id} was asked for"
    if find_missing("torch"):
        raise DeviceError(f"{say_missing('torch', extra='runtime', who='a GPU')}; {how}")
    import torch
    from thinc.util import has_cupy_gpu

    if not torch.cuda.is_available():
        raise DeviceError(f"no CUDA device is available to torch {torch.__version__}; {how}")
    if gpu_id >= torch.cuda.device_count():
        raise DeviceError(f"there are only {torch.cuda.device_count()} CUDA devices; {how}")
    if not has_cupy_gpu:
        raise DeviceError(f"thinc needs cupy to use a GPU (pip install cupy-cuda12x); {how}")
