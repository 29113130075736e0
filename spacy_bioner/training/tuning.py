"""Search for settings with Optuna: what may vary, what a trial chooses, and when it is given up.

Optuna's own rules that this builds on: a trial whose objective raises `TrialPruned` is kept as
pruned, one that fails is kept as failed and teaches the sampler and the pruner nothing. The median
pruner (Golovin et al. 2017, "Google Vizier", section 3.2) compares a trial's best score so far with
the median of the finished trials' scores at the same step.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import (
    IO,
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Literal,
    Mapping,
    Optional,
    Tuple,
    Union,
)

from spacy.language import Language

from spacy_bioner.errors import BionerError, ConfigError, StoppedError
from spacy_bioner.extras import require
from spacy_bioner.training.loggers import make_training_logger

if TYPE_CHECKING:
    import optuna

WARMUP_SHARE = "warmup_share"
"""In place of a config key: warm-up steps as a share of all steps."""
WARMUP_STEPS = "training.optimizer.learn_rate.warmup_steps"
STARTUP_TRIALS = 4
_INTERRUPTED = "interrupted"
_REASON = "reason"
_STUDY = "tuning"
_numbers = count()
Choice = Union[str, int, float, bool, None]
Objective = Callable[["optuna.Trial"], float]


@dataclass(frozen=True)
class Setting:
    """What one setting may be: a range of numbers or a choice.

    key (str): A dotted config key, or "warmup_share".
    low (Optional[float]): The ends of a range belong to it; whole ends make whole numbers.
    log (bool): Take as many values from 1 to 10 as from 10 to 100.
    choices (Tuple): Instead of a range.
    """

    key: str
    low: Optional[float] = None
    high: Optional[float] = None
    log: bool = False
    choices: Tuple[Choice, ...] = ()

    def suggest(self, trial: "optuna.Trial") -> Any:
        """Let a trial choose a value."""
        if self.choices:
            return trial.suggest_categorical(self.key, self.choices)
        if self.low is None or self.high is None:
            raise ConfigError(f"found neither a range nor choices for {self.key}")
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.key, self.low, self.high, log=self.log)
        return trial.suggest_float(self.key, self.low, self.high, log=self.log)

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        if self.choices:
            return {"key": self.key, "choices": list(self.choices)}
        return {"key": self.key, "low": self.low, "high": self.high, "log": self.log}


DEFAULT_SPACE = (
    Setting("training.optimizer.learn_rate.initial_rate", 1e-5, 5e-4, log=True),
    Setting("training.dropout", 0.0, 0.4),
    Setting("training.batcher.size", 250, 2000, log=True),
    Setting(WARMUP_SHARE, 0.0, 0.3),
    Setting("training.optimizer.L2", 1e-4, 0.1, log=True),
    Setting("components.bioner.model.encoder.unit", choices=("sentence", "document")),
)


def parse_setting(key: str, value: Any, *, place: str) -> Setting:
    """Read a setting: a list of choices, or {"low": …, "high": …, "log": …}.

    RAISES (ConfigError): What is neither, or a range without an inside.
    """
    expected = 'expected a list of choices or {"low": 1e-5, "high": 1e-3, "log": true}'
    if isinstance(value, (list, tuple)):
        plain = all(item is None or isinstance(item, (str, int, float)) for item in value)
        if not value or not plain:
            raise ConfigError(f"{place}: found {value!r} for {key}, {expected} of plain values")
        return Setting(key, choices=tuple(value))
    if not isinstance(value, Mapping) or not {"low", "high"} <= set(value) <= {
        "low",
        "high",
        "log",
    }:
        raise ConfigError(f"{place}: found {value!r} for {key}, {expected}")
    low, high, log = value["low"], value["high"], bool(value.get("log", False))
    numbers = all(
        isinstance(end, (int, float)) and not isinstance(end, bool) and math.isfinite(end)
        for end in (low, high)
    )
    if not numbers or low >= high or (log and low <= 0):
        above = " above 0" if log else ""
        message = f"{place}: found the range {low!r} to {high!r} for {key}"
        raise ConfigError(f"{message}, expected two numbers{above}, the lower first")
    return Setting(key, low, high, log)


def to_overrides(values: Mapping[str, Any], *, max_steps: int) -> Dict[str, Any]:
    """Turn what a trial chose into config overrides; shares become steps."""
    overrides = {key: value for key, value in values.items() if key != WARMUP_SHARE}
    if WARMUP_SHARE in values:
        overrides[WARMUP_STEPS] = round(values[WARMUP_SHARE] * max_steps)
    return overrides


@contextmanager
def reporting_to(callback: Callable[[int, float], None]) -> Iterator[Dict[str, Any]]:
    """Yield config overrides with which `spacy train` tells a function of each evaluation.

    callback (Callable): Gets the step and the score that chooses the best model; what it raises
        ends the training. An evaluation without a score is not told.
    """
    from spacy.util import registry

    name = f"spacy_bioner.ReportingLogger.{next(_numbers)}"

    def make_logger(
        *,
        output_file: Optional[str] = None,
        progress_bar: Optional[Literal["train", "eval"]] = None,
        console_output: bool = True,
    ) -> Callable[..., Any]:
        set_up_usual = make_training_logger(
            output_file=output_file, progress_bar=progress_bar, console_output=console_output
        )

        def set_up(nlp: Language, stdout: IO, stderr: IO) -> Tuple[Callable, Callable]:
            log_usual, finalize = set_up_usual(nlp, stdout, stderr)

            def log_step(info: Optional[Dict[str, Any]]) -> None:
                log_usual(info)
                if info is not None and info["score"] is not None:
                    callback(int(info["step"]), float(info["score"]))

            return log_step, finalize

        return set_up

    registry.loggers.register(name, func=make_logger)
    try:
        yield {"training.logger.@loggers": name}
    finally:
        _forget_logger(name)


def open_study(path: Path, *, startup_trials: int = STARTUP_TRIALS) -> "optuna.Study":
    """Open the study in a sqlite file, or begin one.

    Trials that were under way when an earlier process was killed are marked as interrupted: they
    count as if they had never been.
    RAISES (MissingExtraError): Optuna is not installed.
    RAISES (ConfigError): The file is no study.
    """
    require("optuna", extra="tuning", who="tuning")
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Evaluations of the untrained model, at step 0, say nothing.
    pruner = optuna.pruners.MedianPruner(n_startup_trials=startup_trials, n_warmup_steps=1)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{path.resolve()}",
            study_name=_STUDY,
            direction="maximize",
            load_if_exists=True,
            pruner=pruner,
        )
    except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: found no study of Optuna ({reason}); remove it") from error
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        _mark(study, trial.number, _INTERRUPTED, True)
    return study


def list_trials(study: "optuna.Study") -> List["optuna.trial.FrozenTrial"]:
    """Return the trials that were ended: finished, pruned or failed, not interrupted."""
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state.is_finished() and _INTERRUPTED not in trial.user_attrs
    ]


def run_trials(study: "optuna.Study", objective: Objective, n_trials: int, *, seed: int) -> None:
    """Run trials until there are so many in all, those of earlier runs included.

    The sampler is seeded anew for each trial, from the seed and the number of trials ended before:
    a study that was interrupted continues as if it had not been.

    objective (Objective): Gives a trial's score; may raise `optuna.TrialPruned`. A `BionerError`,
        a ValueError, a RuntimeError (torch's own, out of memory included) or a MemoryError makes a
        failed trial, which is counted and not tried again.
    RAISES (BionerError): Where nothing but failures came before a failure: the reason is then most
        likely not in the chosen values.
    """
    import optuna

    while len(ended := list_trials(study)) < n_trials:
        number = len(ended)
        study.sampler = optuna.samplers.TPESampler(seed=(seed * 1_000_003 + number) % 2**32)
        trial = study.ask()
        try:
            score = objective(trial)
        except optuna.TrialPruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        except StoppedError:
            _mark(study, trial.number, _INTERRUPTED, True)
            raise
        except (BionerError, ValueError, RuntimeError, MemoryError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            _mark(study, trial.number, _REASON, reason)
            if all(item.state == optuna.trial.TrialState.FAIL for item in ended):
                raise BionerError(f"the trial {trial.number} failed: {reason}") from error
        except BaseException:
            _mark(study, trial.number, _INTERRUPTED, True)
            raise
        else:
            study.tell(trial, score)


def find_importances(study: "optuna.Study") -> Dict[str, float]:
    """Tell how much each setting decides about the score, the greatest first; the sum is 1.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023). Empty where there are too few finished trials.
    """
    import warnings

    import optuna

    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len({trial.value for trial in done}) < 4:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def get_reason(trial: "optuna.trial.FrozenTrial") -> str:
    """Say why a trial failed; empty for one that did not."""
    return str(trial.user_attrs.get(_REASON, ""))


def get_score(trial: "optuna.trial.FrozenTrial") -> Optional[float]:
    """Return a trial's score; that of a pruned one is its best till then."""
    if trial.state.name == "COMPLETE":
        return trial.value
    return max(trial.intermediate_values.values(), default=None)


def rank_trial(trial: "optuna.trial.FrozenTrial") -> Tuple[bool, float, int]:
    """Return what trials are sorted by: finished ones first, the best of them in front."""
    score = get_score(trial)
    return (trial.state.name != "COMPLETE", -(score if score is not None else -1.0), trial.number)


def _mark(study: "optuna.Study", number: int, key: str, value: Any) -> None:
    """End a trial as failed, with a note why."""
    import optuna

    identifier = study.get_trials(deepcopy=False)[number]._trial_id
    study._storage.set_trial_user_attr(identifier, key, value)
    study.tell(number, state=optuna.trial.TrialState.FAIL)


def _forget_logger(name: str) -> None:
    import catalogue

    namespace: Any = catalogue.REGISTRY
    for key in [key for key in namespace if key[-1] == name]:
        del namespace[key]
