"""`bioner prepare`: the corpus of a profile → train, dev and test DocBins."""

from pathlib import Path
from typing import Annotated

import typer

from spacy_bioner.apps.cli.options import ProfileName
from spacy_bioner.apps.corpora.prepare import prepare
from spacy_bioner.apps.profiles import load_corpus_settings, load_profile
from spacy_bioner.corpora.conversion import Conversion
from spacy_bioner.reports.text.corpora.conversion import render_conversion


def prepare_cli(
    output: Annotated[Path, typer.Argument(help="Folder to write to", metavar="OUT")],
    profile: ProfileName = "demo",
    corpus: Annotated[
        str, typer.Option(help="Name of a corpus, a file in configs/corpora; empty: the profile's")
    ] = "",
) -> None:
    """Convert a profile's corpus and account for every gold mention."""
    chosen = load_profile(profile, corpus=corpus)
    prepare(load_corpus_settings(chosen.corpus), output, report=_print_split)


def _print_split(split: str, account: Conversion) -> None:
    typer.echo(f"{split}: {render_conversion(account)}\n")
    for warning in account.warnings:
        typer.echo(f"warning: {split}: {warning}", err=True)
