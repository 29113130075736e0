"""`bioner package`: a pip-installable package of a trained pipeline."""

import shlex
from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import Rules, ScoredLabels


def package_cli(
    model_dir: Annotated[Path, typer.Argument(help="Pipeline folder, such as model-best")],
    out_dir: Annotated[Path, typer.Argument(help="Folder that gets the package")],
    name: Annotated[
        str,
        typer.Option(
            "--name", "-n", help="Name of the package: bioner_<encoder> or bioner_<corpus>"
        ),
    ],
    version: Annotated[
        str, typer.Option("--version", "-v", help="Version of the package")
    ] = "0.1.0",
    metrics: Annotated[
        Optional[List[Path]],
        typer.Option(help="JSON of `bioner evaluate`, for scores in the README; can be repeated"),
    ] = None,
    corpus: Annotated[
        Optional[List[Path]],
        typer.Option(
            help="corpus.json of `bioner prepare`, for the README; one for each training corpus"
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Profile to take the licence of the encoder from")
    ] = "",
    licence: Annotated[str, typer.Option(help="License of the package")] = "",
    description: Annotated[
        str, typer.Option(help="One sentence on the pipeline, for the README")
    ] = "",
    made_by: Annotated[
        Optional[Path],
        typer.Option(help="Text file with the commands that made the pipeline, for the README"),
    ] = None,
    verify_on: Annotated[
        Optional[Path],
        typer.Option(
            help="Test documents, a .spacy file, that the package carries for `bioner verify`"
        ),
    ] = None,
    label: ScoredLabels = None,
    dataset: Rules = "",
    wheel: Annotated[
        bool, typer.Option(help="Build its wheel, and this package's beside it; needs no network")
    ] = True,
) -> None:
    """Make a pip-installable package of a pipeline.

    The name must be true of the encoder that the pipeline was trained from. --label and --rules say
    how the documents of --verify-on are scored, which have to be free to pass on.
    """
    from spacy_bioner.apps.packaging.carried_split import choose_split
    from spacy_bioner.apps.packaging.package import PackageFacts, package_pipeline, read_commands
    from spacy_bioner.apps.profiles import load_profile

    chosen = load_profile(profile) if profile else None
    facts = PackageFacts(
        licence=licence,
        description=description,
        encoder_licences={chosen.encoder: chosen.encoder_licence} if chosen else {},
        commands=read_commands(made_by) if made_by else "",
    )
    result = package_pipeline(
        model_dir,
        out_dir,
        name=name,
        version=version,
        metrics=metrics or (),
        corpora=corpus or (),
        facts=facts,
        verify_on=choose_split(verify_on, labels=label or (), rules=dataset),
        wheel=wheel,
    )
    typer.echo(f"packaged: {result}")
    if wheel:
        typer.echo(f"to install: pip install {shlex.quote(str(result.parent))}/*.whl")
