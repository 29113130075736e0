"""`bioner audit`: what becomes of every gold mention of a corpus, by tokenizer."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import FromFormat
from spacy_bioner.apps.corpora.audit import ceilings_to_json, compare_tokenizers, parse_outcomes
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import counted, showing_progress
from spacy_bioner.corpora.alignment_counts import OUTCOMES
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.corpora.tokenizers import TITLES
from spacy_bioner.files.json_files import write_json
from spacy_bioner.reports.text.corpora.conversion import list_rendered, render_ceilings


@guards_outputs("report", inputs=("source",), as_files=("report",))
def audit_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    from_format: FromFormat = "auto",
    tokenizer: Annotated[
        Optional[List[str]],
        typer.Option(help=f"One of {', '.join(TITLES)}; can be repeated. Default: all installed"),
    ] = None,
    list_outcomes: Annotated[
        str,
        typer.Option("--list", help=f"Print the mentions of these outcomes: {', '.join(OUTCOMES)}"),
    ] = "",
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be read, and count it")
    ] = False,
    report: Annotated[Optional[Path], typer.Option(help="Write the numbers as JSON")] = None,
) -> None:
    """Say what becomes of every gold mention, and what that means for strict F1.

    "tokens" is the share of mentions that begin and end at token borders, "flat spans" the share
    that are neither nested nor discontinuous; "recall" is what both allow together, and "strict F1"
    the score of a system that finds just these.
    """
    outcomes = parse_outcomes(list_outcomes)
    problems = ReadErrors() if lenient else None
    with showing_progress("documents") as progress:
        records = read_records(source, from_format, problems=problems)
        logs = compare_tokenizers(counted(records, progress), tokenizer or ())
    typer.echo(render_ceilings(logs))
    first = next(iter(logs.values()))
    typer.echo("\n" + first.count().to_table())
    if problems and problems.skipped:
        typer.echo(problems.describe())
    for name, log in logs.items() if outcomes else ():
        typer.echo(f"\n{name}:")
        for line in list_rendered(log, outcomes, str(source)):
            typer.echo(line)
    if report is not None:
        write_json(report, ceilings_to_json(logs), indent=2)
