"""An ensemble beside its members: one table, the weights, and what to use."""

from typing import List

from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.tables import render_table
from spacy_bioner.training.results.ensemble import STACKED, EnsembleOutcome, JudgedSystem

HEADER = ("dev", "precision", "recall", "F1", "95 %", "tp", "fp", "fn", "nats/token")


def render_ensemble(outcome: EnsembleOutcome) -> str:
    """Render members and ensembles as one table, with the learned weights and the verdict."""
    combined = (outcome.average, outcome.stacked, outcome.cross_fitted)
    rows = [_row(judged) for judged in (*outcome.members, *combined)]
    learned = outcome.weights[STACKED]
    is_per_tag = bool((learned != learned[:, :1]).any())
    heads = outcome.tags if is_per_tag else ("all tags",)
    shares = [
        [judged.name, *(f"{value:.3f}" for value in own[: len(heads)])]
        for judged, own in zip(outcome.members, learned)
    ]
    first = outcome.average.scores
    return "\n".join(
        [
            f"strict match of offsets and label · {first.n_docs:,} documents, "
            f"{first.micro.gold:,} mentions",
            "",
            render_table(HEADER, rows, right=range(1, len(HEADER))),
            "",
            "Stacked weights are learned on dev. Cross-fitted, each of "
            f"{outcome.settings['folds']} folds is tagged by weights",
            "learned on the others: that row counts, the one in sample flatters.",
            "",
            render_table(("weights", *heads), shares, right=range(1, len(heads) + 1)),
            "",
            outcome.verdict,
        ]
    )


def _row(judged: JudgedSystem) -> List[str]:
    counts, spread = judged.scores.micro, judged.intervals.f_score
    shares = (counts.precision, counts.recall, counts.f_score)
    interval = f"{format_percent(spread.low)} – {format_percent(spread.high)}"
    integers = (counts.tp, counts.fp, counts.fn)
    return [
        judged.name,
        *map(format_percent, shares),
        interval,
        *(f"{n:,}" for n in integers),
        f"{judged.nats:.4f}",
    ]
