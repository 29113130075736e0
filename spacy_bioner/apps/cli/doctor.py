"""`bioner doctor`: what is installed, what the machine can do, how a pipeline fares."""

import json
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId


def doctor_cli(
    model: Annotated[
        Optional[str],
        typer.Argument(help="Pipeline folder or installed pipeline package, to be tried as well"),
    ] = None,
    gpu_id: GpuId = -1,
    as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON")] = False,
) -> None:
    """Show versions, threads, what the processor can do, what is missing and what would be faster.

    Exits with 1 where something is wrong: MODEL does not run, a requirement is not met.
    """
    from spacy_bioner.apps.diagnosis.doctor import doctor
    from spacy_bioner.reports.text.doctor import render_diagnosis

    found = doctor(model, gpu_id=gpu_id)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
    else:
        typer.echo(render_diagnosis(found))
    if found.faults:
        raise typer.Exit(1)
