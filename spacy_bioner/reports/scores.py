"""Scores as a table that a person reads: percentages with the counts behind them, and footnotes."""

from typing import Dict, List, Mapping, Optional

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.evaluation.scores import Counts, Scores
from spacy_bioner.reports.tables import render_table

HEADER = ("type", "gold", "predicted", "tp", "fp", "fn", "precision", "recall", "F1")
DASH = "–"


def render_scores(scores: Scores, *, title: str = "") -> str:
    """Render scores by type with a line for all types together, and what explains them.

    title (str): What was scored; stands above the table.
    RETURNS (str): Several lines; no final line break.
    """
    rows = [_row(label or "(none)", scores.by_type[label]) for label in sorted(scores.by_type)]
    head = f"strict match of offsets and label · {format_count(scores.n_docs, 'document')}"
    table = render_table(
        HEADER, rows, right=range(1, len(HEADER)), total=_row("all types", scores.micro)
    )
    notes = [f"  * {note}" for note in footnotes(scores)]
    parts = [f"{title} · {head}" if title else head, "", table]
    return "\n".join([*parts, "", *notes] if notes else parts)


def merge_equal(tables: Mapping[str, Scores]) -> Dict[str, Scores]:
    """Put scores that do not differ under one title, so that nobody has to compare two tables."""
    merged: Dict[str, Scores] = {}
    for title, scores in tables.items():
        same = [other for other in merged if merged[other] == scores]
        if same:
            merged[f"{same[0]} = {title}"] = merged.pop(same[0])
        else:
            merged[title] = scores
    return merged


def footnotes(scores: Scores) -> List[str]:
    """Say what a reader needs to know to judge the figures, one sentence each."""
    notes: List[str] = []
    gold = scores.micro.gold
    if scores.n_unreachable:
        most = gold - scores.n_unreachable
        unreachable = format_count(scores.n_unreachable, "gold mention")
        notes.append(
            f"{unreachable} of {gold:,} cannot be found without "
            f"overlapping entities: recall is at most {format_percent(most / gold)}"
        )
    if scores.n_duplicates:
        notes.append(
            f"{format_count(scores.n_duplicates, 'gold mention')} with the offsets and label of "
            "another one left out"
        )
    if scores.n_unannotated:
        notes.append(
            f"{format_count(scores.n_unannotated, 'document')} without annotation left out"
        )
    for label in scores.labels_unknown_to_model:
        missed = scores.by_type[label].gold
        notes.append(
            f"{label} is unknown to the model: {format_count(missed, 'gold mention')} missed"
        )
    for label in scores.labels_unknown_to_gold:
        wrong = scores.by_type[label].predicted
        notes.append(
            f"{label} never occurs in gold: {format_count(wrong, 'prediction')} counted wrong"
        )
    return notes


def format_percent(share: Optional[float]) -> str:
    """Write a share of 0 to 1 as a percentage with two decimals; a dash for None."""
    return DASH if share is None else f"{100 * share:.2f}"


def _row(name: str, counts: Counts) -> List[str]:
    integers = (counts.gold, counts.predicted, counts.tp, counts.fp, counts.fn)
    shares = (counts.precision, counts.recall, counts.f_score)
    return [name, *(f"{n:,}" for n in integers), *(format_percent(share) for share in shares)]


def format_count(count: int, noun: str) -> str:
    """Return a number with its noun in singular or plural."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_decimal(value: Optional[float]) -> str:
    """Write a number between 0 and 1 with three decimals; a dash where there is none."""
    return DASH if value is None else f"{value:.3f}"


def format_decimal_interval(interval: Interval) -> str:
    """Write a number between 0 and 1 and the ends of its interval, with three decimals."""
    if interval.low is None or interval.high is None:
        return format_decimal(interval.value)
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def format_ends(interval: Interval, *, signed: bool = False) -> str:
    """Write the ends of an interval, per cent; nothing where it has none."""
    if interval.low is None or interval.high is None:
        return ""
    sign = "+" if signed else ""
    return f"[{100 * interval.low:{sign}.1f}, {100 * interval.high:{sign}.1f}]"


def format_interval(interval: Interval) -> str:
    """Write a share and the ends of its interval, per cent."""
    return f"{format_percent(interval.value)} {format_ends(interval)}".rstrip()
