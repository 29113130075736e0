"""`bioner inspect`: what corpora consist of, and what of the others the first one has."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import AnyFormat, LabelMap
from spacy_bioner.apps.corpora.inspect import JSON_NAME, PAGE_NAME, inspect, parse_sources
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.labels import parse_label_map
from spacy_bioner.printable import make_line
from spacy_bioner.reports.text.corpora.corpus import render_corpus_summary


def inspect_cli(
    sources: Annotated[
        List[str],
        typer.Argument(
            help="Corpus files or folders; NAME=PATH names one. The others are compared with the "
            "first, as with training data",
            metavar="IN…",
        ),
    ],
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", help=f"Folder for {PAGE_NAME} and {JSON_NAME}"),
    ] = None,
    from_format: AnyFormat = "auto",
    label_map: LabelMap = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be read, and count it")
    ] = False,
    clouds: Annotated[
        bool, typer.Option("--clouds/--no-clouds", help="Draw word clouds on the page")
    ] = True,
) -> None:
    """Count what corpora consist of, and show it as text and as a page."""
    with showing_progress("documents") as progress:
        inspection = inspect(
            parse_sources(sources),
            from_format=from_format,
            label_map=parse_label_map(label_map or ()),
            lenient=lenient,
            output=output,
            clouds=clouds,
            progress=progress,
        )
    typer.echo(render_corpus_summary(inspection.corpora, inspection.overlaps))
    for name, account in inspection.skipped.items():
        numbers = ", ".join(f"{unit}s: {number}" for unit, number in account["skipped"].items())
        typer.echo(f"\n{name}: left out {numbers}")
        for message in account["messages"][:3]:
            typer.echo(f"  {make_line(message)}")
    if output is not None:
        typer.echo(f"\nwrote {output / PAGE_NAME} and {output / JSON_NAME}")
