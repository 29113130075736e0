"""Pipelines under attack: a table of F1 and of the points that they keep."""

from typing import List, Sequence, Tuple

from spacy_bioner.evaluation.robustness import Outcome, Robustness, recovered_share
from spacy_bioner.reports.scores import DASH, format_ends
from spacy_bioner.reports.tables import render_markdown_table

# A share of less than a point is noise.
_LEAST_LOSS = 0.01


def render_robustness(results: Sequence[Robustness], *, seed: int) -> str:
    """Render a Markdown table: a row an attack, a column a pipeline.

    In square brackets stand intervals, in round ones the share of the points that the first
    pipeline loses and this one does not, where it loses at least one.
    """
    first = results[0]
    header, rows = list_rows(results)
    counts = first.clean.counts
    head = (
        f"strict F1, per cent, of {first.clean.n_docs:,} documents with {counts.gold:,} mentions, "
        f"seed {seed}; in square brackets 95 % of 1,000 bootstrap resamples of the documents"
    )
    if len(results) > 1:
        head += (
            f"; in round brackets the share of the points that {first.name} loses and this one "
            "does not"
        )
    right = range(1, len(header))
    return f"{head}\n\n{render_markdown_table(header, rows, right=right)}"


def list_rows(results: Sequence[Robustness]) -> Tuple[List[str], List[List[str]]]:
    """Write the header and the rows of the table."""
    first = results[0]
    header = ["attack", "documents changed", *(item.name for item in results)]
    rows = [["none", DASH, *(_percent(item.clean) for item in results)]]
    named = [[item.attack, f"{item.n_changed:,}"] for item in first.text]
    named += [[f"{item.attack}, ε = {item.strength:g}", DASH] for item in first.curve]
    attacked = zip(*((*item.text, *item.curve) for item in results), strict=True)
    rows += [[*name, *_make_cells(first, parts)] for name, parts in zip(named, attacked)]
    return header, rows


def _make_cells(first: Robustness, parts: Sequence[Outcome]) -> List[str]:
    cells = [_percent(parts[0])]
    lost = (first.clean.counts.f_score or 0.0) - (parts[0].counts.f_score or 0.0)
    for part in parts[1:]:
        cells.append(_percent(part))
        share = recovered_share(first.clean.counts, parts[0].counts, part.counts)
        if share is not None and lost >= _LEAST_LOSS:
            cells[-1] += f" ({share:.2f})"
    return cells


def _percent(outcome: Outcome) -> str:
    value = outcome.counts.f_score
    if value is None or outcome.interval is None:
        return DASH if value is None else f"{100 * value:.2f}"
    return f"{100 * value:.2f} {format_ends(outcome.interval)}"
