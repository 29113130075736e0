"""k-fold training: a profile is trained once for each fold and tested on what it did not see."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Collection, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from spacy_bioner.apps.experiments.trials import PlannedTrial, TrialOutcome, run_trials
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.results import describe_profile
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.apps.training.trial import train_and_test
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.corpora.formats.docbin import read_docbin_records
from spacy_bioner.evaluation.bootstrap.intervals import ScoreIntervals, bootstrap_scores
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.files.digests import digest
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.replacing import replacing
from spacy_bioner.gold import ID_KEY
from spacy_bioner.records import Record
from spacy_bioner.reports.scores import format_interval, format_percent
from spacy_bioner.reports.tables import escape_markdown, render_markdown_table
from spacy_bioner.training.cross_validation import (
    DEV_SHARE,
    Fold,
    Spread,
    plan_folds,
    summarise_counts,
)

HEADER = ("fold", "train", "dev", "test", "gold", "precision", "recall", "F1", "dev F1", "seconds")
TYPE_HEADER = ("type", "gold", "folds with it", "precision", "recall", "F1", "F1 std. dev.")
_TRAINING = ("seed", "max_steps", "overrides")


@dataclass(frozen=True)
class TypeInFolds:
    """One type over all folds.

    gold (int): Mentions in all test parts.
    n_folds (int): Folds whose test part has it.
    spreads (Mapping[str, Spread]): Mean and deviation of precision, recall and F1 over these folds.
    untested (Sequence[int]): Folds without a mention to find: they are in no mean.
    untrained (Sequence[int]): Folds with mentions to find and none to learn from: all are missed,
        which counts.
    """

    label: str
    gold: int
    n_folds: int
    spreads: Mapping[str, Spread]
    untested: Sequence[int]
    untrained: Sequence[int]

    def to_json(self) -> Dict[str, Any]:
        """Give everything as plain data."""
        return {
            "gold": self.gold,
            "summary": {name: spread.to_json() for name, spread in self.spreads.items()},
            "folds_without_test_mentions": list(self.untested),
            "folds_without_training_mentions": list(self.untrained),
        }


@dataclass(frozen=True)
class CrossValidation:
    """The outcome of all folds.

    folds (Sequence[Dict]): What `result.json` of each fold holds.
    learned (Mapping[int, Collection[str]]): The labels of each fold's training mentions.
    """

    folds: Sequence[Dict[str, Any]]
    seed: int
    learned: Mapping[int, Collection[str]]

    @property
    def counts(self) -> List[Counts]:
        """Give the counts of each fold."""
        return [_sum(fold["document_counts"]) for fold in self.folds]

    @property
    def summary(self) -> Dict[str, Spread]:
        """Give mean and standard deviation over the folds."""
        return summarise_counts(self.counts)

    @property
    def types(self) -> List[TypeInFolds]:
        """Give each type's scores over the folds that have it."""
        return list_types(self.folds, self.learned)

    @property
    def pooled(self) -> ScoreIntervals:
        """Give the score of all test documents together, with its interval."""
        documents = [Counts(*row) for fold in self.folds for row in fold["document_counts"]]
        return bootstrap_scores(documents, seed=self.seed)

    def to_json(self) -> Dict[str, Any]:
        """Give folds, mean, standard deviation and the pooled score with its interval."""
        return {
            "folds": [
                {key: value for key, value in fold.items() if key != "document_counts"}
                for fold in self.folds
            ],
            "summary": {name: spread.to_json() for name, spread in self.summary.items()},
            "pooled": sum(self.counts, Counts()).to_json(),
            "pooled_intervals": self.pooled.to_json(),
            "by_type": {item.label: item.to_json() for item in self.types},
        }


@guards_outputs("output", inputs=("corpus",), file="folds.json")
def cross_validate(
    corpus: Path,
    output: Path,
    profile: Profile,
    *,
    k: int = 5,
    seed: int = 0,
    group_by: Optional[str] = None,
    dev_share: float = DEV_SHARE,
    gpu_id: int = -1,
    max_steps: int = 0,
    overrides: Optional[Mapping[str, Any]] = None,
    keep_models: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> CrossValidation:
    """Train and test a profile on each fold; folds that were finished before are not trained again.

    corpus (Path): A .spacy file with all documents.
    output (Path): Gets fold-1/… with data, log, curves and result.json; folds.json and folds.md.
    group_by (Optional[str]): Metadata that keeps documents together; None or "document": each for
        itself.
    keep_models (bool): Leave fold-N/model/model-best where it is.
    report (Callable): Is told of each fold.
    RAISES ConfigError: Settings that cannot be used, or that differ from those of finished folds.
    RAISES CorpusError: A file that cannot be read, or fewer documents than folds.
    """
    check_is_file(corpus)
    check_device(gpu_id)
    group = None if group_by in (None, "document") else group_by
    records = list(read_docbin_records(corpus))
    folds = plan_folds(records, k, seed=seed, group_by=group, dev_share=dev_share)
    settings = {
        "corpus": digest(corpus),
        "profile": describe_profile(profile),
        "folds": k,
        "seed": seed,
        "group_by": group or "document",
        "dev_share": dev_share,
        "max_steps": max_steps,
        "overrides": dict(overrides or {}),
    }
    training = {"gpu_id": gpu_id, **{name: settings[name] for name in _TRAINING}}
    by_folder = {_folder(output, fold): fold for fold in folds}

    def run(trial: PlannedTrial) -> TrialOutcome:
        fold = by_folder[trial.folder]
        done = _run_fold(
            fold, corpus, trial.folder, profile, keep_models=keep_models, training=training
        )
        return TrialOutcome(done)

    plan = [
        PlannedTrial(f"fold {fold.number} of {k}", folder, settings)
        for folder, fold in by_folder.items()
    ]
    results = [done.result for done in run_trials(plan, run, report=report)]
    outcome = CrossValidation(
        [result for result in results if result], seed, _list_learned(records, folds)
    )
    write_json(output / "folds.json", {"settings": settings, **outcome.to_json()})
    with replacing(output / "folds.md") as temporary:
        temporary.write_text(
            render_folds(outcome) + "\n", encoding="utf-8", errors="backslashreplace"
        )
    return outcome


def render_folds(outcome: CrossValidation) -> str:
    """Render a table with a row for each fold, the mean, the deviation and the pooled score."""
    rows: List[Tuple[str, ...]] = []
    for fold, counts in zip(outcome.folds, outcome.counts):
        sizes = tuple(f"{fold[name]:,}" for name in ("train", "dev", "test"))
        ends = (format_percent(fold["dev_f_score"]), f"{fold['seconds']:,.0f}")
        rows.append((str(fold["fold"]), *sizes, f"{counts.gold:,}", *_percents(counts), *ends))
    spreads = list(outcome.summary.values())
    for name, kind in (("mean", "mean"), ("std. dev.", "deviation")):
        values = tuple(format_percent(getattr(spread, kind)) for spread in spreads)
        rows.append((name, "", "", "", "", *values, "", ""))
    pooled = sum(outcome.counts, Counts())
    tested = f"{sum(fold['test'] for fold in outcome.folds):,}"
    rows.append(("pooled", "", "", tested, f"{pooled.gold:,}", *_percents(pooled), "", ""))
    head = f"strict match, {len(outcome.folds)} folds, seed {outcome.seed}"
    table = render_markdown_table(HEADER, rows, right=range(1, len(HEADER)))
    intervals = outcome.pooled
    pooled_line = (
        f"pooled F1 {format_interval(intervals.f_score)}: {100 * intervals.level:g} % of "
        f"{intervals.n_resamples:,} bootstrap resamples of {intervals.n_docs:,} documents"
    )
    return "\n\n".join([head, table, pooled_line, render_types(outcome.types)])


def _list_learned(records: Sequence[Record], folds: Sequence[Fold]) -> Dict[int, Collection[str]]:
    by_id: Dict[str, Set[str]] = {}
    for record in records:
        labels = {mention.label for mention in record.mentions}
        by_id.setdefault(record.id, set()).update(labels)
    return {fold.number: {label for i in fold.train for label in by_id[i]} for fold in folds}


def _run_fold(
    fold: Fold,
    corpus: Path,
    folder: Path,
    profile: Profile,
    *,
    keep_models: bool,
    training: Dict[str, Any],
) -> Dict[str, Any]:
    data = folder / "corpus"
    _write_parts(fold, corpus, data)
    done = train_and_test(profile, data, folder, title=f"fold {fold.number}", **training)
    if not keep_models:
        shutil.rmtree(folder / "model")
    return {
        "fold": fold.number,
        **{name: len(ids) for name, ids in fold.parts.items()},
        "seconds": round(done.seconds, 1),
        **done.outcome,
    }


def _write_parts(fold: Fold, corpus: Path, folder: Path) -> None:
    """Write the Docs of each part; Docs without an id are numbered as their records are."""
    from spacy.vocab import Vocab

    for name, ids in fold.parts.items():
        chosen = set(ids)
        docs = enumerate(read_docbin(corpus, Vocab()), start=1)
        kept = (doc for i, doc in docs if str(doc.user_data.get(ID_KEY, i)) in chosen)
        write_docbin(kept, folder / f"{name}.spacy")


def _folder(output: Path, fold: Fold) -> Path:
    return output / f"fold-{fold.number}"


def _sum(rows: Sequence[Sequence[int]]) -> Counts:
    return sum((Counts(*row) for row in rows), Counts())


def _percents(counts: Counts) -> Tuple[str, ...]:
    return tuple(map(format_percent, (counts.precision, counts.recall, counts.f_score)))


def list_types(
    folds: Sequence[Mapping[str, Any]], learned: Mapping[int, Collection[str]]
) -> List[TypeInFolds]:
    """Give each type that any fold has to find, in alphabetical order.

    folds (Sequence[Mapping[str, Any]]): What `result.json` of each fold holds.
    learned (Mapping[int, Collection[str]]): The labels of each fold's training mentions.
    """
    by_fold: Dict[int, Dict[str, Counts]] = {
        fold["fold"]: {
            label: Counts(row["tp"], row["fp"], row["fn"])
            for label, row in fold["scores"]["by_type"].items()
        }
        for fold in folds
    }
    found = []
    for label in sorted({label for rows in by_fold.values() for label in rows}):
        counts = {number: rows.get(label, Counts()) for number, rows in by_fold.items()}
        tested = {number: item for number, item in counts.items() if item.gold}
        if not tested:
            continue
        found.append(
            TypeInFolds(
                label,
                sum(item.gold for item in tested.values()),
                len(tested),
                summarise_counts(list(tested.values())),
                [number for number in counts if number not in tested],
                [number for number in tested if label not in learned[number]],
            )
        )
    return found


def render_types(types: Sequence[TypeInFolds]) -> str:
    """Render a table with a row for each type, and a note for each that folds lack."""
    rows = []
    for item in types:
        means = [format_percent(spread.mean) for spread in item.spreads.values()]
        deviation = format_percent(item.spreads["f_score"].deviation)
        name = escape_markdown(item.label or "(none)")
        rows.append((name, f"{item.gold:,}", str(item.n_folds), *means, deviation))
    lines = [render_markdown_table(TYPE_HEADER, rows, right=range(1, len(TYPE_HEADER))), ""]
    for item in types:
        name = escape_markdown(item.label or "(none)")
        if item.untested:
            lines.append(
                f"- {name}: no mention to find in {_list(item.untested)}, left out of means"
            )
        if item.untrained:
            lines.append(
                f"- {name}: no mention to learn from in {_list(item.untrained)}, where all of them "
                "are missed"
            )
    return "\n".join(lines).rstrip()


def _list(folds: Sequence[int]) -> str:
    return f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"
