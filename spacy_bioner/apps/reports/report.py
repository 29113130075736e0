"""`bioner report`: a run's page with all its figures as files beside it."""

import json
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

from spacy.language import Language

from spacy_bioner import __version__
from spacy_bioner.apps.evaluation.evaluate import PLAIN, Evaluated, EvaluationSettings, evaluate
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import get_setting
from spacy_bioner.apps.reports.card_facts import (
    describe_encoder,
    describe_settings,
    find_encoders,
    read_account,
)
from spacy_bioner.apps.reports.figure_files import write_drawings
from spacy_bioner.apps.training.curves import read_rates, read_training_log, with_rates
from spacy_bioner.apps.training.run_names import find_log
from spacy_bioner.corpora.formats.docbin import read_docbin_records, to_record
from spacy_bioner.corpora.statistics.corpus import CorpusStatistics, describe_corpus
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.metrics.error_contexts import collect_cases
from spacy_bioner.evaluation.robustness import Robustness
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import write_text
from spacy_bioner.reports.html.report import ReportData, render_report
from spacy_bioner.reports.plots.style import plot_style, require_matplotlib
from spacy_bioner.reports.text.model_card import LEARNT, LIMITS, UNCALIBRATED
from spacy_bioner.training.loggers import Evaluation
from spacy_bioner.training.results.experiments import AblationRow
from spacy_bioner.training.results.model_facts import CONFIDENCE, RunFacts

PACKAGES = ("spacy", "thinc", "torch", "transformers", "numpy")
FIGURES = "figures"
CHECKPOINTS = {
    "model-best": "the checkpoint with the best score on the development documents",
    "model-last": "the last checkpoint of the training, not the best one",
}
Stored = TypeVar("Stored")


@dataclass(frozen=True)
class ReportFiles:
    """What other commands have written of a run; each is a part of the page.

    log (Optional[Path]): The training log; by default the one that `bioner train` wrote beside
        the run's folder, where it is there.
    account (Optional[Path]): The corpus.json of `bioner prepare`, on the training corpus.
    robustness (Optional[Path]): The robustness.json of `bioner robustness`.
    ablation (Optional[Path]): The ablation.json of `bioner ablate`.
    """

    log: Optional[Path] = None
    account: Optional[Path] = None
    robustness: Optional[Path] = None
    ablation: Optional[Path] = None


NO_FILES = ReportFiles()
_READ = (
    *("model", "corpus", "settings.train"),
    *(f"files.{name}" for name in ("log", "account", "robustness", "ablation")),
)


@guards_outputs("output", inputs=_READ, file="report.html")
def report(
    model: str,
    corpus: Path,
    output: Path,
    settings: EvaluationSettings = PLAIN,
    *,
    files: ReportFiles = NO_FILES,
    title: str = "",
    gpu_id: int = -1,
) -> Path:
    """Evaluate a pipeline and write its page; see `write_report`.

    model (str): A pipeline folder or package.
    corpus (Path): A DocBin of gold documents.
    output (Path): The folder.
    title (str): Of the page; by default the names of pipeline (with that of its run) and corpus.
    RETURNS (Path): The page.
    RAISES (BionerError): As `evaluate` does; for files that cannot be read.
    """
    require_matplotlib()
    check_folder(output)
    data = collect_report(model, corpus, settings, files=files, title=title, gpu_id=gpu_id)
    return write_report(data, output)


def write_report(data: ReportData, output: Path) -> Path:
    """Write the page of a pipeline, OUT/report.html, with all measures and mistakes as JSON beside
    it and each figure in OUT/figures as PNG, SVG and JSON.

    output (Path): The folder.
    RETURNS (Path): The page.
    """
    with plot_style():
        page, drawings = render_report(data)
        write_drawings(drawings, output / FIGURES)
    path = output / "report.html"
    write_text(path, page)
    write_json(output / "cases.json", [case.to_json() for case in data.cases])
    write_json(output / "report.json", data.stored)
    return path


def collect_report(
    model: str,
    corpus: Path,
    settings: EvaluationSettings = PLAIN,
    *,
    files: ReportFiles = NO_FILES,
    title: str = "",
    gpu_id: int = -1,
) -> ReportData:
    """Return all that the page of a pipeline says; see `report`.

    RAISES (BionerError): As `evaluate` does; for files that cannot be read.
    """
    # All of them before the pipeline runs, which may take minutes.
    robustness = read_stored(files.robustness, _read_robustness, "bioner robustness") or []
    parts_of, ablation = read_stored(files.ablation, _read_ablation, "bioner ablate") or (None, [])
    account = None if files.account is None else read_account(files.account)
    log = _read_log(files.log)
    evaluated = evaluate(model, corpus, settings, gpu_id=gpu_id)
    nlp, measurement = evaluated.nlp, evaluated.measurement
    if files.log is None:
        log = _read_log(find_log(Path(nlp.path)))
    config = nlp.config.interpolate()
    rates = read_rates(config, log)
    training = with_rates(log, rates)
    fingerprint = _own_fingerprint(evaluated)
    own = [item for item in robustness if item.fingerprint == fingerprint]
    encoders = find_encoders(nlp.config)
    named = {row["name"]: row["license"] for row in nlp.meta.get("sources") or () if "name" in row}
    return ReportData(
        title or f"{_name_title(model)} on {corpus.stem}",
        _name_title(model),
        measurement,
        collect_cases(evaluated.pairs, measurement.mistakes),
        thresholds=_read_thresholds(nlp),
        training=training,
        rates=rates,
        robustness=robustness,
        is_attacked=bool(own),
        ablation=ablation,
        is_ablated=parts_of == fingerprint,
        corpora=_describe_corpora(evaluated, corpus, settings.train),
        shared=evaluated.shared.warnings() if evaluated.shared else (),
        run=_describe_run(evaluated, config, model, corpus, settings, files),
        encoder=describe_encoder(encoders, named),
        learned_from=account,
        settings=describe_settings(config, encoders, nlp.meta.get("performance", {})),
        limits=_choose_limits(evaluated),
        warnings=evaluated.warnings,
        stored={
            **evaluated.to_json(),
            "training": [asdict(item) for item in training],
            "robustness": [item.to_json() for item in own[:1]],
        },
    )


def check_folder(output: Path) -> None:
    """Check that a folder can be made, before hours of work are lost.

    RAISES (ConfigError): Where a file is in its place.
    """
    if output.exists() and not output.is_dir():
        raise ConfigError(f"{output}: found a file, expected a folder to write to")


def read_stored(
    path: Optional[Path], read: Callable[[Any], Stored], command: str
) -> Optional[Stored]:
    """Read the JSON that another command has written; None without a file.

    RAISES (ConfigError): No such file, or another kind of JSON.
    """
    if path is None:
        return None
    expected = f"expected the JSON of `{command}`"
    if not path.is_file():
        raise ConfigError(f"{path}: no such file, {expected}")
    try:
        return read(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ConfigError(f"{path}: found no JSON ({error}), {expected}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: found JSON of another kind, {expected}") from error


def _read_robustness(data: Any) -> List[Robustness]:
    return [Robustness.from_json(row) for row in data["models"]]


def _read_ablation(data: Any) -> Tuple[Optional[str], List[AblationRow]]:
    """Read whose parts they are, None where no pipeline is named, and the parts."""
    return data.get("fingerprint"), [AblationRow.from_json(row) for row in data["rows"]]


def _read_log(log: Optional[Path]) -> List[Evaluation]:
    return [] if log is None else read_training_log(log)


def _describe_corpora(
    evaluated: Evaluated, corpus: Path, train: Optional[PathLike]
) -> List[CorpusStatistics]:
    corpora = [describe_corpus((to_record(gold) for gold, _ in evaluated.pairs), corpus.stem)]
    if train is not None:
        corpora.append(describe_corpus(read_docbin_records(train), Path(train).stem))
    return corpora


def _own_fingerprint(evaluated: Evaluated) -> str:
    found: str = evaluated.about["model"]["fingerprint"]
    return found


def _choose_limits(evaluated: Evaluated) -> List[str]:
    """Leave out what is not true of a pipeline: without training, or without confidences."""
    nlp = evaluated.nlp
    untrue = set() if _is_trained(nlp) else {LEARNT}
    if CONFIDENCE in nlp.pipe_names or evaluated.measurement.judged is None:
        untrue.add(UNCALIBRATED)
    return [line for line in LIMITS if line not in untrue]


def _is_trained(nlp: Language) -> bool:
    return any(getattr(pipe, "is_trainable", False) for _, pipe in nlp.pipeline)


def _read_thresholds(nlp: Language) -> Dict[str, float]:
    component: Any = nlp.get_pipe(CONFIDENCE) if CONFIDENCE in nlp.pipe_names else None
    return {} if component is None else dict(component.thresholds)


def _describe_run(
    evaluated: "Evaluated",
    config: Mapping[str, Any],
    model: str,
    corpus: Path,
    settings: EvaluationSettings,
    files: ReportFiles,
) -> RunFacts:
    nlp = evaluated.nlp
    meta = nlp.meta
    pace = evaluated.evaluation.pace
    return RunFacts(
        scored=_name_scored(model, evaluated),
        pipeline=f"{meta.get('lang', '')}_{meta.get('name', '')} {meta.get('version', '')}",
        components=nlp.pipe_names,
        licence=str(meta.get("license") or ""),
        description=str(meta.get("description") or ""),
        seed=get_setting(config, "training.seed") if _is_trained(nlp) else None,
        documents=corpus.name,
        labels=settings.labels,
        n_words=pace.n_words,
        words_per_second=pace.words_per_second,
        command=_name_command(model, corpus, settings, files),
        environment=_name_environment(),
    )


def _name_title(model: str) -> str:
    path = Path(model)
    run = f"{path.resolve().parent.name}/" if path.is_dir() and path.name in CHECKPOINTS else ""
    return f"{run}{path.name}"


def _name_scored(model: str, evaluated: "Evaluated") -> str:
    """Say which pipeline it was, of those that a run leaves, and by which digest it can be told."""
    path = Path(model)
    shown = _show_path(path)
    if path.is_dir() and path.name in CHECKPOINTS:
        shown = shown if len(Path(shown).parts) > 1 else _name_title(model)
        shown += f", {CHECKPOINTS[path.name]}"
    elif not path.is_dir():
        shown += ", an installed package"
    return f"{shown}; digest {_own_fingerprint(evaluated)[:12]}"


def _name_command(
    model: str, corpus: Path, settings: EvaluationSettings, files: ReportFiles
) -> str:
    words = ["bioner", "report", _show_path(Path(model)), _show_path(corpus), "OUT"]
    given = {"--train": settings.train, **{f"--{key}": path for key, path in vars(files).items()}}
    for option, path in given.items():
        words += [option, _show_path(path)] if path is not None else []
    for label in settings.labels:
        words += ["--label", label]
    words += ["--rules", settings.dataset] if settings.dataset else []
    words += ["--marginals"] if settings.marginals else []
    words += ["--resamples", str(settings.n_resamples), "--seed", str(settings.seed)]
    return shlex.join(words)


def _show_path(path: Path) -> str:
    # Where folders lie on this machine is nobody's business: names only.
    return path.name if path.is_absolute() or ".." in path.parts else str(path)


def _name_environment() -> str:
    found = [f"spacy-bioner {__version__}", f"Python {platform.python_version()}", sys.platform]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
