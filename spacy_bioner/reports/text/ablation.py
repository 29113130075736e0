"""What is lost without each part: a table of differences with their intervals, and a plot."""

from typing import Any, List, Sequence, Tuple

from spacy_bioner.evaluation.bootstrap.intervals import Interval
from spacy_bioner.reports.plots.row_plots import make_rows
from spacy_bioner.reports.plots.style import COLORS, SERIES
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


def plot_ablation(rows: Sequence[AblationRow]) -> Any:
    """Draw the difference in F1 without each part, with its interval; a part that helps is below
    zero without it."""
    shown = [row for row in rows if row.compared is not None]
    figure, axes = make_rows([f"without {row.name}" for row in shown])
    for place, row in enumerate(shown):
        difference: Any = row.compared.f_score.difference if row.compared else None
        if difference is None or difference.value is None:
            continue
        color = SERIES[1] if difference.value < 0 else SERIES[2]
        axes.barh(place, 100 * difference.value, height=0.6, color=color, alpha=0.8)
        ends = [100 * difference.low, 100 * difference.high]
        axes.plot(ends, [place, place], color=COLORS["fg"], lw=1.3)
    axes.axvline(0, color=COLORS["muted"], lw=1)
    axes.set_xlabel("difference in strict F1, points")
    axes.grid(visible=False, axis="y")
    return figure


def _format_difference(difference: Interval) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return DASH
    ends = f"[{100 * difference.low:+.2f}, {100 * difference.high:+.2f}]"
    return f"{100 * difference.value:+.2f} {ends}"
