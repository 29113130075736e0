"""The parts of a divided corpus, as tables."""

from collections import Counter

from spacy_bioner.corpora.splits.split import JSON_NAME, Splits
from spacy_bioner.reports.tables import render_table

MAX_LABELS = 20


def render_splits(splits: Splits) -> str:
    """Show the parts, and how the mentions of each label are shared out."""
    documents = sum(len(part.ids) for part in splits.parts)
    rows = [
        (
            part.name,
            f"{len(part.ids):,}",
            f"{len(part.ids) / documents:.1%}",
            f"{part.share:.1%}",
            f"{part.groups:,}",
            f"{sum(part.labels.values()):,}",
        )
        for part in splits.parts
    ]
    header = ("part", "documents", "share", "wanted", "groups", "mentions")
    how = "stratified by label" if splits.stratified else "at random"
    title = f"{documents:,} documents, {how}, grouped by {splits.group_by}, seed {splits.seed}"
    tables = [title + "\n\n" + render_table(header, rows, right=range(1, 6))]
    totals: Counter[str] = Counter()
    for part in splits.parts:
        totals.update(part.labels)
    if totals:
        tables.append(_render_labels(splits, totals))
    return "\n\n".join(tables)


def _render_labels(splits: Splits, totals: Counter[str]) -> str:
    ranked = sorted(totals, key=lambda label: (-totals[label], label))
    rows = [
        (
            label or "(none)",
            f"{totals[label]:,}",
            *(f"{part.labels.get(label, 0) / totals[label]:.1%}" for part in splits.parts),
        )
        for label in ranked[:MAX_LABELS]
    ]
    header = ("label", "mentions", *(part.name for part in splits.parts))
    table = render_table(header, rows, right=range(1, len(header)))
    more = len(ranked) - MAX_LABELS
    return table + (f"\n  and {more} more labels, see {JSON_NAME}" if more > 0 else "")
