"""Pipelines across corpora: what is learned on one, scored on another, by the labels of both."""

from dataclasses import dataclass, replace
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Optional,
    Sequence,
    Tuple,
)

from spacy_bioner.evaluation.bootstrap.intervals import (
    N_RESAMPLES,
    ScoreIntervals,
    bootstrap_scores,
    count_documents,
)
from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import MentionKey

Rename = Callable[[str], Optional[str]]
"""Returns the name that a label has in all corpora; None leaves its mentions out."""


@dataclass(frozen=True)
class Cell:
    """One pipeline on one corpus.

    labels (Sequence[str]): Those that both know, which alone are scored; none, and there are no
        scores.
    n_docs (int): Documents scored.
    n_left_out (Optional[int]): Documents of the corpus that the pipeline was trained on; None where
        nobody knows what that was.
    """

    model: str
    corpus: str
    labels: Sequence[str]
    counts: Optional[Counts] = None
    intervals: Optional[ScoreIntervals] = None
    n_docs: int = 0
    n_left_out: Optional[int] = None

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "labels": list(self.labels),
            "counts": self.counts and self.counts.to_json(),
            "intervals": self.intervals and self.intervals.to_json(),
            "n_docs": self.n_docs,
            "n_left_out": self.n_left_out,
        }


def rename_labels(labels: Iterable[str], rename: Rename) -> FrozenSet[str]:
    """Return the names that labels have in all corpora."""
    return frozenset(name for name in map(rename, labels) if name)


def score_cell(
    model: str,
    corpus: str,
    comparisons: Sequence[Comparison],
    model_labels: Collection[str],
    *,
    rename: Rename,
    left_out: Optional[Collection[int]] = None,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> Cell:
    """Score a pipeline on a corpus by the labels that both have.

    comparisons (Sequence[Comparison]): One per document, in the labels' own names.
    model_labels (Collection[str]): What the pipeline can predict.
    left_out (Optional[Collection[int]]): Places of documents that it was trained on; None where
        that is not known.
    """
    gold_labels = {
        label for item in comparisons if item.gold is not None for _, _, label in item.gold
    }
    shared = rename_labels(gold_labels, rename) & rename_labels(model_labels, rename)
    kept = [
        _restrict(item, shared, rename)
        for place, item in enumerate(comparisons)
        if place not in (left_out or ()) and item.gold is not None
    ]
    cell = Cell(
        model,
        corpus,
        sorted(shared),
        n_docs=len(kept),
        n_left_out=None if left_out is None else len(left_out),
    )
    if not shared or not kept:
        return cell
    counts = count_documents(kept)
    intervals = bootstrap_scores(counts, seed=seed, n_resamples=n_resamples)
    return replace(cell, counts=sum(counts, Counts()), intervals=intervals)


def arrange_cells(
    cells: Sequence[Cell],
) -> Tuple[List[str], List[str], Dict[Tuple[str, str], Cell]]:
    """Return the pipelines and the corpora in their order, and the cells by both."""
    models = list(dict.fromkeys(cell.model for cell in cells))
    corpora = list(dict.fromkeys(cell.corpus for cell in cells))
    return models, corpora, {(cell.model, cell.corpus): cell for cell in cells}


def _restrict(compared: Comparison, labels: Collection[str], rename: Rename) -> Comparison:
    def move(mentions: Sequence[MentionKey]) -> List[MentionKey]:
        named = [(start, end, rename(label)) for start, end, label in mentions]
        kept = [(start, end, label) for start, end, label in named if label and label in labels]
        # Two labels of one mention may have become one.
        return list(dict.fromkeys(kept))

    return Comparison(move(compared.gold or ()), move(compared.predicted), compared.n_chars)
