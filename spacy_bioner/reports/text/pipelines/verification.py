"""What `bioner verify` found, as text."""

from typing import Iterator, List, Sequence, Tuple

from spacy_bioner.printable import make_line
from spacy_bioner.reports.scores import format_count, format_percent
from spacy_bioner.training.results.verification import CarriedSplit, SplitRun, Verification

MEBIBYTE = 1 << 20
# Names of documents, and of files of each kind.
MOST_DOCUMENTS, MOST_FILES = 5, 10
Row = Tuple[str, str]


def render_verification(found: Verification) -> str:
    """Render the verdict, then what it rests on."""
    rows = [("files", _count_files(found)), *_list_files(found)]
    if found.run is not None and found.split is not None:
        rows += _list_run(found.run, found.split)
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {make_line(value)}" for name, value in rows]
    return "\n".join([f"{make_line(found.package)}: {_judge(found)}", *lines])


def describe_split(split: CarriedSplit) -> str:
    """Say on what a pipeline was scored."""
    rules = f", by the rules of {split.rules}" if split.rules else ""
    labels = ", ".join(split.labels) or "all"
    return f"{len(split.run.outcomes):,}{rules}, labels: {labels}"


def describe_pace(run: SplitRun) -> str:
    """Say how fast a run was, and on what."""
    threads = "1 thread" if run.threads == 1 else f"{run.threads} threads"
    on = ", ".join(filter(None, (threads, run.processor)))
    return f"{run.words_per_second:,.0f} words/s ({on})"


def describe_memory(run: SplitRun) -> str:
    """Say how much memory a run took."""
    return f"{run.peak_bytes / MEBIBYTE:,.0f} MiB"


def _judge(found: Verification) -> str:
    if found.changes:
        return (
            "NOT as it was packaged, so its pipeline was not run; install it again, and if that "
            "changes nothing, get it anew"
        )
    if found.run is None:
        return (
            "its files are as they were packaged, but it carries no test documents (`bioner "
            "package … --verify-on`), so that scores cannot be verified"
        )
    changed = found.changed_documents
    if changed:
        return f"NOT verified: it finds something else in {format_count(len(changed), 'document')}"
    return "verified: files and entities are as they were packaged"


def _count_files(found: Verification) -> str:
    if not found.changes:
        return f"{found.n_files:,}, all as they were packaged"
    return f"{found.n_files:,} were packaged"


def _list_files(found: Verification) -> Iterator[Row]:
    changes = found.changes
    for kind, names in (
        ("changed", changes.changed),
        ("missing", changes.missing),
        ("additional", changes.added),
    ):
        for name in names[:MOST_FILES]:
            yield kind, name
        if len(names) > MOST_FILES:
            yield kind, f"and {len(names) - MOST_FILES:,} more"


def _list_run(run: SplitRun, split: CarriedSplit) -> Iterator[Row]:
    before = split.run
    yield "documents", describe_split(split)
    yield "strict F1", _describe_scores(run)
    if run.counts != before.counts:
        yield "packaged", _describe_scores(before)
    changed = run.list_changed(before)
    if changed:
        yield "differ", _shorten(changed)
        yield "versions", _describe_differences(run, before)
    yield "speed", f"{describe_pace(run)}; packaged: {describe_pace(before)}"
    yield "peak memory", f"{describe_memory(run)}; packaged: {describe_memory(before)}"
    if run.n_foreign:
        many = format_count(run.n_foreign, "document")
        yield "language", f"{many} seem to be no English: the pipeline was not made for them"


def _describe_scores(run: SplitRun) -> str:
    counts = run.counts
    return (
        f"{format_percent(counts.f_score)} (tp {counts.tp:,}, fp {counts.fp:,}, fn {counts.fn:,})"
    )


def _shorten(names: Sequence[str]) -> str:
    shown: List[str] = list(names[:MOST_DOCUMENTS])
    more = len(names) - len(shown)
    return ", ".join([*shown, f"and {more:,} more"] if more else shown)


def _describe_differences(run: SplitRun, before: SplitRun) -> str:
    rows = [
        f"{name} {here or 'not there'}, packaged with {earlier or 'none'}"
        for name, here, earlier in run.list_differences(before)
    ]
    return "; ".join(rows) or "the same as when it was packaged, and the same processor"
