"""Temperature, bias and thresholds that were fitted, as a table."""

from spacy_bioner.evaluation.confidence.calibration import Fitted
from spacy_bioner.reports.scores import format_percent
from spacy_bioner.reports.tables import render_table


def render_fitted(fitted: Fitted) -> str:
    """Render what was fitted, and F1 on the development data with and without it.

    With a target, also precision and recall, and where it cannot be reached.
    """
    rows = []
    for label in sorted({*fitted.counts_before, *fitted.counts_after}):
        before, after = fitted.counts_before[label], fitted.counts_after[label]
        least = f"{fitted.thresholds.get(label, fitted.threshold):.3f}"
        shown = [before.f_score, after.f_score]
        shown += [after.precision, after.recall] if fitted.target else []
        rows.append([label, least, *map(format_percent, shown)])
    header = ["type", "threshold", "F1 before", "F1 after"]
    header += ["precision", "recall"] if fitted.target else []
    table = render_table(header, rows, right=range(1, len(header)))
    errors = [item.error for item in (fitted.before, fitted.after)]
    lines = [
        f"{fitted.target} is not reachable for {label or 'all types together'}: at most "
        f"{format_percent(value)}, with the threshold that comes nearest"
        for label, value in sorted(fitted.unreached.items())
    ]
    lines += [
        f"temperature {fitted.temperature:.3f}, bias {fitted.bias:.3f}"
        + (f" ({fitted.note})" if fitted.note else "")
        + "; expected calibration error "
        + " → ".join("–" if value is None else f"{value:.3f}" for value in errors),
        f"fitted and shown on the same {fitted.n_docs:,} documents: what is left of it on others, "
        "`bioner evaluate` says",
    ]
    return "\n".join([table, "", *(f"  * {line}" for line in lines)])
