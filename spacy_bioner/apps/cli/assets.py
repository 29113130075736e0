"""`bioner assets`: put the corpus files of a project into their places."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.corpora.assets import PreparedAsset, prepare_assets, read_assets


def assets_cli(
    folder: Annotated[
        Optional[Path], typer.Option("--from", help="Copy from this folder, download nothing")
    ] = None,
    extra: Annotated[
        bool, typer.Option("--extra", help="Fetch the extra ones as well, such as MeSH")
    ] = False,
    project: Annotated[Path, typer.Option(help="Folder with project.yml")] = Path("."),
) -> None:
    """Check, copy or download the corpus files that project.yml names."""
    prepared = prepare_assets(
        read_assets(project), folder=folder, extra=extra, on_ready=_print_ready
    )
    typer.echo(f"{len(prepared)} corpus files are in place")


def _print_ready(prepared: PreparedAsset) -> None:
    typer.echo(f"{prepared.action:10}  {prepared.asset.dest}")
