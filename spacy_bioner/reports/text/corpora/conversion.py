"""The account of a conversion as text, and tokenizers side by side."""

from typing import Any, Iterable, Iterator, List, Mapping, Sequence, Tuple

from spacy_bioner.corpora.alignment_counts import OUTCOMES
from spacy_bioner.corpora.conversion import AuditLog, Conversion, MentionRow
from spacy_bioner.corpora.labels import describe_unused
from spacy_bioner.corpora.tokenizers import TITLES
from spacy_bioner.printable import make_line
from spacy_bioner.reports.tables import render_table

SHOWN_ROWS = 10
_CEILINGS = ("token_ceiling", "flat_ceiling", "recall_ceiling", "f1_ceiling")
_HEADINGS = ("tokens", "flat spans", "recall", "strict F1")


def render_conversion(conversion: Conversion, *, outcomes: Iterable[str] = ()) -> str:
    """Render the account as text: the table, then what deserves a look.

    outcomes (Iterable[str]): List all mentions of these outcomes; otherwise the first lost ones.
    """
    count = conversion.count
    lines = [
        f"{conversion.target}: {_number(conversion.documents, 'document')}, "
        + _number(count.total, "gold mention")
        + (f", {_number(conversion.entities, 'entity')}" if conversion.tokenizer else ""),
        count.to_table(),
        *_render_ceiling(conversion),
        *_render_counts("left out while reading", conversion.counters),
        *_render_counts("the target has no place for", conversion.losses),
        *_render_counts("edits", conversion.edits),
        *_render_counts("documents removed by filters", conversion.filtered.get("removed", {})),
        *_render_counts("skipped (--lenient)", conversion.skipped.get("skipped", {})),
        *map(make_line, conversion.skipped.get("messages", [])[:SHOWN_ROWS]),
    ]
    if conversion.labels_not_found:
        lines.append(describe_unused(conversion.labels_not_found))
    return "\n".join([*lines, *_render_rows(conversion, tuple(outcomes))])


def render_ceilings(logs: Mapping[str, AuditLog]) -> str:
    """Render a row for each tokenizer: its ceilings in per cent, then the outcomes."""
    counts = {name: log.count() for name, log in logs.items()}
    shown = [name for name in OUTCOMES if any(getattr(c, name) for c in counts.values())]
    header = ("tokenizer", *_HEADINGS, *shown, "total")
    rows: List[Tuple[str, ...]] = []
    for name, count in counts.items():
        ceilings = [f"{100 * getattr(count, ceiling):.2f} %" for ceiling in _CEILINGS]
        outcomes = [f"{getattr(count, outcome):,}" for outcome in (*shown, "total")]
        rows.append((f"{name} ({TITLES[name]})", *ceilings, *outcomes))
    return render_table(header, rows, right=range(1, len(header)))


def _number(number: int, noun: str) -> str:
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def _render_ceiling(conversion: Conversion) -> Iterator[str]:
    count = conversion.count
    if not conversion.tokenizer or not count.sought:
        return
    yield (
        f"recall ceiling under strict matching: {100 * count.recall_ceiling:.2f} % "
        f"(tokenizer {conversion.tokenizer} {100 * count.token_ceiling:.2f} %, "
        f"flat spans {100 * count.flat_ceiling:.2f} %), strict F1 at most "
        f"{100 * count.f1_ceiling:.2f} %"
    )
    yield from _render_counts("lost", count.lost_reasons)
    yield from _render_counts("discontinuous mentions became", count.flattened)


def _render_counts(title: str, counts: Any) -> Iterator[str]:
    if counts:
        yield f"{title}: " + ", ".join(
            f"{str(name).replace('_', ' ')} {number:,}" for name, number in sorted(counts.items())
        )


def _render_rows(conversion: Conversion, outcomes: tuple[str, ...]) -> Iterator[str]:
    if outcomes:
        yield from list_rendered(conversion.log, outcomes, conversion.source)
        return
    for shown, row in enumerate(conversion.log.list_rows("lost")):
        if shown == SHOWN_ROWS:
            more = conversion.count.lost - SHOWN_ROWS
            yield f"… and {more:,} more like these; --list lost shows all of them"
            return
        yield render_row(row, conversion.source)


def list_rendered(log: AuditLog, outcomes: Sequence[str], source: str) -> Iterator[str]:
    """Render the rows of some outcomes, and say of which of them there is none."""
    found = set()
    for row in log.list_rows(*outcomes):
        found.add(row.outcome)
        yield render_row(row, source)
    missing = [outcome for outcome in outcomes if outcome not in found]
    if missing:
        counts = log.count()
        listed = [name for name in missing if getattr(counts, name)]
        nothing = [name for name in missing if name not in listed]
        if nothing:
            yield f"none of the mentions is {' or '.join(nothing)}"
        if listed:
            yield f"mentions that are {' or '.join(listed)} are counted, not listed"


def render_row(row: MentionRow, source: str) -> str:
    """Render a mention that deserves a look as one line.

    source (str): The path that was read.
    """
    place = source if row.line is None else f"{source}:{row.line}"
    where = f"{row.document} {row.start_char}-{row.end_char} {row.label}"
    reason = f" ({row.reason})" if row.reason else ""
    text = f"found {row.found!r}"
    if row.claimed and row.claimed != row.found:
        text += f", expected {row.claimed!r}"
    if row.tokens:
        text += f", tokens {row.tokens!r}"
    return make_line(f"{place}: {where}: {row.outcome}{reason}: {text}")
