"""`bioner verify`: whether an installed pipeline is what its card says."""

import json
from typing import Annotated

import typer


def verify_cli(
    model: Annotated[
        str, typer.Argument(help="Installed pipeline package, or its pipeline's folder")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON")] = False,
) -> None:
    """Check the files of a package, and score its pipeline on the test documents that it carries.

    Exits with 1 where a file or an entity is not as it was packaged, or nothing can be verified.
    Speed and memory are shown beside those of the packaging; they decide nothing.
    """
    from spacy_bioner.apps.packaging.verify import verify
    from spacy_bioner.reports.text.pipelines.verification import render_verification

    found = verify(model)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
    else:
        typer.echo(render_verification(found))
    if not found.is_same:
        raise typer.Exit(1)
