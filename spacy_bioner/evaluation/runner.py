"""Running a pipeline over gold documents, timed and scored by what each part of it predicts."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import count_documents
from spacy_bioner.evaluation.matching import compare_docs, score_mentions
from spacy_bioner.evaluation.scores import Counts, Scores

GAZETTEER = "bioner_gazetteer"
MODEL = "model"
PIPELINE = "pipeline"
SPANS = "spans"
WITHOUT_TERMS = "without_terms"
TITLES = {
    MODEL: "Trained component alone",
    PIPELINE: "Full pipeline (doc.ents)",
    WITHOUT_TERMS: "Full pipeline without its terms",
    SPANS: "Span group (doc.spans)",
}


@dataclass(frozen=True)
class Throughput:
    """How fast a pipeline ran.

    n_words (int): Stretches of text between white space, a count that is the same for every
        tokenizer.
    seconds (float): Wall time of `nlp.pipe`, without loading.
    """

    n_words: int
    seconds: float

    @property
    def words_per_second(self) -> Optional[float]:
        """Throughput; None when nothing was run."""
        return self.n_words / self.seconds if self.n_words and self.seconds else None


@dataclass(frozen=True)
class PipelineEvaluation:
    """Scores of a pipeline on a corpus.

    scores (Mapping[str, Scores]): By source: "model" (what the trained component proposed, from
        its span group, where there is one), "pipeline" (`doc.ents` after all components),
        "spans" (the span group that was asked for, nested mentions and all) and "without_terms"
        (as "pipeline", where a gazetteer finds nothing).
    n_docs (int): Documents that the pipeline ran over.
    """

    scores: Mapping[str, Scores]
    n_docs: int
    pace: Throughput

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        speed = self.pace.words_per_second
        return {
            "scores": {source: scores.to_json() for source, scores in self.scores.items()},
            "n_docs": self.n_docs,
            "n_mentions": self.scores[PIPELINE].micro.gold,
            "n_words": self.pace.n_words,
            "seconds": round(self.pace.seconds, 3),
            "words_per_second": speed and round(speed, 1),
        }


def evaluate_pipeline(
    nlp: Language,
    gold_docs: Iterable[Doc],
    *,
    component: str = "bioner",
    spans_key: Optional[str] = None,
) -> PipelineEvaluation:
    """Run a pipeline over the texts of gold documents and score it.

    nlp (Language): The pipeline; its own tokenizer is used, not the tokens of the gold documents.
    gold_docs (Iterable[Doc]): Docs with entities, see `read_docbin`.
    component (str): The trained one; a span group of its name has what it proposed.
    spans_key (Optional[str]): Score this span group as well.
    RETURNS (PipelineEvaluation): The component alone is in it when any Doc has its group.
    RAISES (ConfigError): When no Doc has the group that was asked for.
    """
    gold = list(gold_docs)
    predicted, pace = run_timed(nlp, gold)
    pairs = list(zip(gold, predicted, strict=True))
    return score_pairs(nlp, pairs, pace, component=component, spans_key=spans_key)


def score_pairs(
    nlp: Language,
    pairs: Sequence[Tuple[Doc, Doc]],
    pace: Throughput,
    *,
    component: str = "bioner",
    spans_key: Optional[str] = None,
) -> PipelineEvaluation:
    """Score what a pipeline gave for gold documents; see `evaluate_pipeline`."""
    scores: Dict[str, Scores] = {}
    if any(component in doc.spans for _, doc in pairs):
        scores[MODEL] = score_mentions(
            (compare_docs(left, right, spans_key=component) for left, right in pairs),
            model_labels=nlp.pipe_labels.get(component),
        )
    scores[PIPELINE] = score_mentions(
        (compare_docs(left, right) for left, right in pairs), model_labels=entity_labels(nlp)
    )
    if spans_key is not None:
        _check_group(spans_key, [doc for _, doc in pairs])
        scores[SPANS] = score_mentions(
            (compare_docs(left, right, spans_key=spans_key) for left, right in pairs),
            # Known where the component that writes the group has its name.
            model_labels=nlp.pipe_labels.get(spans_key),
        )
    return PipelineEvaluation(scores, len(pairs), pace)


def score_without_terms(nlp: Language, gold: Sequence[Doc]) -> Optional[Scores]:
    """Score a pipeline without its gazetteers, which takes another run.

    RETURNS (Optional[Scores]): None for one that has no terms.
    """
    names = [
        name
        for name, pipe in nlp.pipeline
        if nlp.get_pipe_meta(name).factory == GAZETTEER and len(pipe)  # type: ignore[arg-type]
    ]
    if not names:
        return None
    labels = entity_labels(nlp)
    with nlp.select_pipes(disable=names):
        predicted, _ = run_timed(nlp, gold)
    pairs = zip(gold, predicted, strict=True)
    return score_mentions((compare_docs(*pair) for pair in pairs), model_labels=labels)


@dataclass(frozen=True)
class DocumentEvaluation:
    """A pipeline's outcome on gold documents, by document.

    counts (Tuple[Counts, ...]): Of each annotated document, all types together.
    """

    scores: Scores
    counts: Tuple[Counts, ...]
    pace: Throughput


def evaluate_documents(nlp: Language, gold_docs: Iterable[Doc]) -> DocumentEvaluation:
    """Run a pipeline over the texts of gold documents and count by document what it finds."""
    gold = list(gold_docs)
    predicted, pace = run_timed(nlp, gold)
    comparisons = [compare_docs(left, right) for left, right in zip(gold, predicted)]
    counts = tuple(count_documents(comparisons))
    return DocumentEvaluation(score_mentions(comparisons), counts, pace)


def run_timed(nlp: Language, gold: Sequence[Doc]) -> Tuple[List[Doc], Throughput]:
    """Run a pipeline over the texts of gold documents, without loading, and time it."""
    texts = [doc.text for doc in gold]
    start = perf_counter()
    predicted = list(nlp.pipe(texts))
    seconds = perf_counter() - start
    return predicted, Throughput(sum(len(text.split()) for text in texts), seconds)


def _check_group(group: str, docs: Sequence[Doc]) -> None:
    known = sorted({name for doc in docs for name in doc.spans})
    if group not in known:
        raise ConfigError(
            f"found no span group '{group}' in any document, expected one that the pipeline "
            f"writes: {', '.join(known) or 'it writes none'}"
        )


def entity_labels(nlp: Language) -> Optional[Set[str]]:
    """Labels of the components that write entities, or spans that others make entities of; None
    when none of them names its labels."""
    labels: Set[str] = set()
    for name, names in nlp.pipe_labels.items():
        if {"doc.ents", "doc.spans"} & set(nlp.get_pipe_meta(name).assigns):
            labels.update(names)
    return labels or None
