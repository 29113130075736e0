"""Concept stores and linking as text: what a store has, and how right the ids are."""

from typing import List, Mapping, Sequence

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.linking import ALL, COVERAGE, IN_TABLE, STRICT, LinkingScores
from spacy_bioner.evaluation.scores import SCORE_NAMES
from spacy_bioner.knowledge.concepts.schema import StoreInfo
from spacy_bioner.reports.scores import DASH
from spacy_bioner.reports.tables import render_table
from spacy_bioner.reports.text.terms import render_sources

EVERY = "all labels"
MENTION_HEADER = (
    "gold mentions", "with id", "without", "in the table", "accuracy@1 of these",
    "the very same ids", "accuracy@1 of all",
)  # fmt: skip
PRF = ("P", "R", "F1")


def render_store(info: StoreInfo) -> str:
    """Show where the concepts of a store come from, and how many there are."""
    parts = [render_sources(info.sources)]
    parts += [f"left out, {reason}: {count:,}" for reason, count in info.skipped.items()]
    parts.append(
        f"{info.n_names:,} names of {info.n_concepts:,} concepts ({', '.join(info.labels)}); "
        f"format {info.version}, digest {info.digest[:12]}"
    )
    return "\n".join(parts)


def render_linking(scores: LinkingScores) -> str:
    """Show scores with intervals: of mentions, of documents, and of a pipeline's entities."""
    mentions: List[Sequence[str]] = []
    documents: List[Sequence[str]] = []
    for label, row in scores.rows.items():
        name, total = label or EVERY, row.total
        shown = [show_interval(row.intervals[key]) for key in (COVERAGE, IN_TABLE, STRICT, ALL)]
        mentions.append((name, f"{total.mentions:,}", f"{total.without_id:,}", *shown))
        documents.append((name, *_show_scores(row.documents)))
    parts = [
        render_table(MENTION_HEADER, mentions, right=range(1, len(MENTION_HEADER))),
        render_table(("ids of documents", *PRF), documents, right=(1, 2, 3)),
    ]
    if scores.end_to_end:
        rows = [(label or EVERY, *_show_scores(row)) for label, row in scores.end_to_end.items()]
        parts.append(render_table(("… of the pipeline's entities", *PRF), rows, right=(1, 2, 3)))
    parts.append(
        f"95 % intervals: {scores.n_resamples:,} resamples of {scores.n_docs:,} documents, seed "
        f"{scores.seed}"
    )
    return "\n\n".join(parts)


def show_interval(interval: Interval) -> str:
    """Return a share in percent with its interval; a dash for none."""
    if interval.value is None or interval.low is None or interval.high is None:
        return DASH
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * interval.value:.2f} [{low:.2f}, {high:.2f}]"


def _show_scores(row: Mapping[str, Interval]) -> List[str]:
    return [show_interval(row[name]) for name in SCORE_NAMES]
