"""`bioner report`: a run's page with all its figures as files beside it."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from spacy.language import Language

from spacy_bioner import __version__
from spacy_bioner.apps.curves import read_training_log, write_figure
from spacy_bioner.apps.evaluating import PLAIN, Evaluated, EvaluationSettings, evaluate
from spacy_bioner.apps.finished_runs import write_json
from spacy_bioner.corpora.files import replacing
from spacy_bioner.evaluation.cases import collect_cases
from spacy_bioner.reports.figures import plot_style, require_matplotlib
from spacy_bioner.reports.run_page import render_run_page
from spacy_bioner.reports.run_sections import list_facts, make_sections
from spacy_bioner.reports.training_plots import Evaluation

PACKAGES = ("spacy", "thinc", "torch", "transformers", "numpy")
FILTER = "bioner_confidence"


def write_report(
    model: str,
    corpus: Path,
    output: Path,
    settings: EvaluationSettings = PLAIN,
    *,
    log: Optional[Path] = None,
    title: str = "",
    gpu_id: int = -1,
) -> Path:
    """Evaluate a pipeline and write its page, FOLDER/report.html, with PNG, SVG and JSON beside it.

    model (str): A pipeline folder or package.
    corpus (Path): A DocBin of gold documents.
    output (Path): The folder.
    log (Optional[Path]): The training log; by default the one that `bioner train` wrote beside
        the run's folder, where it is there.
    title (str): Of the page; by default the names of pipeline and corpus.
    RETURNS (Path): The page.
    RAISES BionerError: As `evaluate` does; for a log that cannot be read.
    """
    require_matplotlib()
    evaluated = evaluate(model, corpus, settings, gpu_id=gpu_id)
    measurement = evaluated.measurement
    log = log or find_log(Path(evaluated.nlp.path))
    training = _read_log(log)
    with plot_style():
        sections, figures = make_sections(
            measurement,
            training=training,
            about=_describe_run(evaluated, model, corpus, settings, log),
            thresholds=_read_thresholds(evaluated.nlp),
        )
        for name, figure in figures.items():
            write_figure(figure, output, name)
    cases = collect_cases(evaluated.pairs, measurement.mistakes)
    page = render_run_page(
        title or f"{Path(model).name} on {corpus.stem}", list_facts(measurement), sections, cases
    )
    path = output / "report.html"
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    mistakes = [
        {
            "document": case.document,
            "text": case.text,
            "start": case.start,
            **case.mistake.to_json(),
        }
        for case in cases
    ]
    write_json(output / "mistakes.json", mistakes)
    write_json(output / "report.json", evaluated.to_json())
    return path


def find_log(pipeline: Path) -> Optional[Path]:
    """Find the training log that belongs to a checkpoint, RUN/model-best: RUN.training.jsonl."""
    run = pipeline.resolve().parent
    names = (run.with_name(f"{run.name}.training.jsonl"), run / "training.jsonl")
    return next((path for path in names if path.is_file()), None)


def _read_log(log: Optional[Path]) -> List[Evaluation]:
    return [] if log is None else read_training_log(log)


def _read_thresholds(nlp: Language) -> Dict[str, float]:
    component: Any = nlp.get_pipe(FILTER) if FILTER in nlp.pipe_names else None
    return {} if component is None else dict(component.thresholds)


def _describe_run(
    evaluated: "Evaluated",
    model: str,
    corpus: Path,
    settings: EvaluationSettings,
    log: Optional[Path],
) -> List[Tuple[str, str]]:
    nlp = evaluated.nlp
    meta = nlp.meta
    pace = evaluated.evaluation.pace
    speed = pace.words_per_second
    return [
        ("pipeline", f"{meta.get('lang', '')}_{meta.get('name', '')} {meta.get('version', '')}"),
        ("components", ", ".join(nlp.pipe_names)),
        ("licence", str(meta.get("license") or "not stated")),
        ("what it is", str(meta.get("description") or "not stated")),
        ("trained with seed", str(nlp.config.get("training", {}).get("seed", "not stated"))),
        ("gold documents", corpus.name),
        ("labels scored", ", ".join(sorted(settings.labels)) or "all"),
        ("training log", log.name if log else "none found"),
        ("throughput", f"{speed:,.0f} words/s, {pace.n_words:,} words" if speed else "–"),
        ("command", _name_command(model, corpus)),
        ("environment", _name_environment()),
    ]


def _name_command(model: str, corpus: Path) -> str:
    # Where folders lie on this machine is nobody's business.
    return f"bioner report {Path(model).name} {corpus.name}"


def _name_environment() -> str:
    found = [f"spacy-bioner {__version__}", f"Python {platform.python_version()}", sys.platform]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
