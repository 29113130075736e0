"""Documents that stand in two corpora, as tables."""

from spacy_bioner.corpora.splits.leakage import SAME_ID, SAME_TEXT, Dropped, LeakReport
from spacy_bioner.reports.tables import render_table


def render_leaks(report: LeakReport, *, top: int = 20) -> str:
    """Show numbers by pair of corpora, and the first pairs of documents."""
    header = ("corpus", "documents", "also in", "same id", "same text", "near", "leaking")
    rows = [
        (
            count.left,
            f"{report.documents[count.left]:,}",
            "repeated in itself" if count.left == count.right else count.right,
            *(f"{number:,}" for number in (count.same_id, count.same_text, count.near)),
            f"{count.documents:,}",
        )
        for count in [*report.between(), *report.within()]
        if count.documents or count.left != count.right
    ]
    parts = [render_table(header, rows, right=(1, 3, 4, 5, 6))]
    if report.leaks and top:
        parts.append(_render_pairs(report, top))
    for left, right in report.running_ids:
        pair = f"{left} and {right}" if left != right else left
        parts.append(f"ids of {pair} were not compared: most that are equal have another text")
    return "\n\n".join(parts)


def render_dropped(dropped: Dropped) -> str:
    """Say in a line what was left out, and in another what was lost."""
    lost = ", ".join(f"{name} {number:,}" for name, number in sorted(dropped.losses.items()))
    documents = f"{dropped.documents:,} of {dropped.all_documents:,} documents"
    mentions = f"{dropped.mentions:,} of {dropped.all_mentions:,} mentions"
    lines = [f"wrote {dropped.target} without {documents} ({mentions})"]
    if lost:
        lines.append(f"not in it, which has no place for it: {lost}")
    return "\n".join(lines)


def _render_pairs(report: LeakReport, top: int) -> str:
    # What is not obvious comes first.
    plain = (SAME_ID, SAME_TEXT)
    ranked = sorted(report.leaks, key=lambda leak: (leak.left == leak.right, leak.kinds == plain))
    rows = [
        (
            f"{leak.left}: {leak.left_id}",
            f"{leak.right}: {leak.right_id}",
            ", ".join(leak.kinds),
            f"{leak.similarity:.2f}",
        )
        for leak in ranked[:top]
    ]
    table = render_table(("document", "and", "common", "similarity"), rows, right=(3,))
    more = len(ranked) - top
    return table + (f"\n  and {more:,} more pairs, all of them in --report" if more > 0 else "")
