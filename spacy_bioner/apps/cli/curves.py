"""`bioner curves`: loss and score curves of training runs, from their logs."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer


def curves_cli(
    logs: Annotated[
        List[Path], typer.Argument(help="Logs of `bioner train --log`", metavar="LOG.jsonl...")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the PNG and SVG files")
    ] = Path("."),
    config: Annotated[
        Optional[Path], typer.Option(help="config.cfg of the run, for its learning rate")
    ] = None,
) -> None:
    """Draw loss, scores on the development set and the learning rate of training runs."""
    from spacy_bioner.apps.training.curves import (
        name_curves,
        read_training_log,
        write_training_curves,
    )

    names = name_curves(logs)
    for log in logs:
        read_training_log(log)
    for log, name in zip(logs, names):
        title = "" if name == "curves" else name
        for path in write_training_curves(log, output, name=name, title=title, config_path=config):
            typer.echo(f"wrote {path}")
