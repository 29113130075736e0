"""Tables of terms as text: what went into one, what it has, what it changes and gets wrong."""

from collections import Counter
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.evaluation.terms import Blame, TableChanges, TermCounts
from spacy_bioner.knowledge.collecting import ImportAccount
from spacy_bioner.knowledge.gaz import GazInfo, SourceInfo
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.reports.tables import render_table


def render_import(account: ImportAccount) -> str:
    """Show what was read of each source, and all that was added and left out."""
    parts = [render_sources([source.info for source in account.sources])]
    parts += [
        f"{source.path}: {reason}: {skipped.count:,}, the first in line {skipped.line:,}: "
        f"{skipped.found}"
        for source in account.sources
        for reason, skipped in source.skipped.items()
    ]
    for title, counts in (
        ("left out,", account.left_out),
        ("added by the rule", account.variants),
        ("dropped by the rule", account.dropped),
    ):
        parts += [f"{title} {name}: {count:,}" for name, count in counts.items()]
    labels = ", ".join(f"{label} {count:,}" for label, count in account.labels.items())
    parts.append(f"wrote {account.output}: {account.n_terms:,} terms ({labels})")
    return "\n".join(parts)


def render_sources(sources: Sequence[SourceInfo]) -> str:
    """Show where the terms of a table come from, and under which terms of use."""
    rows = [
        (info.name, info.version or "–", f"{info.n_rows:,}", info.licence or "–")
        for info in sources
    ]
    return render_table(("source", "version", "rows", "terms of use"), rows, right=(2,))


def render_found(info: GazInfo, terms: Sequence[Term]) -> str:
    """Show terms, and where the table comes from."""
    rows = [(term.name, term.label, term.id or "–", term.case) for term in terms]
    parts = [render_table(("name", "label", "id", "case"), rows)]
    if info.sources:
        parts.append(render_sources(info.sources))
    return "\n\n".join(parts)


def render_changes(changes: TableChanges, *, top: int) -> str:
    """Show how many entities come, go and change their ids, and the most frequent of them."""
    before, after = changes.n_terms
    lines = [
        f"{before:,} terms, then {after:,}, on {changes.documents:,} documents: "
        f"{changes.same:,} entities are the same, {changes.gone.total():,} go, "
        f"{changes.new.total():,} come, {changes.other_ids.total():,} get other ids"
    ]
    if changes.left_out:
        lines.append(f"left out {changes.left_out:,} documents that cannot be read")
    groups: Tuple[Tuple[str, Tuple[str, ...], Counter[Any]], ...] = (
        ("go", (), changes.gone),
        ("come", (), changes.new),
        ("get other ids", ("ids", "then"), changes.other_ids),
    )
    parts = ["\n".join(lines)]
    for title, ids, counts in groups:
        rows = [(*key, f"{count:,}") for key, count in _rank(counts)[:top]]
        if rows:
            header = (title, "label", *ids, "times")
            parts.append(render_table(header, rows, right=(len(header) - 1,)))
    return "\n\n".join(parts)


def render_blame(
    blame: Blame, *, top: int, output: Optional[Path] = None, proved: Optional[Path] = None
) -> str:
    """Show how right a table is, and the terms that are wrong most often."""
    precision = blame.right / blame.found if blame.found else 0.0
    recall = blame.right / blame.gold if blame.gold else 0.0
    lines = [
        f"{blame.documents:,} documents: {blame.right:,} of {blame.found:,} entities are right "
        f"(precision {precision:.3f}), of {blame.gold:,} mentions (recall {recall:.3f})"
    ]
    if blame.unjudged:
        others = ", ".join(f"{label} {count:,}" for label, count in blame.unjudged.items())
        lines.append(f"not judged, as the corpus does not annotate it: {others}")
    parts = ["\n".join(lines)]
    rows = [_show_counts(counts) for counts in blame.terms[:top]]
    if rows:
        header = ("term", "label", "right", "boundary", "other label", "nowhere", "such as")
        parts.append(render_table(header, rows, right=(2, 3, 4, 5)))
    wrong = sum(counts.wrong for counts in blame.suppressed)
    right = sum(counts.right for counts in blame.suppressed)
    proposal = f"{len(blame.suppressed):,} terms to leave out: {wrong:,} wrong, {right:,} right"
    lines = [f"wrote {output}: {proposal}" if output else f"proposed: {proposal}"]
    if proved:
        wrong = sum(counts.wrong for counts in blame.proved)
        right = sum(counts.right for counts in blame.proved)
        kept = f"{len(blame.proved):,} terms to keep: {wrong:,} wrong, {right:,} right"
        lines.append(f"wrote {proved}: {kept}")
    parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _show_counts(counts: TermCounts) -> Tuple[str, ...]:
    numbers = (counts.right, counts.boundary, counts.other_label, counts.nowhere)
    return (counts.name, counts.label, *(f"{number:,}" for number in numbers), counts.example)


def _rank(counts: Mapping[Any, int]) -> List[Tuple[Any, int]]:
    """The most frequent first; equal ones by name, whatever order they were found in."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
