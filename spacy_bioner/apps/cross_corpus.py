"""Each pipeline on each corpus: how far what is learnt on one carries to the others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language

from spacy_bioner.apps.curves import write_figure
from spacy_bioner.apps.finished_runs import (
    describe_profile,
    digest,
    load_result,
    store_result,
    write_json,
)
from spacy_bioner.apps.loading import load_pipeline
from spacy_bioner.apps.profiles import SPLITS, Profile
from spacy_bioner.apps.tested_training import train_and_test
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.corpora.docbin_records import read_docbin_records
from spacy_bioner.corpora.files import replacing
from spacy_bioner.corpora.label_maps import LabelMap
from spacy_bioner.corpora.leakage import find_leaks
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.cross_corpus import Cell, Rename, score_cell
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.pipelines import entity_labels, run_timed
from spacy_bioner.reports.cross_corpus import plot_matrix, render_matrix
from spacy_bioner.reports.figures import plot_style, require_matplotlib

RESULT = "result.json"
TEST, TRAIN = "test", "train"


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
    RAISES ConfigError: No corpus; no pipeline and nothing to train.
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
    rename: Rename = settings.label_map.rename if settings.label_map else str
    cells: List[Cell] = []
    for name in names:
        path = models.get(name) or _train(name, corpora[name], output, settings, report)
        nlp = load_pipeline(path, gpu_id=settings.gpu_id)
        for corpus, folder in corpora.items():
            report(f"{name} on {corpus}")
            known = corpora.get(name)
            cells.append(_score(nlp, name, corpus, folder, known, rename, settings.seed))
    _write(cells, corpora, output, settings)
    return cells


def parse_named(texts: Sequence[str], option: str) -> Dict[str, str]:
    """Read NAME=VALUE, several times.

    RAISES ConfigError: For another form, and a name that stands twice.
    """
    found: Dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise ConfigError(f"{option} {text}: expected NAME=VALUE")
        if name in found:
            raise ConfigError(f"{option} {text}: found the name {name} twice, expected others")
        found[name] = value
    return found


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
    plan: Dict[str, Any] = {
        "corpus": {split: digest(corpus / f"{split}.spacy") for split in SPLITS},
        "profile": describe_profile(settings.profile),
        "seed": settings.seed,
        "max_steps": settings.max_steps,
        "overrides": dict(settings.overrides or {}),
    }
    best = folder / "model" / "model-best"
    if load_result(folder / RESULT, plan) is None or not best.is_dir():
        report(f"{name}: training")
        training: Dict[str, Any] = {"overrides": plan["overrides"], "gpu_id": settings.gpu_id}
        training.update(seed=settings.seed, max_steps=settings.max_steps)
        tested = train_and_test(settings.profile, corpus, folder, title=name, **training)
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
) -> Cell:
    test = folder / f"{TEST}.spacy"
    gold = list(read_docbin(test, nlp.vocab))
    predicted, _ = run_timed(nlp, gold)
    compared = [compare_docs(left, right) for left, right in zip(gold, predicted, strict=True)]
    # Components of rules may not say what they can find: what the corpus has is then looked for.
    labels = entity_labels(nlp) or {label for item in compared for _, _, label in item.gold or ()}
    left_out: Optional[FrozenSet[int]] = None
    if trained_on is not None and (trained_on / f"{TRAIN}.spacy").is_file():
        left_out = _find_leaking(test, trained_on / f"{TRAIN}.spacy")
    return score_cell(name, corpus, compared, labels, rename=rename, left_out=left_out, seed=seed)


def _find_leaking(test: Path, train: Path) -> FrozenSet[int]:
    records = {TEST: read_docbin_records(test), TRAIN: read_docbin_records(train)}
    return find_leaks(records).leaking(TEST)


def _write(
    cells: Sequence[Cell], corpora: Mapping[str, Path], output: Path, settings: CrossSettings
) -> None:
    about: Tuple[Tuple[str, Any], ...] = (
        ("seed", settings.seed),
        ("label_map", settings.label_map and settings.label_map.name),
        ("profile", settings.profile and settings.profile.name),
        ("corpora", {name: str(path) for name, path in corpora.items()}),
    )
    write_json(output / "cross.json", {**dict(about), "cells": [item.to_json() for item in cells]})
    with replacing(output / "cross.md") as temporary:
        temporary.write_text(render_matrix(cells) + "\n", encoding="utf-8")
    with plot_style():
        write_figure(plot_matrix(cells), output, "cross")
