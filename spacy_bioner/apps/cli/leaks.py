"""`bioner leaks`: documents of the training corpus that stand in others, and how to drop them."""

from pathlib import Path
from typing import (
    Annotated,
    List,
    Optional,
)

import typer

from spacy_bioner.apps.cli.corpus_options import AnyFormat
from spacy_bioner.apps.corpora.inspect import parse_sources
from spacy_bioner.apps.corpora.leaks import check_leaks, check_outputs, drop, has_leaks
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.apps.results import write_json
from spacy_bioner.corpora.formats.read_errors import Problems
from spacy_bioner.corpora.formats.registry import WRITABLE
from spacy_bioner.corpora.splits.leakage import (
    SAME_ID,
    SAME_TEXT,
    THRESHOLD,
    LeakReport,
)
from spacy_bioner.reports.tables import render_table


@guards_outputs("drop_leaks", "report")
def leaks_cli(
    train: Annotated[str, typer.Argument(help="Training corpus; NAME=PATH names it")],
    others: Annotated[
        List[str],
        typer.Argument(help="Corpora that must not be in it: development, test", metavar="OTHER…"),
    ],
    drop_leaks: Annotated[
        Optional[Path],
        typer.Option(help="Write the training corpus without the leaking documents", metavar="OUT"),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(help="Texts are nearly the same from this share of common word 5-grams"),
    ] = THRESHOLD,
    ignore_ids: Annotated[
        bool, typer.Option("--ignore-ids", help="Compare texts only: ids are running numbers")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="List that many pairs of documents")] = 20,
    report: Annotated[
        Optional[Path], typer.Option(help="Write the numbers and all pairs as JSON")
    ] = None,
    fail: Annotated[
        bool,
        typer.Option("--fail", help="Exit with status 1 if different corpora share documents"),
    ] = False,
    from_format: AnyFormat = "auto",
    to_format: Annotated[
        Optional[str],
        typer.Option("--to", help=f"{', '.join(WRITABLE)}; default: by the name of OUT"),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be read, and count it")
    ] = False,
) -> None:
    """Find documents that stand in two corpora: same id, same text, nearly the same text.

    Exit status 0 whatever is found, but for --fail; leaks from the training corpus that
    --drop-leaks removes do not count for it.
    """
    sources = parse_sources([train, *others])
    check_outputs(sources, drop_leaks, report, to_format=to_format)
    problems = Problems() if lenient else None
    with showing_progress("documents") as progress:
        found = check_leaks(
            sources,
            from_format=from_format,
            threshold=threshold,
            ids=not ignore_ids,
            problems=problems,
            progress=progress,
        )
    typer.echo(render_leaks(found, top=top))
    if problems and problems.skipped:
        typer.echo(f"\n{problems.describe()}")
    if report is not None:
        write_json(report, found.to_json())
    if drop_leaks is not None:
        dropped = drop(
            sources[0],
            drop_leaks,
            found.leaking(sources[0].name),
            from_format=from_format,
            to_format=to_format,
            lenient=lenient,
        )
        typer.echo(f"\n{dropped.render()}")
    if fail and has_leaks(found, dropped_from=sources[0].name if drop_leaks else None):
        raise typer.Exit(1)


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
