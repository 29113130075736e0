"""What is lost without each part: a table of differences with their intervals."""

from typing import List, Sequence, Tuple

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.reports.scores import DASH, format_percent
from spacy_bioner.reports.tables import render_markdown_table
from spacy_bioner.reports.text.evaluation import explain_p
from spacy_bioner.training.results.experiments import AblationRow

HEADER = ("without", "P", "R", "F1", "ΔF1 with interval", "p")


def render_ablation(rows: Sequence[AblationRow]) -> str:
    """Render a Markdown table, the whole first."""
    header, lines, head = describe_rows(rows)
    return f"{head}\n\n{render_markdown_table(header, lines, right=range(1, len(header)))}"


def describe_rows(
    rows: Sequence[AblationRow],
) -> Tuple[Sequence[str], List[Sequence[str]], str]:
    """Write the rows of a table. RETURNS: Its header, the rows, and a line on how it was made."""
    lines: List[Sequence[str]] = []
    for row in rows:
        shares = (row.counts.precision, row.counts.recall, row.counts.f_score)
        cells = [format_percent(share) for share in shares]
        if row.compared is None:
            lines.append((f"nothing ({row.name})", *cells, DASH, DASH))
            continue
        item = row.compared.f_score
        lines.append((row.name, *cells, _format_difference(item.difference), f"{item.p:.4f}"))
    made = next((row.compared for row in rows if row.compared), None)
    head = "strict match of offsets and label, per cent"
    if made is not None:
        head += (
            f"; {made.n_docs:,} documents with {rows[0].counts.gold:,} mentions; interval: "
            f"{100 * made.level:g} % of {made.n_resamples:,} paired bootstrap resamples, p: "
            f"{made.n_shuffles:,} random exchanges, seed {made.seed}"
        )
    for row in rows:
        few = explain_p(row.compared) if row.compared else ""
        head += f"; without {row.name}, {few}" if few else ""
    return HEADER, lines, head


def _format_difference(difference: Interval) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return DASH
    ends = f"[{100 * difference.low:+.2f}, {100 * difference.high:+.2f}]"
    return f"{100 * difference.value:+.2f} {ends}"
