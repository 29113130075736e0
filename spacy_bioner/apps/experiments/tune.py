"""Tuning a profile: trials of `spacy train`, and the best of them as a profile that can be used."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence

from thinc.api import Config

from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import Profile, get_setting, read_config, read_training_config
from spacy_bioner.apps.stored_results import describe_profile, load_result, store_result
from spacy_bioner.apps.training.curves import write_figure
from spacy_bioner.apps.training.run_names import interrupted_folder
from spacy_bioner.apps.training.train import check_device, train_and_draw
from spacy_bioner.errors import BionerError, ConfigError
from spacy_bioner.files.digests import digest
from spacy_bioner.files.replacing import write_text
from spacy_bioner.reports.plots.style import plot_style
from spacy_bioner.reports.plots.tuning import plot_history, plot_importances
from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.text.tuning import format_setting, render_trials
from spacy_bioner.training.tuning import (
    DEFAULT_SPACE,
    WARMUP_SHARE,
    WARMUP_STEPS,
    Setting,
    find_importances,
    get_score,
    list_trials,
    open_study,
    parse_setting,
    reporting_to,
    run_trials,
    to_overrides,
)

if TYPE_CHECKING:
    import optuna

BEST = "best.cfg"
_CHOSEN = "overrides"
_ABSENT = object()


@guards_outputs("output", file="study.json")
def tune(
    corpus_dir: Path,
    output: Path,
    profile: Profile,
    *,
    n_trials: int,
    space: Optional[Sequence[Setting]] = None,
    seed: int = 0,
    gpu_id: int = -1,
    max_steps: int = 0,
    overrides: Optional[Mapping[str, Any]] = None,
    report: Callable[[str], None] = lambda line: None,
) -> "optuna.Study":
    """Search for settings of a profile until there are so many trials in all.

    Only the development set decides; a test set is never read.

    corpus_dir (Path): The folder with train.spacy and dev.spacy.
    output (Path): Gets study.db, best.cfg, trials.md, logs and plots; a study there goes on.
    space (Optional[Sequence[Setting]]): None takes the default, without what the config lacks.
    RAISES (ConfigError): Settings that do not exist, or that differ from those of the study.
    RAISES (BionerError): For trials that all fail, with the reason; no trial that was finished.
    """
    if n_trials < 1:
        raise ConfigError(f"found {n_trials} trials, expected one or more")
    check_device(gpu_id)
    config = read_training_config(profile.config)
    given = dict(overrides or {})
    steps = max_steps or {**profile.overrides, **given}.get("training.max_steps", 0)
    steps = steps or config["training"]["max_steps"]
    chosen = check_space(space, config, steps)
    settings = {
        "corpus": {name: digest(corpus_dir / f"{name}.spacy") for name in ("train", "dev")},
        "profile": describe_profile(profile),
        "space": {setting.key: setting.to_json() for setting in chosen},
        "seed": seed,
        "max_steps": max_steps,
        "overrides": given,
    }
    if load_result(output / "study.json", settings) is None:
        if (output / "study.db").is_file():
            raise ConfigError(f"{output}: found study.db without study.json; name another folder")
        store_result(output / "study.json", settings, {})

    def run(trial: "optuna.Trial") -> float:
        values = to_overrides({item.key: item.suggest(trial) for item in chosen}, max_steps=steps)
        trial.set_user_attr(_CHOSEN, values)
        report(f"trial {trial.number}: {_describe(values)}")
        every = {**given, **values}
        training = {"gpu_id": gpu_id, "seed": seed, "max_steps": max_steps, "overrides": every}
        score = _run_trial(trial, corpus_dir, output, profile, training)
        report(f"trial {trial.number}: {format_percent(score)}")
        return score

    study = open_study(output / "study.db")
    try:
        run_trials(study, run, n_trials, seed=seed)
    finally:
        for folder in (output / "model", interrupted_folder(output / "model")):
            shutil.rmtree(folder, ignore_errors=True)
        _write(study, output, profile, {**given, **_step_override(max_steps)})
    if not _completed(study):
        raise BionerError(f"{output}: found no finished trial, expected one; see trials.md")
    return study


def check_space(
    space: Optional[Sequence[Setting]], config: Config, max_steps: int
) -> List[Setting]:
    """Make sure that every setting exists in a training config, before the first trial.

    RAISES (ConfigError): For one that does not, and for an empty space.
    """
    chosen = []
    for setting in DEFAULT_SPACE if space is None else space:
        key = WARMUP_STEPS if setting.key == WARMUP_SHARE else setting.key
        known = get_setting(config, key, _ABSENT) is not _ABSENT
        if known and (max_steps or setting.key != WARMUP_SHARE):
            chosen.append(setting)
        elif space is not None:
            raise ConfigError(f"found {setting.key} in the space, which the config does not have")
    if not chosen:
        raise ConfigError("found no setting to tune, expected one or more in section [space]")
    return chosen


def read_space(path: Path) -> List[Setting]:
    """Read a space: a .cfg file whose section [space] has a line for each dotted config key.

    RAISES (ConfigError): No such file or section, or a line that is neither a range nor choices.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file, expected a .cfg with a section [space]")
    section = read_config(path).get("space")
    if not section:
        raise ConfigError(f"{path}: found no section [space], expected one with settings in it")
    return [parse_setting(key, value, place=str(path)) for key, value in section.items()]


def _run_trial(
    trial: "optuna.Trial",
    corpus_dir: Path,
    output: Path,
    profile: Profile,
    training: Dict[str, Any],
) -> float:
    """Train once; RETURNS (float): the best score of an evaluation."""
    import optuna

    scores: List[float] = []

    def report(step: int, score: float) -> None:
        scores.append(score)
        trial.report(score, step)
        if trial.should_prune():
            raise optuna.TrialPruned(f"at step {step}")

    log = output / "trials" / f"{trial.number:04}.jsonl"
    with reporting_to(report) as logger:
        overrides = {**training["overrides"], **logger}
        train_and_draw(
            profile,
            corpus_dir,
            output / "model",
            log_path=log,
            title=f"trial {trial.number}",
            **{**training, "overrides": overrides},
        )
    if not scores:
        raise BionerError("no evaluation gave a score; train for longer than eval_frequency")
    return max(scores)


def _write(
    study: "optuna.Study", output: Path, profile: Profile, overrides: Mapping[str, Any]
) -> None:
    trials = list_trials(study)
    if trials:
        write_text(output / "trials.md", render_trials(study) + "\n")
        points = [(trial.number, get_score(trial), trial.state.name.lower()) for trial in trials]
        with plot_style():
            write_figure(plot_history(points), output, "history")
    importances = find_importances(study)
    if importances:
        with plot_style():
            write_figure(plot_importances(importances), output, "importances")
    if _completed(study):
        best = {**profile.overrides, **overrides, **study.best_trial.user_attrs[_CHOSEN]}
        head = f"# The best of {len(trials)} trials: trial {study.best_trial.number}, "
        head += f"{format_percent(study.best_value)} on the development set."
        text = make_profile_text(replace(profile, overrides=best))
        write_text(output / BEST, f"{head}\n\n{text}")


def make_profile_text(profile: Profile) -> str:
    """Write a profile as `load_profile` reads it."""
    about = {
        "config": str(profile.config),
        "encoder": profile.encoder,
        "encoder_licence": profile.encoder_licence,
        "corpus": profile.corpus,
    }
    parts = []
    for name, section in (("profile", about), ("overrides", profile.overrides)):
        lines = (f"{key} = {json.dumps(value)}" for key, value in section.items())
        parts.append("\n".join([f"[{name}]", *lines]) + "\n")
    return "\n".join(parts)


def _completed(study: "optuna.Study") -> bool:
    return any(trial.state.name == "COMPLETE" for trial in list_trials(study))


def _step_override(max_steps: int) -> Dict[str, int]:
    return {"training.max_steps": max_steps} if max_steps else {}


def _describe(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.split('.')[-1]} {format_setting(item)}" for key, item in values.items())
