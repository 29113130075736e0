"""The training log: spaCy's table on the console and one JSON line per evaluation in a file."""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO, Any, Callable, Dict, List, Literal, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.training.loggers import console_logger_v3

from spacy_bioner.training.schedules import announce_score
from spacy_bioner.training.step_progress import StepProgress

LogStep = Callable[[Optional[Dict[str, Any]]], None]
Finalize = Callable[[], None]
SetUp = Callable[..., Tuple[LogStep, Finalize]]


@dataclass(frozen=True)
class Evaluation:
    """What the log says of one evaluation.

    losses (Mapping[str, Optional[float]]): By component, summed since the evaluation before.
    scores (Mapping[str, Any]): As spaCy's scorers give them, shares of 1.
    score (Optional[float]): The score that chooses the best checkpoint.
    learn_rate (Optional[float]): None where it is not known.
    fitted (Mapping[str, Sequence[float]]): Losses of components that learned all before the first
        step, one per iteration.
    """

    step: int
    losses: Mapping[str, Optional[float]] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    score: Optional[float] = None
    learn_rate: Optional[float] = None
    fitted: Mapping[str, Sequence[float]] = field(default_factory=dict)


def make_training_logger(
    *,
    output_file: Optional[str] = None,
    progress_bar: Optional[Literal["train", "eval"]] = None,
    console_output: bool = True,
) -> SetUp:
    """Make `spacy_bioner.TrainingLogger.v1`.

    spaCy's own logger stops writing, with a line on the console, when its file exists; this one
    begins the file anew with each run. Each line has epoch, step, seconds since the start of
    training, words seen, the losses summed since the line before it, all scores (those per type
    too, as shares of 1) and the score that chooses the best model; the first line has the losses
    of components that have learned all in `initialize` as well, one per iteration. The learning
    rate is not among what `spacy train` tells a logger. Schedules that follow the score hear of it
    from here.

    output_file (Optional[str]): JSON lines go here; its folder is made. None writes no file.
    progress_bar (Optional[str]): "train" or "eval" tells, between evaluations, of steps, loss and
        time left on the error stream, None does not. spaCy's own bars differ; ours do not.
    console_output (bool): Print the table.
    RETURNS (Callable): A spaCy logger, `(nlp, stdout, stderr) -> (log_step, finalize)`.
    """
    # Its own `output_file` and `progress_bar` stay unset: these are ours.
    set_up_console = console_logger_v3(console_output=console_output)

    def set_up(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> Tuple[LogStep, Finalize]:
        log_to_console, finalize_console = set_up_console(nlp, stdout, stderr)
        # A log is read while it grows, so it is no temporary file that gets its name at the end.
        stream = _open_log(output_file)
        start = perf_counter()
        fitted = _find_fitted(nlp)
        progress = _start_progress(nlp, stderr) if progress_bar else None

        def log_step(info: Optional[Dict[str, Any]]) -> None:
            if progress is not None:
                _tell_progress(progress, nlp, info)
            if info is not None:
                if stream is not None:
                    row = _make_row(info, perf_counter() - start)
                    if fitted:
                        row["fitted"] = dict(fitted)
                        fitted.clear()
                    _write_row(stream, row)
                announce_score(float(info["score"]))
            log_to_console(info)

        def finalize() -> None:
            if stream is not None:
                stream.close()
            if progress is not None:
                progress.clear()
            finalize_console()

        return log_step, finalize

    return set_up


def _tell_progress(progress: StepProgress, nlp: Language, info: Optional[Dict[str, Any]]) -> None:
    """Tell of a step, or of an evaluation where there is something to log."""
    if info is None:
        progress.advance(_last_loss(nlp))
    else:
        progress.evaluated(int(info["step"]))


def _write_row(stream: IO[str], row: Mapping[str, Any]) -> None:
    stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    stream.flush()


def _open_log(output_file: Optional[str]) -> Optional[IO[str]]:
    if not output_file:
        return None
    path = Path(output_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8")


def _start_progress(nlp: Language, stream: IO) -> StepProgress:
    settings = nlp.config["training"]
    return StepProgress(settings["max_steps"], settings["eval_frequency"], stream)


def _last_loss(nlp: Language) -> Optional[float]:
    # `spacy train` tells a logger of losses at evaluations only.
    losses = [getattr(component, "last_loss", None) for _, component in nlp.pipeline]
    known = [loss for loss in losses if loss is not None]
    return sum(known) if known else None


def _find_fitted(nlp: Language) -> Dict[str, List[float]]:
    losses = {name: getattr(component, "fitting_losses", []) for name, component in nlp.pipeline}
    return {name: found for name, found in losses.items() if found}


def _make_row(info: Dict[str, Any], seconds: float) -> Dict[str, Any]:
    return {
        "epoch": info["epoch"],
        "step": info["step"],
        "seconds": round(seconds, 1),
        "words": info["words"],
        "losses": _to_plain(info["losses"]),
        "scores": _to_plain(info["other_scores"]),
        "score": _to_plain(info["score"]),
    }


def _to_plain(value: Any) -> Any:
    """Turn scores and losses into what JSON can say: array scalars to numbers, NaN to null."""
    if isinstance(value, dict):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
