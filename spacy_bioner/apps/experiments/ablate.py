"""What each part is worth: a pipeline without one component, a training without one choice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from spacy_bioner.apps.evaluation.evaluate import read_gold
from spacy_bioner.apps.experiments.trials import PlannedTrial, TrialOutcome, run_trials
from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.apps.names import FOLDER_NAME
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import Profile, get_setting, read_training_config
from spacy_bioner.apps.stored_results import describe_training
from spacy_bioner.apps.training.curves import write_outcome
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.apps.training.trial import train_and_test
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.significance import PairedComparison, compare_systems
from spacy_bioner.evaluation.runner import evaluate_documents
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.reports.plots.experiments import plot_ablation
from spacy_bioner.reports.plots.style import require_matplotlib
from spacy_bioner.reports.text.ablation import render_ablation
from spacy_bioner.training.results.experiments import AblationRow

FULL = "all"
COMPONENT = "components.bioner"
ENCODER = f"{COMPONENT}.model.encoder"
# Name, setting, and the value that stands for doing without.
STANDARD = (
    ("CRF", f"{COMPONENT}.model.crf", False),
    ("tag scheme", f"{COMPONENT}.scheme", "BIO"),
    ("adversary", f"{COMPONENT}.adversary.method", "none"),
    ("label smoothing", f"{COMPONENT}.objective.label_smoothing", 0.0),
    ("focal loss", f"{COMPONENT}.objective.focal_gamma", 0.0),
    ("layer-wise rates", f"{ENCODER}.layer_decay", 1.0),
    ("document windows", f"{ENCODER}.unit", "sentence"),
    ("pooling", f"{ENCODER}.pooling", "first"),
    ("dropout on token states", f"{COMPONENT}.model.dropout", 0.0),
    ("dropout", "training.dropout", 0.0),
    ("warm-up", "training.optimizer.learn_rate.warmup_steps", 0),
    ("weight decay", "training.optimizer.L2", 0.0),
    ("gradient clipping", "training.optimizer.grad_clip", 0.0),
    ("averaged weights", "training.optimizer.use_averages", False),
)
"""What trainings here choose, for `bioner ablate --each`."""


@dataclass(frozen=True)
class Choice:
    """Something of a training that can be switched off.

    name (str): What the table calls it.
    overrides (Mapping[str, Any]): Settings of the config that switch it off.
    """

    name: str
    overrides: Mapping[str, Any]


def check_asked(model: str, off: Sequence[str], *, each: bool) -> None:
    """Make sure that a pipeline is named, or choices in training.

    off (Sequence[str]): Choices by name and setting.
    each (bool): The standard choices.
    RAISES (ConfigError): For both, and for neither.
    """
    if bool(model) == bool(off or each):
        raise ConfigError(
            "found --model with --off or --each, or none of them; expected --model, or the others"
        )


@guards_outputs("output", inputs=("model", "corpus"), file="ablation.json")
def ablate_components(
    model: str,
    corpus: Path,
    output: Path,
    *,
    seed: int = 0,
    gpu_id: int = -1,
    report: Callable[[str], None] = lambda line: None,
) -> List[AblationRow]:
    """Score a pipeline as it is, and with each component switched off in turn.

    model (str): A pipeline folder or package.
    corpus (Path): A DocBin of gold documents.
    output (Path): Gets ablation.md, .json, .png and .svg.
    seed (int): Of the intervals.
    RETURNS (List[AblationRow]): The whole first, then each component in the pipeline's order.
    RAISES (ConfigError): For a pipeline of less than two components.
    """
    require_matplotlib()
    check_is_file(corpus)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    names = list(nlp.pipe_names)
    if len(names) < 2:
        raise ConfigError(
            f"{model}: found the components {', '.join(names) or 'none'}, expected two or more: "
            "without its only one, a pipeline finds nothing"
        )
    gold = read_gold(corpus, nlp)
    report(f"{FULL}: {', '.join(names)}")
    counts = {FULL: evaluate_documents(nlp, gold).counts}
    for name in names:
        report(f"without {name}")
        with nlp.select_pipes(disable=[name]):
            counts[name] = evaluate_documents(nlp, gold).counts
    about = {"model": model, "fingerprint": fingerprint(Path(nlp.path)), "corpus": str(corpus)}
    return _write(_make_rows(counts, seed), output, about, seed)


@guards_outputs("output", file="ablation.json")
def ablate_training(
    profile: Profile,
    corpus_dir: Path,
    output: Path,
    choices: Sequence[Choice],
    *,
    seed: int = 0,
    max_steps: int = 0,
    gpu_id: int = -1,
    overrides: Optional[Mapping[str, Any]] = None,
    report: Callable[[str], None] = lambda line: None,
) -> List[AblationRow]:
    """Train a profile as it is, and with each choice switched off in turn; score all on test.

    Trainings that were finished before are not done again.
    corpus_dir (Path): The folder with train.spacy, dev.spacy and test.spacy.
    output (Path): Gets a folder for each training; ablation.md, .json, .png and .svg.
    choices (Sequence[Choice]): With different names.
    seed (int): Of every training, and of the intervals.
    overrides (Optional[Mapping[str, Any]]): Settings of all trainings.
    RAISES (ConfigError): No choice, two of one name, and settings that differ from those of
        finished trainings.
    """
    require_matplotlib()
    check_device(gpu_id)
    names = [FULL, *(choice.name for choice in choices)]
    if not choices or len(set(names)) < len(names):
        raise ConfigError(
            f"found the choices {', '.join(names[1:]) or 'none'}, expected one or more with "
            f"different names, none of them '{FULL}'"
        )
    common = dict(overrides or {})
    plans = {FULL: common, **{item.name: {**common, **item.overrides} for item in choices}}
    made = describe_training(profile, corpus_dir, seed=seed, max_steps=max_steps)

    def run(trial: PlannedTrial) -> TrialOutcome:
        training: Dict[str, Any] = {"gpu_id": gpu_id, "seed": seed, "max_steps": max_steps}
        training["overrides"] = trial.settings["overrides"]
        folder = trial.folder
        tested = train_and_test(profile, corpus_dir, folder, title=folder.name, **training)
        return TrialOutcome(tested.outcome)

    trials = [
        PlannedTrial(
            name if name == FULL else f"without {name}",
            output / name,
            {**made, "overrides": plan},
        )
        for name, plan in plans.items()
    ]
    done = zip(plans, run_trials(trials, run, report=report), strict=True)
    counts = {
        name: [Counts(*row) for row in result["document_counts"]]
        for name, (result, _) in done
        if result is not None
    }
    about = {"profile": profile.name, "corpus": corpus_dir.name, "max_steps": max_steps}
    return _write(_make_rows(counts, seed), output, about, seed)


def list_choices(profile: Profile, overrides: Optional[Mapping[str, Any]] = None) -> List[Choice]:
    """List the choices of `STANDARD` that a profile makes, each with what switches it off.

    overrides (Optional[Mapping[str, Any]]): Settings of all trainings.
    RAISES (ConfigError): For a profile that makes none of them.
    """
    config = read_training_config(profile.config)
    given = {**profile.overrides, **(overrides or {})}
    choices = []
    for name, key, off in STANDARD:
        value = given.get(key, get_setting(config, key))
        if value is not None and value != off:
            choices.append(Choice(name, {key: off}))
    if not choices:
        raise ConfigError(f"profile '{profile.name}' makes none of the standard choices; use --off")
    return choices


def parse_choice(text: str) -> Choice:
    """Read NAME:KEY=VALUE[,KEY=VALUE…], the form of `--off`.

    RAISES (ConfigError): For another form.
    """
    from spacy.cli._util import parse_config_overrides

    name, colon, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    if not (name and colon and pairs) or not all(key and sign for key, sign, _ in pairs):
        raise ConfigError(f"--off {text}: expected NAME:KEY=VALUE, several with commas")
    if not FOLDER_NAME.fullmatch(name):
        raise ConfigError(f"--off {text}: found a name that no folder can have, expected another")
    words = [word for key, _, value in pairs for word in (f"--{key.strip()}", value.strip())]
    return Choice(name, parse_config_overrides(words, env_var=None))


def _make_rows(counts: Mapping[str, Sequence[Counts]], seed: int) -> List[AblationRow]:
    whole = counts[FULL]
    rows: List[AblationRow] = []
    for name, found in counts.items():
        compared: Optional[PairedComparison] = None
        if name != FULL:
            compared = compare_systems(whole, found, seed=seed)
        rows.append(AblationRow(name, sum(found, Counts()), compared))
    return rows


def _write(
    rows: List[AblationRow], output: Path, about: Mapping[str, Any], seed: int
) -> List[AblationRow]:
    data = {**about, "seed": seed, "rows": [row.to_json() for row in rows]}
    write_outcome(output, "ablation", data, render_ablation(rows), lambda: plot_ablation(rows))
    return rows
