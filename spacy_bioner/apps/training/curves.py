"""Curves of a training run from its log: read, checked and written as PNG and SVG."""

import json
from dataclasses import replace
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence

from spacy_bioner.apps.profiles import get_setting, read_config
from spacy_bioner.errors import BionerError
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.replacing import replacing, write_text
from spacy_bioner.reports.plots.style import plot_style, render_picture
from spacy_bioner.reports.plots.training import plot_training
from spacy_bioner.training.loggers import Evaluation


def write_training_curves(
    log_path: Path,
    folder: Path,
    *,
    name: str = "curves",
    title: str = "",
    config_path: Optional[Path] = None,
) -> List[Path]:
    """Draw the curves of a training log to FOLDER/NAME.png and FOLDER/NAME.svg.

    log_path (Path): A log of `spacy_bioner.TrainingLogger.v1`, also one that still grows.
    config_path (Optional[Path]): The run's config.cfg, whose schedule gives the learning rate; a
        log with "learn_rate" in its lines needs none.
    RETURNS (List[Path]): What was written.
    RAISES (BionerError): No log, an empty one, or a line that is not one of such a log.
    """
    evaluations = read_training_log(log_path)
    rates: List[float] = []
    if config_path is not None and all(item.learn_rate is None for item in evaluations):
        rates = read_rates(read_config(config_path), evaluations)
    with plot_style():
        figure = plot_training(evaluations, rates=rates, title=title)
        return write_figure(figure, folder, name)


def write_figure(figure: Any, folder: Path, name: str) -> List[Path]:
    """Write a figure as FOLDER/NAME.png and FOLDER/NAME.svg, within `plot_style`."""
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    for path in paths:
        picture = render_picture(figure, path.suffix[1:])
        with replacing(path) as temporary:
            temporary.write_bytes(picture)
    return paths


def write_outcome(
    folder: Path, name: str, data: Any, markdown: str, plot: Callable[[], Any]
) -> None:
    """Write what a command found as FOLDER/NAME.json, .md, .png and .svg.

    plot (Callable[[], Any]): Draws the figure, within `plot_style`.
    """
    write_json(folder / f"{name}.json", data)
    write_text(folder / f"{name}.md", markdown + "\n")
    with plot_style():
        write_figure(plot(), folder, name)


def name_curves(logs: Sequence[Path]) -> List[str]:
    """Name the picture of each log: "curves" for one log, else the log's name, with
    the names of folders above it as far as they are needed to tell logs apart.

    RAISES (BionerError): For a log that is named twice.
    """
    if len({log.resolve() for log in logs}) < len(logs):
        raise BionerError("found a log that is named twice, expected different ones")
    if len(logs) == 1:
        return ["curves"]
    parts = [log.resolve().with_suffix("").parts for log in logs]
    size = 1
    while len({item[-size:] for item in parts}) < len(parts):
        size += 1
    return ["-".join(part for part in item[-size:] if part != "/") for item in parts]


def read_training_log(path: Path) -> List[Evaluation]:
    """Read the evaluations of a log.

    RAISES (BionerError): No log, an empty one, or a line that is not one of such a log.
    """
    if not path.is_file():
        raise BionerError(f"{path}: no such training log; `bioner train --log FILE` writes one")
    evaluations: List[Evaluation] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        evaluation = _read_line(line, f"{path}:{number}")
        if evaluations and evaluation.step <= evaluations[-1].step:
            message = f"found step {evaluation.step} after step {evaluations[-1].step}"
            raise BionerError(f"{path}:{number}: {message}, expected the log of one run")
        evaluations.append(evaluation)
    if not evaluations:
        raise BionerError(
            f"{path}: found no evaluation in the training log, expected a line of JSON for each; "
            "train for longer than training.eval_frequency"
        )
    return evaluations


def read_rates(config: Mapping[str, Any], evaluations: Sequence[Evaluation]) -> List[float]:
    """Say what the schedule of a config gives as learning rate at each step up to the last
    evaluation, step 0 included.

    config (Mapping[str, Any]): Interpolated.
    RETURNS (List[float]): Empty for a schedule that is no plain sequence, such as one that follows
        the scores, and for one that is not known here.
    """
    from spacy.util import registry

    known: Any = registry.schedules
    setting = get_setting(config, "training.optimizer.learn_rate")
    if not evaluations:
        return []
    last = max(item.step for item in evaluations)
    if isinstance(setting, (int, float)):
        return [float(setting)] * (last + 1)
    name = setting.get("@schedules") if isinstance(setting, Mapping) else None
    if name is None or name not in known:
        return []
    schedule = registry.resolve({"learn_rate": dict(setting)})["learn_rate"]
    if not isinstance(schedule, Iterator):
        return []
    rates = [float(rate) for rate in islice(schedule, last + 1)]
    # A schedule that ends keeps its last rate.
    return rates + rates[-1:] * (last + 1 - len(rates))


def with_rates(evaluations: Sequence[Evaluation], rates: Sequence[float]) -> List[Evaluation]:
    """Put the learning rate at each evaluation, where it is not known from the log."""
    if not rates or any(item.learn_rate is not None for item in evaluations):
        return list(evaluations)
    return [replace(item, learn_rate=rates[item.step]) for item in evaluations]


def _read_line(line: bytes, place: str) -> Evaluation:
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError as error:
        raise BionerError(
            f"{place}: found no JSON ({error}), expected a line of a training log; was the run "
            "killed while it wrote? then remove the line"
        ) from error
    if not isinstance(row, dict):
        raise BionerError(f"{place}: found {type(row).__name__}, expected a JSON object")
    step = row.get("step")
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        raise BionerError(f"{place}: found step {step!r}, expected a whole number from 0")
    losses, scores = _read_section(row, "losses", place), _read_section(row, "scores", place)
    numbers = {name: _read_number(loss, name, place) for name, loss in losses.items()}
    fitted = _read_section(row, "fitted", place)
    for name in ("ents_p", "ents_r", "ents_f"):
        _read_number(scores.get(name), name, place)
    for label, values in _read_section(scores, "ents_per_type", place).items():
        _read_number(_read_section({label: values}, label, place).get("f"), label, place)
    return Evaluation(
        step=step,
        losses=numbers,
        scores=scores,
        score=_read_number(row.get("score"), "score", place),
        learn_rate=_read_number(row.get("learn_rate"), "learn_rate", place),
        fitted={name: _read_list(found, name, place) for name, found in fitted.items()},
    )


def _read_section(row: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    section = row.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise BionerError(f"{place}: found {name} {section!r}, expected a JSON object")
    return section


def _read_list(value: Any, name: str, place: str) -> List[float]:
    if not isinstance(value, list):
        raise BionerError(f"{place}: found {value!r} as losses of {name}, expected a list")
    numbers = [_read_number(item, name, place) for item in value]
    return [number for number in numbers if number is not None]


def _read_number(value: Any, name: str, place: str) -> Optional[float]:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise BionerError(f"{place}: found {value!r} as {name}, expected a number or null")
    return float(value)
