"""All that can be said of a pipeline from gold documents and its own, in one pass over them."""

from dataclasses import dataclass
from typing import Any, Callable, Collection, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc, Span

from spacy_bioner.blanks import is_blank
from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.bootstrap.by_type import TypeIntervals, bootstrap_types, count_by_type
from spacy_bioner.evaluation.bootstrap.curves import bootstrap_areas, bootstrap_average_precision
from spacy_bioner.evaluation.bootstrap.intervals import (
    LEVEL,
    N_RESAMPLES,
    Interval,
    check_resampling,
)
from spacy_bioner.evaluation.bootstrap.ratios import (
    CountedDocuments,
    bootstrap_calibration_error,
    bootstrap_shares,
    list_losses,
    list_shares,
)
from spacy_bioner.evaluation.confidence.calibration import Calibration, calibrate
from spacy_bioner.evaluation.confidence.predictions import Judged, ScoredDocument, judge
from spacy_bioner.evaluation.confidence.thresholds import Sweep, sweep
from spacy_bioner.evaluation.matching import Comparison, compare_docs, score_mentions
from spacy_bioner.evaluation.metrics.concepts import (
    compare_concepts,
    list_concepts,
    list_gold_concepts,
    sum_concepts,
)
from spacy_bioner.evaluation.metrics.confusion import Confusion, confuse
from spacy_bioner.evaluation.metrics.error_types import Mistake, count_mistakes, find_mistakes
from spacy_bioner.evaluation.metrics.partial_matching import (
    count_schemes,
    count_schemes_by_type,
    list_schemes,
    sum_schemes,
    sum_schemes_by_type,
)
from spacy_bioner.evaluation.metrics.stratified_recall import (
    Stratum,
    TrainingMentions,
    split_document,
    sum_strata,
)
from spacy_bioner.evaluation.metrics.token_level import TokenScores, score_tokens, tag_tokens
from spacy_bioner.evaluation.scores import (
    CALIBRATION_ERROR,
    Counts,
    Metric,
    SchemeCounts,
    Scores,
)
from spacy_bioner.gold import MentionKey, make_key, read_spans

Pair = Tuple[Doc, Doc]
"""Gold Doc, and the same text as the system annotated it."""
Marginals = Callable[[Sequence[Doc]], Tuple[Sequence[str], List[np.ndarray]]]
"""Returns the tags of a component, and the probability of each at every token of some Docs."""


@dataclass(frozen=True)
class Measurement:
    """What a set of documents says of a system.

    strict (Scores): By offsets and label, which all else explains.
    intervals (TypeIntervals): The same with bootstrap intervals over documents.
    counts (Tuple[Counts, ...]): Strict, of each annotated document, for paired comparisons.
    schemes (Mapping[str, SchemeCounts]): The four partial schemes, over all labels.
    schemes_by_type (Mapping[str, Mapping[str, SchemeCounts]]): The same by label.
    mistakes (Tuple[Tuple[Mistake, ...], ...]): By document.
    areas (Optional[Mapping[str, Interval]]): Areas under ROC curves of tokens by label; None where
        no marginals were asked for.
    concepts (Optional[Mapping[str, Counts]]): Concept ids of documents.
    judged (Optional[Judged]): Predictions with confidences.
    shares (Mapping[Metric, Interval]): With intervals, by group and name. Group "": "accuracy",
        "exact", "tokens", "calibration error", "Brier score", "log loss". A division of mentions
        with its kinds: their recall. Each scheme of partial matches, "tokens" and "concepts":
        "precision", "recall", "f_score". "average": "precision".
    missing (Mapping[str, str]): Why "concepts" or "calibration" is None.
    """

    strict: Scores
    intervals: TypeIntervals
    counts: Tuple[Counts, ...]
    schemes: Mapping[str, SchemeCounts]
    schemes_by_type: Mapping[str, Mapping[str, SchemeCounts]]
    tokens: TokenScores
    confusion: Confusion
    mistakes: Tuple[Tuple[Mistake, ...], ...]
    strata: Tuple[Stratum, ...]
    areas: Optional[Mapping[str, Interval]]
    concepts: Optional[Mapping[str, Counts]]
    judged: Optional[Judged]
    calibration: Optional[Calibration]
    sweeps: Tuple[Sweep, ...]
    shares: Mapping[Metric, Interval]
    missing: Mapping[str, str]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data, but for what is in `strict`, and texts."""
        concepts = self.concepts
        every = [mistake for mistakes in self.mistakes for mistake in mistakes]
        return {
            "intervals": self.intervals.to_json(),
            "documents": [[item.tp, item.fp, item.fn] for item in self.counts],
            "schemes": list_schemes(self.schemes),
            "schemes_by_type": {
                label: list_schemes(counts) for label, counts in self.schemes_by_type.items()
            },
            "tokens": self.tokens.to_json(),
            "token_areas": None
            if self.areas is None
            else {label: area.to_json() for label, area in self.areas.items()},
            "confusion": self.confusion.to_json(),
            "mistakes": count_mistakes(every),
            "strata": [{**vars(item), "recall": item.recall} for item in self.strata],
            "concepts": concepts and {label: row.to_json() for label, row in concepts.items()},
            "calibration": self.calibration and self.calibration.to_json(),
            "without_confidence": self.judged and self.judged.n_without,
            "sweeps": [item.to_json() for item in self.sweeps],
            "shares": {
                metric.words: interval.to_json() for metric, interval in self.shares.items()
            },
            "missing": dict(self.missing),
        }


def measure(
    pairs: Sequence[Pair],
    *,
    spans_key: Optional[str] = None,
    model_labels: Optional[Collection[str]] = None,
    train: Optional[TrainingMentions] = None,
    marginals: Optional[Marginals] = None,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> Measurement:
    """Measure a system on documents.

    spans_key (Optional[str]): Score this span group; None takes `doc.ents`.
    model_labels (Optional[Collection[str]]): What the system can predict.
    train (Optional[TrainingMentions]): What it was trained on, to split recall by novelty.
    marginals (Optional[Marginals]): For areas under ROC curves of tokens.
    seed (int): Of the bootstrap.
    RAISES (CorpusError): Where no document is annotated, and for texts that differ.
    RAISES (ConfigError): For settings of the bootstrap that are none.
    """
    check_resampling(n_resamples, LEVEL)
    compared = [compare_docs(*pair, spans_key=spans_key) for pair in pairs]
    annotated = [place for place, item in enumerate(compared) if item.gold is not None]
    if not annotated:
        raise CorpusError("found no annotated document, expected at least one to score")
    kept = [pairs[place] for place in annotated]
    kept_comparisons = [compared[place] for place in annotated]
    judged, without_confidence = _judge(kept, kept_comparisons, spans_key)
    concepts, without_concepts = _compare_concepts(kept)
    reasons = {"calibration": without_confidence, "concepts": without_concepts}
    counted = _count(kept, kept_comparisons, train, concepts)
    drawing: Dict[str, Any] = {"seed": seed, "n_resamples": n_resamples}
    return Measurement(
        strict=score_mentions(compared, model_labels=model_labels),
        intervals=bootstrap_types(counted.labels, counted.table, **drawing),
        counts=tuple(Counts(*map(int, row)) for row in counted.counts),
        schemes=sum_schemes(counted.schemes),
        schemes_by_type=sum_schemes_by_type(counted.schemes_by_type),
        tokens=score_tokens(counted.tags),
        confusion=confuse(compared),
        mistakes=tuple(tuple(find_mistakes(item)) for item in compared),
        strata=tuple(sum_strata(counted.strata)),
        areas=_measure_areas(kept, [gold for gold, _ in counted.tags], marginals, drawing),
        concepts=None if counted.concepts is None else sum_concepts(counted.concepts),
        judged=judged,
        calibration=calibrate(judged) if judged else None,
        sweeps=tuple(sweep(judged, label) for label in _list_swept(judged)) if judged else (),
        shares=_measure_shares(counted, judged, drawing),
        missing={name: reason for name, reason in reasons.items() if reason},
    )


def _count(
    pairs: Sequence[Pair],
    compared: Sequence[Comparison],
    train: Optional[TrainingMentions],
    concepts: Optional[List[Dict[str, Counts]]],
) -> CountedDocuments:
    labels, table = count_by_type(compared)
    tags = []
    for (_, doc), item in zip(pairs, compared):
        tokens = [(token.idx, token.idx + len(token)) for token in doc if not is_blank(token.text)]
        tags.append((tag_tokens(item.gold or (), tokens), tag_tokens(item.predicted, tokens)))
    return CountedDocuments(
        labels,
        table,
        [count_schemes(item.gold or (), item.predicted) for item in compared],
        [count_schemes_by_type(item) for item in compared],
        tags,
        [split_document(*both, train) for both in zip(pairs, compared)],
        concepts,
    )


def _measure_shares(
    counted: CountedDocuments, judged: Optional[Judged], drawing: Mapping[str, Any]
) -> Dict[Metric, Interval]:
    listed = list_shares(counted)
    if judged is None:
        return bootstrap_shares(listed, **drawing)
    shares = bootstrap_shares({**listed, **list_losses(judged)}, **drawing)
    if len(judged.confidences):
        shares[CALIBRATION_ERROR] = bootstrap_calibration_error(judged, **drawing)
    for label in _list_swept(judged):
        place = None if label is None else counted.labels.index(label)
        counts = counted.counts if place is None else counted.table[:, place]
        area = bootstrap_average_precision(judged, counts, label, **drawing)
        shares[Metric("average", "precision", label)] = area
    return shares


def _list_swept(judged: Judged) -> List[Optional[str]]:
    """Return the labels that have a curve, all together (None) first."""
    return [None, *sorted({*judged.labels, *judged.gold, *judged.without})]


def _judge(
    pairs: Sequence[Pair], compared: Sequence[Comparison], spans_key: Optional[str]
) -> Tuple[Optional[Judged], str]:
    """Return the predictions with their confidences, or None and why there are none."""
    documents = [
        ScoredDocument(item.gold or (), item.predicted, _confidences(doc, item, spans_key))
        for (_, doc), item in zip(pairs, compared)
    ]
    values = [value for document in documents for value in document.confidences]
    if values and all(value is None for value in values):
        return None, "no prediction has a confidence: rules and gazetteers give none"
    if not values:
        return None, "nothing was predicted"
    return judge(documents), ""


def _confidences(doc: Doc, compared: Comparison, spans_key: Optional[str]) -> List[Optional[float]]:
    """Read `span._.confidence`, which components define; there is none where none of them ran."""
    if not Span.has_extension("confidence"):
        return [None] * len(compared.predicted)
    known: Dict[MentionKey, Optional[float]] = {
        make_key(doc.text, span): span._.confidence for span in read_spans(doc, spans_key)
    }
    return [known.get(mention) for mention in compared.predicted]


def _measure_areas(
    pairs: Sequence[Pair],
    gold: Sequence[Sequence[str]],
    marginals: Optional[Marginals],
    drawing: Mapping[str, Any],
) -> Optional[Dict[str, Interval]]:
    if marginals is None:
        return None
    docs = [doc for _, doc in pairs]
    tags, rows = marginals(docs)
    # As in `_count`, white space and the like are no tokens.
    shown = [[not is_blank(token.text) for token in doc] for doc in docs]
    probabilities = [own[np.array(kept, dtype=bool)] for own, kept in zip(rows, shown)]
    return bootstrap_areas(probabilities, tags, gold, **drawing)


def _compare_concepts(
    pairs: Sequence[Pair],
) -> Tuple[Optional[List[Dict[str, Counts]]], str]:
    """Return the counts of each document, or None and why there are none."""
    if not any(list_gold_concepts(gold) for gold, _ in pairs):
        return None, "no gold mention has a concept id"
    if not any(list_concepts(doc) for _, doc in pairs):
        return None, "no entity of the pipeline has a concept id"
    return [compare_concepts(*pair) for pair in pairs], ""
