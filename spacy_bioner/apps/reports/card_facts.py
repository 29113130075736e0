"""Collecting what a model card says: from the model's config and meta, the account of its corpus,
its training log, and the scores that `bioner evaluate` wrote."""

import json
from collections import Counter
from math import isclose
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from thinc.api import Config, Model

from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.apps.names import SEVERAL, encoder_words
from spacy_bioner.apps.profiles import get_setting
from spacy_bioner.architectures.pieces.term_flags import find_table
from spacy_bioner.corpora.conversion import check_account
from spacy_bioner.errors import PackageError
from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.runner import MODEL, PIPELINE, TITLES, WITHOUT_TERMS
from spacy_bioner.evaluation.scores import Scores
from spacy_bioner.files.digests import digest_path
from spacy_bioner.knowledge.gaz import SourceInfo
from spacy_bioner.reports.scores import merge_equal
from spacy_bioner.training.corpus import find_docbins
from spacy_bioner.training.results.exports import META_KEY
from spacy_bioner.training.results.model_facts import (
    TERMS_KEY,
    CorpusFacts,
    EncoderFacts,
    ScoredCorpus,
    TermFacts,
)

ENCODER_OWNERS = ("spacy_bioner.", "spacy-transformers.", "spacy-curated-transformers.")
DOCBIN = ".spacy"
ACCOUNT = "expected the corpus.json of `bioner prepare`"
# What became of a mention that was an entity to learn from.
_LEARNED = ("exact", "widened", "narrowed")
# How the architectures end that look terms up.
FEATURES_NAME = "TermFeatures.v1"
TRAINING_SETTINGS = (
    ("seed", "training.seed"),
    ("steps at most", "training.max_steps"),
    ("epochs at most", "training.max_epochs"),
    ("steps between evaluations", "training.eval_frequency"),
    ("steps without improvement at most", "training.patience"),
    ("dropout", "training.dropout"),
    ("batcher", "training.batcher.@batchers"),
    ("batch size", "training.batcher.size"),
    ("optimizer", "training.optimizer.@optimizers"),
    ("learning rate", "training.optimizer.learn_rate.initial_rate"),
    ("warm-up steps", "training.optimizer.learn_rate.warmup_steps"),
)


def find_encoders(config: Mapping[str, Any]) -> Dict[str, Mapping[str, Any]]:
    """Find the pre-trained encoders that a pipeline was trained from.

    config (Mapping[str, Any]): A pipeline's config, interpolated.
    RETURNS (Dict[str, Mapping[str, Any]]): Their config sections, by name of the encoder.
    """
    return {
        section["name"]: section
        for section in _walk_sections(config.get("components", {}))
        if isinstance(section.get("name"), str)
        and str(section.get("@architectures", "")).startswith(ENCODER_OWNERS)
    }


def list_architectures(config: Mapping[str, Any]) -> Set[str]:
    """List the architectures that a pipeline's components are made of, by their registered names.

    config (Mapping[str, Any]): A pipeline's config, interpolated.
    """
    sections = _walk_sections(config.get("components", {}))
    return {str(section["@architectures"]) for section in sections if "@architectures" in section}


def read_account(
    path: Path, labels: Optional[Collection[str]] = None, *, trained: str = ""
) -> CorpusFacts:
    """Read what `bioner prepare` wrote of the training corpus.

    labels (Optional[Collection[str]]): What the trained component predicts: it learned that from
        the corpus. None when nothing was trained.
    trained (str): What the training config reads: a folder may hold several splits, otherwise the
        split "train" is meant.
    RAISES (PackageError): No such file, another kind of JSON, or a corpus of other labels; a folder
        that is not there, or that holds other splits.
    RAISES (CorpusError): Where the documents that were trained on are not what it is about.
    """
    data = _read_json(path, ACCOUNT)
    try:
        splits = data["splits"]
        files = _list_splits(path, trained, splits)
        counts: Dict[str, Counter] = {}
        for split, file in files.items():
            check_account(splits[split], file, path=path)
            for label, row in splits[split]["count"].get("by_label", {}).items():
                own = {key: row[key] for key in (*_LEARNED, "total")}
                counts.setdefault(label, Counter()).update(own)
        if labels is not None:
            _check_labels(path, counts, labels)
        digests = {split: splits[split].get("sha256", "") for split in files}
        return CorpusFacts(
            data["title"],
            data["licence"],
            sum(splits[split]["documents"] for split in files),
            {label: row["total"] for label, row in counts.items()},
            data["name"],
            {f"{data['name']}/{split}": digest for split, digest in digests.items() if digest},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"{path}: found other content ({error!r}), {ACCOUNT}") from error


def read_accounts(
    paths: Sequence[Path], config: Mapping[str, Any], labels: Optional[Collection[str]] = None
) -> CorpusFacts:
    """Read what is known of one training corpus, or of several together.

    config (Mapping[str, Any]): The pipeline's, interpolated: of several corpora, it says which
        labels each teaches.
    labels (Optional[Collection[str]]): See `read_account`.
    RAISES (PackageError): As `read_account` does, and for several that are not those of the config.
    """
    if not paths:
        return CorpusFacts()
    if len(paths) == 1:
        trained = get_setting(config, "corpora.train.path")
        return read_account(paths[0], labels, trained=str(trained or ""))
    taught = get_setting(config, "corpora.train.corpora") or {}
    names = [_read_name(path) for path in paths]
    if sorted(names) != sorted(taught):
        raise PackageError(
            f"found the accounts of {', '.join(names)}, expected those of "
            f"{', '.join(taught) or 'one corpus'}, as the pipeline was trained on"
        )
    accounts = [
        read_account(path, trained=str(taught[name].get("path") or ""))
        for path, name in zip(paths, names)
    ]
    counts: Counter = Counter()
    for account in accounts:
        own = taught[account.short_name]["labels"]
        counts.update({label: account.n_mentions.get(label, 0) for label in own})
    return CorpusFacts(
        "; ".join(account.name for account in accounts),
        "; ".join(f"{account.name}: {account.licence}" for account in accounts),
        sum(account.n_docs or 0 for account in accounts),
        dict(counts),
        SEVERAL,
        {name: digest for account in accounts for name, digest in account.digests.items()},
    )


def _read_name(path: Path) -> str:
    try:
        return str(_read_json(path, ACCOUNT)["name"])
    except (KeyError, TypeError) as error:
        raise PackageError(f"{path}: found other content ({error!r}), {ACCOUNT}") from error


def _list_splits(path: Path, trained: str, known: Mapping[str, Any]) -> Dict[str, Path]:
    """Name the splits that were trained on, with their files."""
    folder = Path(trained)
    if not trained or folder.suffix == DOCBIN:
        return {"train": path.with_name(f"train{DOCBIN}")}
    if not folder.is_dir():
        raise PackageError(
            f"{path}: the pipeline was trained on the splits in {trained}, and no such folder is "
            "here; package it where it was trained"
        )
    files = {file.stem: file for file in find_docbins(folder)}
    if unknown := sorted({*files} - {*known}):
        raise PackageError(
            f"{path}: found no account of {', '.join(unknown)}, which {trained} holds, expected "
            f"some of {', '.join(known)}"
        )
    return files


def read_metrics(path: Path, model_dir: Path) -> ScoredCorpus:
    """Read what `bioner evaluate --output` wrote of a pipeline.

    model_dir (Path): The pipeline's folder; its content must be what was scored.
    RAISES (PackageError): No such file, another kind of JSON, or the scores of another pipeline.
    """
    expected = "expected the JSON of `bioner evaluate --output`"
    data = _read_json(path, expected)
    try:
        if data["model"]["fingerprint"] != fingerprint(model_dir):
            raise PackageError(
                f"{path}: found scores of another pipeline ({data['model']['path']}, or what "
                f"{model_dir} was before it changed), {expected} on {model_dir}"
            )
        scores = {key: Scores.from_json(row) for key, row in data["scores"].items()}
        shown = (PIPELINE, WITHOUT_TERMS, MODEL)
        tables = {TITLES[key]: scores[key] for key in shown if key in scores}
        # Where the file lies on this machine is nobody's business.
        corpus = Path(data["corpus"])
        name = f"{corpus.parent.name}/{corpus.name}" if data.get("dataset") else corpus.name
        return ScoredCorpus(
            name,
            merge_equal(tables),
            data.get("dataset") or "",
            **_read_measurement(data.get("measurement") or {}),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"{path}: found other content ({error!r}), {expected}") from error


def _read_measurement(measured: Mapping[str, Any]) -> Dict[str, Any]:
    """Read what else was measured of the whole pipeline, as fields of `ScoredCorpus`."""
    found: Dict[str, Any] = {}
    if intervals := measured.get("intervals"):
        rows = {None: intervals["averages"]["micro"], **intervals["by_type"]}
        found["intervals"] = {label: Interval(**row["f_score"]) for label, row in rows.items()}
    found["novelty"] = [
        (row["name"], row["found"], row["gold"])
        for row in measured.get("strata") or ()
        if row["division"] == "novelty" and row["gold"]
    ]
    if calibration := measured.get("calibration"):
        found["calibration_error"] = calibration["expected_calibration_error"]
    return found


def describe_encoder(
    encoders: Mapping[str, Mapping[str, Any]], licences: Mapping[str, str]
) -> Optional[EncoderFacts]:
    """Name the first encoder; of a folder on this machine the name only, not where it lies.

    encoders (Mapping[str, Mapping[str, Any]]): The encoders' config sections by name.
    licences (Mapping[str, str]): Licences of encoders by name; one counts when its name and the
        encoder's end alike, so that a hub name serves for its local copy.
    """
    name = next(iter(encoders), None)
    if name is None:
        return None
    words = encoder_words(name)
    known = [licence for key, licence in licences.items() if encoder_words(key) == words]
    is_folder = Path(name).expanduser().is_absolute()
    return EncoderFacts("-".join(words) if is_folder else name, next(iter(known), ""))


def describe_settings(
    config: Config,
    encoders: Mapping[str, Mapping[str, Any]],
    performance: Mapping[str, Any],
) -> List[Tuple[str, str]]:
    """List training settings that are set, then what the run came to.

    encoders (Mapping[str, Mapping[str, Any]]): The encoders' config sections by name.
    performance (Mapping[str, Any]): The dev scores in the model's meta.
    """
    section = next(iter(encoders.values()), {})
    rows = [
        (f"encoder: {key}", str(value))
        for key, value in section.items()
        # A setting that is empty says nothing.
        if key not in ("name", "threads")
        and not key.startswith("@")
        and isinstance(value, (str, int, float))
        and value != ""
    ]
    if left_out := get_setting(config, "corpora.train.exclude"):
        rows.append(("documents left out by identifier", f"those of {', '.join(left_out)}"))
    values = [(title, get_setting(config, path)) for title, path in TRAINING_SETTINGS]
    rows += [(title, _describe_value(title, value)) for title, value in values if value is not None]
    f_score = performance.get("ents_f")
    if isinstance(f_score, float):
        learned = ", which it has learned from" if _learns_from_dev(config) else ""
        rows.append((f"F1 on the development documents{learned}", f"{100 * f_score:.2f}"))
        rows += _describe_run(get_setting(config, "training.logger.output_file"), f_score)
    return rows


def _learns_from_dev(config: Mapping[str, Any]) -> bool:
    """Tell whether a file of development documents is one of those trained on, as far as they are
    here."""
    trained, judged = (
        {
            digest_path(file)
            for path in _list_data(get_setting(config, f"corpora.{split}") or {})
            if path.exists()
            for file in find_docbins(path)
        }
        for split in ("train", "dev")
    )
    return not trained.isdisjoint(judged)


def _list_data(reader: Mapping[str, Any]) -> List[Path]:
    settings = [reader, *(reader.get("corpora") or {}).values()]
    return [Path(own["path"]) for own in settings if own.get("path")]


def describe_export(meta: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Say of an exported pipeline in which precision it computes, and what that cost.

    meta (Mapping[str, Any]): The pipeline's.
    """
    exported = meta.get(META_KEY)
    if not exported:
        return []
    compared = exported["compared"]
    rows = [("exported", f"{exported['precision']}, for onnxruntime")]
    difference = compared["f_score"]["difference"]["value"]
    if difference is not None:
        what = f"F1 of {exported['precision']} against the trained pipeline in float32"
        where = f"{compared['n_docs']:,} development documents"
        rows.append((what, f"{100 * difference:+.2f} points on {where}"))
    return rows


def describe_terms(meta: Mapping[str, Any]) -> Optional[TermFacts]:
    """Say where the terms of a pipeline's gazetteer are from; None without one.

    meta (Mapping[str, Any]): The pipeline's, as `bioner assemble` notes it there.
    """
    facts = meta.get(TERMS_KEY)
    if not facts:
        return None
    sources = [SourceInfo(**source) for source in facts["sources"]]
    return TermFacts(facts["table"], facts["n_terms"], sources, facts.get("rules", {}))


def describe_features(model_dir: Path, config: Mapping[str, Any]) -> Optional[TermFacts]:
    """Say which terms a pipeline's model looks up by itself; None for none.

    The model is asked: it carries the table, whatever was noted elsewhere.

    model_dir (Path): The pipeline; loaded only if it has such a part.
    config (Mapping[str, Any]): Its config, interpolated.
    """
    if not any(name.endswith(FEATURES_NAME) for name in list_architectures(config)):
        return None
    models = [getattr(pipe, "model", None) for _, pipe in load_pipeline(str(model_dir)).pipeline]
    found = (find_table(model) for model in models if isinstance(model, Model))
    for name, table in filter(None, found):
        return TermFacts(name, len(table), table.sources, table.rules)
    return None


def _read_json(path: Path, expected: str) -> Any:
    if not path.is_file():
        raise PackageError(f"{path}: no such file, {expected}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PackageError(f"{path}: found no JSON ({error}), {expected}") from error


def _check_labels(
    path: Path, by_label: Mapping[str, Mapping[str, int]], labels: Collection[str]
) -> None:
    # A mention that was aligned as these was an entity to learn from; others may not have been.
    learned = {label for label, row in by_label.items() if sum(row[key] for key in _LEARNED)}
    if not learned <= set(labels) <= set(by_label):
        raise PackageError(
            f"{path}: found a training corpus with {', '.join(sorted(learned))}, expected that of "
            f"a pipeline that knows {', '.join(sorted(labels)) or 'nothing'}"
        )


def _walk_sections(section: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield section
    for value in section.values():
        if isinstance(value, Mapping):
            yield from _walk_sections(value)


def _describe_value(title: str, value: Any) -> str:
    # spaCy writes "no limit" as 0.
    return "no limit" if value == 0 and title.endswith("at most") else str(value)


def _describe_run(log: Optional[str], f_score: float) -> Sequence[Tuple[str, str]]:
    """Find the evaluation that chose this model in the training log.

    The file may be of a later run: only a line with exactly the model's own score counts.
    """
    if not log or not Path(log).is_file():
        return []
    for line in Path(log).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if isclose((row["scores"] or {}).get("ents_f") or -1.0, f_score, rel_tol=1e-9):
            return [("chosen at step", f"{row['step']:,}"), ("chosen in epoch", str(row["epoch"]))]
    return []
