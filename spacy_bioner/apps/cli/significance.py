"""`bioner significance`: is one pipeline better than another on the same documents?"""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.output_guard import guards_outputs


@guards_outputs("output", inputs=("first", "second"), as_files=("output",))
def significance_cli(
    first: Annotated[Path, typer.Argument(help="JSON of `bioner evaluate --output`")],
    second: Annotated[Path, typer.Argument(help="JSON of another pipeline on the same documents")],
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the comparison as JSON")
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap")] = 1000,
    shuffles: Annotated[
        int, typer.Option(min=1, help="Shuffles of the randomization test")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap and the randomization test")] = 0,
) -> None:
    """Compare two pipelines on the same documents.

    Prints the difference of precision, recall and F1 with its interval (paired bootstrap) and p
    (approximate randomization), both over documents. It says nothing of training seeds.
    """
    from spacy_bioner.apps.evaluation.significance import compare_evaluations
    from spacy_bioner.files.json_files import write_json
    from spacy_bioner.reports.text.evaluation import render_paired

    compared = compare_evaluations(
        first, second, seed=seed, n_resamples=resamples, n_shuffles=shuffles
    )
    if output is not None:
        write_json(output, compared.to_json())
    typer.echo("\n" + render_paired(compared, first.stem, second.stem) + "\n")
