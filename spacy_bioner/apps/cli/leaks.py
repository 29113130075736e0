"""`bioner leaks`: documents of the training corpus that stand in others, and how to drop them."""

from pathlib import Path
from typing import (
    Annotated,
    List,
    Optional,
)

import typer

from spacy_bioner.apps.cli.corpus_options import AnyFormat, ToFormat
from spacy_bioner.apps.corpora.inspect import parse_sources
from spacy_bioner.apps.corpora.leaks import check_leaks, check_outputs, drop, has_leaks
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.splits.leakage import (
    THRESHOLD,
)
from spacy_bioner.files.json_files import write_json
from spacy_bioner.reports.text.corpora.leaks import render_dropped, render_leaks


@guards_outputs("drop_leaks", "report", as_files=("report",))
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
    to_format: ToFormat = None,
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
    problems = ReadErrors() if lenient else None
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
        typer.echo(f"\n{render_dropped(dropped)}")
    if fail and has_leaks(found, dropped_from=sources[0].name if drop_leaks else None):
        raise typer.Exit(1)
