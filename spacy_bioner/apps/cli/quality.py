"""`bioner quality`: inconsistent annotation of a corpus, or how far two annotations agree."""

from pathlib import Path
from typing import (
    Annotated,
    Any,
    Optional,
    Union,
)

import typer

from spacy_bioner.apps.cli.corpus_options import AnyFormat, LabelMap
from spacy_bioner.apps.corpora.quality import check_corpus, choose_labels, compare_corpora
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.quality.agreement import (
    Agreement,
)
from spacy_bioner.corpora.quality.report import QualityReport
from spacy_bioner.corpora.quality.suspicious_spans import MAX_CHARACTERS
from spacy_bioner.files.json_files import write_json
from spacy_bioner.reports.text.corpora.quality import render_agreement, render_quality


@guards_outputs("report", inputs=("source", "against"), as_files=("report",))
def quality_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    against: Annotated[
        Optional[Path],
        typer.Option(help="Another annotation of the same documents: measure the agreement"),
    ] = None,
    from_format: AnyFormat = "auto",
    label_map: LabelMap = None,
    labels: Annotated[
        str,
        typer.Option(
            help="Labels to look at, separated by commas, as they are mapped; default: all"
        ),
    ] = "",
    top: Annotated[int, typer.Option(min=0, help="Show that many findings of each kind")] = 10,
    examples: Annotated[int, typer.Option(min=1, help="Places to keep of each finding")] = 3,
    max_characters: Annotated[
        int, typer.Option(min=1, help="Characters beyond which a mention is very long")
    ] = MAX_CHARACTERS,
    lenient: Annotated[
        bool,
        typer.Option("--lenient", help="Leave out what cannot be read or compared, and count it"),
    ] = False,
    report: Annotated[Optional[Path], typer.Option(help="Write all findings as JSON")] = None,
) -> None:
    """Find what is annotated inconsistently, and spans that look wrong.

    With --against: how far two annotations (A is IN, B the other) agree, and where they do not.
    """
    choice = choose_labels(label_map or (), labels)
    problems = ReadErrors() if lenient else None
    found: Union[QualityReport, Agreement]
    with showing_progress("documents") as progress:
        settings: Any = {"from_format": from_format, "problems": problems, "progress": progress}
        if against is None:
            found = check_corpus(
                source, choice, n_examples=examples, max_characters=max_characters, **settings
            )
            text = render_quality(found, top=top)
        else:
            found = compare_corpora(source, against, choice, **settings)
            text = render_agreement(found, top=top)
    typer.echo(text)
    if problems and problems.skipped:
        typer.echo(f"\n{problems.describe()}")
    if report is not None:
        write_json(report, found.to_json())
