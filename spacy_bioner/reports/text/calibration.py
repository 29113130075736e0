"""Temperature and thresholds that were fitted, as a table."""

from spacy_bioner.evaluation.confidence.calibration import Fitted
from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.tables import render_table


def render_fitted(fitted: Fitted) -> str:
    """Render temperature and thresholds, and F1 on the development data with and without them."""
    rows = []
    for label in sorted({*fitted.counts_before, *fitted.counts_after}):
        before, after = fitted.counts_before[label], fitted.counts_after[label]
        least = f"{fitted.thresholds.get(label, 0.0):.3f}"
        rows.append([label, least, *(format_percent(item.f_score) for item in (before, after))])
    table = render_table(("type", "threshold", "F1 before", "F1 after"), rows, right=(1, 2, 3))
    errors = [item.error for item in (fitted.before, fitted.after)]
    lines = [
        f"temperature {fitted.temperature:.3f}"
        + (f" ({fitted.note})" if fitted.note else "")
        + "; expected calibration error "
        + " → ".join("–" if value is None else f"{value:.3f}" for value in errors),
        f"fitted and shown on the same {fitted.n_docs:,} documents: what is left of it on others, "
        "`bioner evaluate` says",
    ]
    return "\n".join([table, "", *(f"  * {line}" for line in lines)])
