"""Each pipeline on each corpus: how far what is learned on one carries to the others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set

from spacy.language import Language

from spacy_bioner.apps.evaluation.shared_documents import TEST, TRAIN, compare_with_training
from spacy_bioner.apps.experiments.trials import RESULT
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import Profile
from spacy_bioner.apps.stored_results import describe_training, load_result, store_result
from spacy_bioner.apps.training.curves import write_outcome
from spacy_bioner.apps.training.train import check_documents
from spacy_bioner.apps.training.trial import train_and_test
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.labels import LabelMap, check_names
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.cross_corpus import Cell, Rename, score_cell
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.runner import entity_labels, run_timed
from spacy_bioner.reports.plots.experiments import plot_matrix
from spacy_bioner.reports.plots.style import require_matplotlib
from spacy_bioner.reports.text.cross_corpus import render_matrix


@dataclass(frozen=True)
class CrossSettings:
    """How the matrix is made.

    label_map (Optional[LabelMap]): Brings the labels of all corpora and pipelines to one set.
    profile (Optional[Profile]): Trained on each corpus that no pipeline is named for.
    seed (int): Of trainings and intervals.
    overrides (Optional[Mapping[str, Any]]): Settings of all trainings.
    """

    label_map: Optional[LabelMap] = None
    profile: Optional[Profile] = None
    seed: int = 0
    max_steps: int = 0
    overrides: Optional[Mapping[str, Any]] = None
    gpu_id: int = -1


@guards_outputs("output", file="cross.json")
def cross_evaluate(
    corpora: Mapping[str, Path],
    models: Mapping[str, str],
    output: Path,
    settings: CrossSettings,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> List[Cell]:
    """Score each pipeline on the test documents of each corpus.

    Test documents that stand in a pipeline's training documents, under whatever id, are left out
    of its scores, where its training documents are known: those of the corpus of its name.

    corpora (Mapping[str, Path]): Folders with test.spacy; with train.spacy and dev.spacy for those
        that are trained on.
    models (Mapping[str, str]): Pipelines by the name of the corpus that they were trained on, or
        by any other name.
    output (Path): Gets cross.md, .json, .png, .svg, and trainings, which are not done again.
    RETURNS (List[Cell]): Row by row, pipelines in the order of corpora, then others.
    RAISES (ConfigError): No corpus; no pipeline and nothing to train.
    RAISES (CorpusError): Documents to train on that are not there, before anything is scored.
    RAISES (LabelError): A label map none of whose labels a corpus or pipeline has.
    """
    require_matplotlib()
    names = [*(name for name in corpora if name in models or settings.profile is not None)]
    names += [name for name in models if name not in corpora]
    if not corpora or not names:
        raise ConfigError(
            f"found {len(corpora)} corpora and {len(models)} pipelines, expected one or more of "
            "each, or a profile to train"
        )
    for corpus_name, folder in corpora.items():
        if not (folder / f"{TEST}.spacy").is_file():
            raise ConfigError(
                f"{corpus_name}={folder}: found no {TEST}.spacy in it, expected a folder of splits"
            )
        if corpus_name not in models and settings.profile is not None:
            check_documents(folder, settings.overrides or {})
    rename: Rename = settings.label_map.rename if settings.label_map else str
    seen: Set[str] = set()
    cells: List[Cell] = []
    for name in names:
        path = models.get(name) or _train(name, corpora[name], output, settings, report)
        nlp = load_pipeline(path, gpu_id=settings.gpu_id)
        for corpus, folder in corpora.items():
            report(f"{name} on {corpus}")
            known = corpora.get(name)
            cells.append(_score(nlp, name, corpus, folder, known, rename, settings.seed, seen))
    _check_label_map(settings.label_map, seen)
    _write(cells, corpora, output, settings)
    return cells


def _train(
    name: str,
    corpus: Path,
    output: Path,
    settings: CrossSettings,
    report: Callable[[str], None],
) -> str:
    if settings.profile is None:
        raise ConfigError(f"found no pipeline for {name}, expected one, or a profile to train")
    folder = output / name
    given: Dict[str, Any] = {"seed": settings.seed, "max_steps": settings.max_steps}
    plan = describe_training(settings.profile, corpus, **given)
    plan["overrides"] = dict(settings.overrides or {})
    best = folder / "model" / "model-best"
    if load_result(folder / RESULT, plan) is None or not best.is_dir():
        report(f"{name}: training")
        given.update(overrides=plan["overrides"], gpu_id=settings.gpu_id)
        tested = train_and_test(settings.profile, corpus, folder, title=name, **given)
        store_result(folder / RESULT, plan, tested.outcome)
    return str(best)


def _score(
    nlp: Language,
    name: str,
    corpus: str,
    folder: Path,
    trained_on: Optional[Path],
    rename: Rename,
    seed: int,
    seen: Set[str],
) -> Cell:
    """Score a pipeline on a corpus; `seen` takes the labels of both."""
    gold = list(read_docbin(folder / f"{TEST}.spacy", nlp.vocab))
    predicted, _ = run_timed(nlp, gold)
    compared = [compare_docs(left, right) for left, right in zip(gold, predicted, strict=True)]
    # Components of rules may not say what they can find: what the corpus has is then looked for.
    labels = entity_labels(nlp) or {label for item in compared for _, _, label in item.gold or ()}
    seen.update(labels, (label for item in compared for _, _, label in item.gold or ()))
    left_out: Optional[FrozenSet[int]] = None
    if trained_on is not None and (trained_on / f"{TRAIN}.spacy").is_file():
        left_out = compare_with_training(gold, trained_on / f"{TRAIN}.spacy").leaking(TEST)
    return score_cell(name, corpus, compared, labels, rename=rename, left_out=left_out, seed=seed)


def _check_label_map(label_map: Optional[LabelMap], seen: Set[str]) -> None:
    """Make sure that a label map names something that a corpus or pipeline has."""
    if label_map is not None and not any(map(label_map.covers, seen)):
        names = {*label_map.labels, *label_map.dropped}
        check_names(names, seen, where=f"the label map {label_map.name}")


def _write(
    cells: Sequence[Cell], corpora: Mapping[str, Path], output: Path, settings: CrossSettings
) -> None:
    data = {
        "seed": settings.seed,
        "label_map": settings.label_map and settings.label_map.name,
        "profile": settings.profile and settings.profile.name,
        "corpora": {name: str(path) for name, path in corpora.items()},
        "cells": [item.to_json() for item in cells],
    }
    write_outcome(output, "cross", data, render_matrix(cells), lambda: plot_matrix(cells))
