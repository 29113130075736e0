"""k-fold training: a profile is trained once for each fold and tested on what it did not see."""

import shutil
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Mapping, Optional, Sequence, Set

from spacy_bioner.apps.experiments.trials import PlannedTrial, TrialOutcome, run_trials
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.stored_results import describe_profile
from spacy_bioner.apps.training.train import check_device
from spacy_bioner.apps.training.trial import train_and_test
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.corpora.formats.docbin import read_docbin_records
from spacy_bioner.files.digests import digest
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import check_is_file
from spacy_bioner.files.replacing import write_text
from spacy_bioner.gold import ID_KEY
from spacy_bioner.records import Record
from spacy_bioner.reports.text.cross_validation import render_folds
from spacy_bioner.training.cross_validation import (
    DEV_SHARE,
    CrossValidation,
    Fold,
    plan_folds,
)

_TRAINING = ("seed", "max_steps", "overrides")


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
    RAISES (ConfigError): Settings that cannot be used, or that differ from those of finished folds.
    RAISES (CorpusError): A file that cannot be read, or fewer documents than folds.
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
    write_text(output / "folds.md", render_folds(outcome) + "\n")
    return outcome


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
