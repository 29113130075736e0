"""`bioner restore`: an exported pipeline as one that can be trained on."""

from pathlib import Path
from typing import Annotated

import typer


def restore_cli(
    model: Annotated[str, typer.Argument(help="Exported pipeline", metavar="MODEL")],
    output: Annotated[Path, typer.Argument(help="Folder to write the pipeline to", metavar="OUT")],
) -> None:
    """Make an exported pipeline, such as an installed one, one that torch runs and trains.

    `bioner train … --resume OUT` trains it on; `bioner export` makes it light again.
    """
    from spacy_bioner.apps.packaging.restore import restore

    restore(model, output)
    typer.echo(f"wrote {output}; to train it on: bioner train CORPUS TRAINED --resume {output}")
