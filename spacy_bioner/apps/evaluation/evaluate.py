"""A pipeline scored on a converted corpus: strictly, and by all that explains the figure."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Collection, Dict, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.apps.evaluation.entity_confidence import COMPONENT, find_tagger
from spacy_bioner.apps.evaluation.shared_documents import SharedDocuments, find_shared
from spacy_bioner.apps.loading import fingerprint, load_pipeline
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.profiles import get_setting
from spacy_bioner.corpora.docbin import list_docbins, read_docbin
from spacy_bioner.errors import ConfigError, CorpusError, LabelError
from spacy_bioner.evaluation.bootstrap.intervals import N_RESAMPLES
from spacy_bioner.evaluation.evaluation import Marginals, Measurement, Pair, measure
from spacy_bioner.evaluation.metrics.stratified_recall import TrainingMentions
from spacy_bioner.evaluation.runner import (
    WITHOUT_TERMS,
    PipelineEvaluation,
    entity_labels,
    run_timed,
    score_pairs,
    score_without_terms,
)
from spacy_bioner.evaluation.scores import Scores
from spacy_bioner.extras import find_missing, name_extra
from spacy_bioner.files.json_files import write_json
from spacy_bioner.files.lines import PathLike, check_is_file
from spacy_bioner.gold import ANNOTATED_KEY, ID_KEY, list_gold, list_gold_mentions


@dataclass(frozen=True)
class EvaluationSettings:
    """What is scored, and how.

    labels (Sequence[str]): Those that the corpus annotates; others are not scored. Empty: all.
    spans_key (Optional[str]): A span group to score as well.
    dataset (str): Of a pipeline that was trained on several corpora, the one by whose rules it
        annotates; "" is none in particular.
    train (Optional[Union[str, Path]]): The training documents, a .spacy file, to split
        recall by novelty.
    marginals (bool): Run the trained component once more for areas under ROC curves of tokens.
    seed (int): Of the bootstrap.
    """

    labels: Sequence[str] = ()
    spans_key: Optional[str] = None
    dataset: str = ""
    train: Optional[PathLike] = None
    marginals: bool = False
    seed: int = 0
    n_resamples: int = N_RESAMPLES


PLAIN = EvaluationSettings()


@dataclass(frozen=True)
class Evaluated:
    """A pipeline, gold documents, and all that was measured of the one on the other.

    pairs (Sequence[Pair]): Gold Doc and the pipeline's.
    about (Dict[str, Any]): The pipeline, the corpus and the settings, as plain data.
    shared (Optional[SharedDocuments]): Documents that stand in training; None where the training
        documents were not given.
    warnings (Sequence[str]): What has to be known beside the scores.
    group (Optional[Measurement]): What was measured of the span group, where one was asked for.
    """

    nlp: Language
    evaluation: PipelineEvaluation
    measurement: Measurement
    pairs: Sequence[Pair]
    about: Dict[str, Any]
    shared: Optional[SharedDocuments] = None
    warnings: Sequence[str] = ()
    group: Optional[Measurement] = None

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data, texts left out."""
        return {
            **self.about,
            **self.evaluation.to_json(),
            "measurement": self.measurement.to_json(),
            "group_measurement": self.group and self.group.to_json(),
            "warnings": list(self.warnings),
            "shared_documents": self.shared and self.shared.to_json(),
            "ids": [str(gold.user_data.get(ID_KEY, "")) for gold, _ in self.pairs],
            "texts": [digest_text(gold.text) for gold, _ in self.pairs],
        }


def digest_text(text: str) -> str:
    """Return twelve hexadecimal digits by which texts are told apart, as ids may be missing."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@guards_outputs("output", inputs=("model", "corpus", "settings.train"), as_files=("output",))
def evaluate(
    model: PathLike,
    corpus: PathLike,
    settings: EvaluationSettings = PLAIN,
    *,
    output: Optional[PathLike] = None,
    gpu_id: int = -1,
) -> Evaluated:
    """Load a pipeline, run it over the texts of a corpus and score it.

    model (Union[str, Path]): A pipeline folder, or the name of an installed pipeline package.
    corpus (Union[str, Path]): A DocBin.
    settings (EvaluationSettings): What is scored, and how.
    output (Optional[Union[str, Path]]): Write the scores there; the file appears only when
        they are complete.
    gpu_id (int): -1 for the CPU.
    RETURNS (Evaluated): Scores in `evaluation` and `measurement`, and what else is to be known.
    RAISES (BionerError): No such pipeline, corpus, GPU or dataset; a corpus without documents or
        without annotation.
    """
    model, corpus = str(model), Path(corpus)
    # Before the pipeline is loaded, which takes seconds.
    for path in (corpus, settings.train):
        if path is not None:
            check_is_file(path)
    nlp = load_pipeline(model, gpu_id=gpu_id)
    if settings.dataset:
        from spacy_bioner.architectures.datasets import choose_dataset

        choose_dataset(nlp, settings.dataset)
    gold = read_gold(corpus, nlp, settings.labels)
    train = _read_training(settings.train, nlp)
    marginals = make_marginals(nlp) if settings.marginals else None
    predicted, pace = run_timed(nlp, gold)
    pairs = list(zip(gold, predicted, strict=True))
    shared_settings: Dict[str, Any] = {
        "model_labels": entity_labels(nlp),
        "train": train,
        "seed": settings.seed,
        "n_resamples": settings.n_resamples,
    }
    measurement = measure(pairs, marginals=marginals, **shared_settings)
    group = None
    if settings.spans_key is not None:
        group = measure(pairs, spans_key=settings.spans_key, **shared_settings)
    shared, warnings = _find_shared(pairs, settings.train)
    evaluation = score_pairs(nlp, pairs, pace, spans_key=settings.spans_key)
    if (without := score_without_terms(nlp, gold)) is not None:
        evaluation = replace(evaluation, scores={**evaluation.scores, WITHOUT_TERMS: without})
    evaluated = Evaluated(
        nlp,
        evaluation,
        measurement,
        pairs,
        _describe(nlp, model, corpus, settings),
        shared,
        [*_warn_of_labels(nlp, measurement.strict), *_warn_of_use(nlp, corpus), *warnings],
        group,
    )
    if output is not None:
        write_json(Path(output), evaluated.to_json())
    return evaluated


def make_marginals(nlp: Language) -> Marginals:
    """Make the function that gives the probabilities of the trained component's tags.

    RAISES (ConfigError): For a pipeline without such a component.
    """
    component = find_tagger(nlp)
    if component is None:
        raise ConfigError(
            f"--marginals: found the components {', '.join(nlp.pipe_names) or 'none'}, expected "
            f"'{COMPONENT}', whose tags have probabilities"
        )
    from spacy_bioner.architectures.pieces.subword_labels import read_words
    from spacy_bioner.architectures.pieces.words import word_log_marginals

    def marginals(docs: Sequence[Doc]) -> Tuple[Sequence[str], List[np.ndarray]]:
        grammar = component.grammar()
        rows: List[np.ndarray] = []
        for start in range(0, len(docs), nlp.batch_size):
            batch = docs[start : start + nlp.batch_size]
            scores = component.predict(batch)
            # Without learned transitions, tags are independent of each other.
            if grammar.is_learned:
                words = read_words(component.model, batch)
                scores = word_log_marginals(scores, words, grammar)
            rows += [np.exp(item) for item in scores]
        return component.tags, rows

    return marginals


def read_gold(corpus: Path, nlp: Language, labels: Sequence[str] = ()) -> List[Doc]:
    """Read the documents to score a pipeline on.

    labels (Sequence[str]): Those that the corpus annotates; empty: all.
    RAISES (CorpusError): A file without documents, or without an annotated one.
    RAISES (LabelError): For labels that the file does not have.
    """
    gold = list(read_docbin(corpus, nlp.vocab))
    if not gold:
        raise CorpusError("found no document, expected at least one to score", path=corpus)
    if all(list_gold(doc) is None for doc in gold):
        raise CorpusError(
            "found no annotated document, expected gold mentions to score against", path=corpus
        )
    if labels:
        _check_labels(labels, gold, corpus)
        for doc in gold:
            doc.user_data[ANNOTATED_KEY] = sorted(labels)
    return gold


def _read_training(path: Optional[PathLike], nlp: Language) -> Optional[TrainingMentions]:
    if path is None:
        return None
    docs = read_docbin(path, nlp.vocab)
    return TrainingMentions(mention for doc in docs for mention in list_gold_mentions(doc))


def _warn_of_labels(nlp: Language, strict: Scores) -> List[str]:
    """Say why every score has to be 0, where it is and the pipeline tells why."""
    wanted = {label for label, counts in strict.by_type.items() if counts.gold}
    found = {label for label, counts in strict.by_type.items() if counts.predicted}
    if not wanted or wanted & found:
        return []
    if not found and not any(
        {"doc.ents", "doc.spans"} & set(nlp.get_pipe_meta(name).assigns) for name in nlp.pipe_names
    ):
        components = ", ".join(nlp.pipe_names) or "none"
        return [f"no component of the pipeline writes entities (components: {components})"]
    known = (entity_labels(nlp) or set()) | found
    if not known or wanted & known:
        return []
    return [
        f"the pipeline has none of the labels of these documents: it knows {_list(known)}, they "
        f"have {_list(wanted)}; convert the corpus with a --label-map to the pipeline's labels"
    ]


def _warn_of_use(nlp: Language, corpus: Path) -> List[str]:
    """Say what these documents were to the training, where its config names them."""
    uses = {
        "paths.train": "the pipeline was trained on these very documents: this is no test",
        "paths.dev": "these documents chose the checkpoint: scores on unseen ones are lower",
    }
    for key, warning in uses.items():
        path = get_setting(nlp.config, key)
        files = list_docbins(path) if isinstance(path, str) and path else []
        if any(file.is_file() and corpus.samefile(file) for file in files):
            return [warning]
    return []


def _list(labels: Collection[str]) -> str:
    return ", ".join(sorted(label or "(none)" for label in labels))


def _find_shared(
    pairs: Sequence[Pair], train: Optional[PathLike]
) -> Tuple[Optional[SharedDocuments], List[str]]:
    if train is None:
        return None, []
    if find_missing("datasketch"):
        # Pages have it, too: no path of this machine.
        needs = f"near-duplicates need the library datasketch ({name_extra('corpora')})"
        return None, [f"documents that stand in training as well were not looked for: {needs}"]
    shared = find_shared(pairs, Path(train))
    return shared, shared.warnings()


def _check_labels(labels: Sequence[str], gold: Sequence[Doc], corpus: Path) -> None:
    known = {label for doc in gold for _, _, label in list_gold(doc) or ()}
    unknown = sorted(set(labels) - known)
    if unknown:
        raise LabelError(
            f"{corpus}: found no mention labeled {', '.join(unknown)}; the corpus has "
            f"{', '.join(sorted(known)) or 'none at all'}"
        )


def _describe(
    nlp: Language, model: str, corpus: Path, settings: EvaluationSettings
) -> Dict[str, Any]:
    """Return what was scored on what, settings at their defaults left out."""
    about = {key: nlp.meta.get(key, "") for key in ("lang", "name", "version")}
    about["fingerprint"] = fingerprint(Path(nlp.path))
    given: Dict[str, Any] = {
        "labels": sorted(settings.labels),
        "dataset": settings.dataset,
        "spans_key": settings.spans_key,
        "train": settings.train and str(settings.train),
    }
    chosen = {key: value for key, value in given.items() if value}
    return {"model": {"path": model, **about}, "corpus": str(corpus), **chosen}
