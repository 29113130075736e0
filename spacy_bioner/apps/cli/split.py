"""`bioner split`: a corpus → training, development and test documents, or folds."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import FromFormat
from spacy_bioner.apps.corpora.split import parse_ratios, split
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import WRITABLE
from spacy_bioner.reports.text.corpora.splits import render_splits


def split_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    target: Annotated[
        Path,
        typer.Argument(
            help="New folder, gets train.…, dev.…, test.… and split.json", metavar="OUT"
        ),
    ],
    ratio: Annotated[
        str,
        typer.Option(help="Documents of the parts, of 100: 80/10/10, 70/15/15, 90/10; or 8/1/1"),
    ] = "80/10/10",
    names: Annotated[
        Optional[str],
        typer.Option(help="Names of the parts; default: train,test or train,dev,test"),
    ] = None,
    folds: Annotated[
        Optional[int],
        typer.Option(
            min=2, help="Number of folds instead of parts: fold-1/train.…, fold-1/test.… and so on"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the division")] = 0,
    group_by: Annotated[
        Optional[str],
        typer.Option(help="Metadata of a document (a patient) that keeps it with others"),
    ] = None,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Give each part its share of each label's mentions")
    ] = False,
    from_format: FromFormat = "auto",
    to_format: Annotated[
        Optional[str],
        typer.Option("--to", help=f"{', '.join(WRITABLE)}; default: as it was read"),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be read, and count it")
    ] = False,
) -> None:
    """Divide a corpus by document. Equal ids stay together, and so do groups."""
    problems = ReadErrors() if lenient else None
    losses: Counter[str] = Counter()
    with showing_progress("documents") as progress:
        splits = split(
            source,
            target,
            ratios=parse_ratios(ratio),
            names=[name.strip() for name in names.split(",")] if names is not None else None,
            folds=folds,
            seed=seed,
            group_by=group_by,
            stratify=stratify,
            from_format=from_format,
            to_format=to_format,
            problems=problems,
            losses=losses,
            progress=progress,
        )
    typer.echo(render_splits(splits))
    if losses:
        lost = ", ".join(f"{name} {number:,}" for name, number in sorted(losses.items()))
        typer.echo(f"\nnot in the written files, which have no place for it: {lost}")
    if problems and problems.skipped:
        typer.echo(f"\n{problems.describe()}")
    typer.echo(f"\nwrote {target}")
