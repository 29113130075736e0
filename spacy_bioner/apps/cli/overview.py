"""`bioner overview`: one page that compares runs."""

from pathlib import Path
from typing import Annotated, List

import typer


def overview_cli(
    output: Annotated[Path, typer.Argument(help="Folder for page and figures", metavar="OUT")],
    runs: Annotated[
        List[str],
        typer.Argument(
            help="Folders of `bioner report` or JSON of `bioner evaluate`, the one to compare with "
            "first",
            metavar="NAME=RUN…",
        ),
    ],
    title: Annotated[str, typer.Option(help="Title of the page")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the intervals of differences")] = 0,
) -> None:
    """Compare runs: scores, differences with intervals and p, curves, mistakes, robustness."""
    from spacy_bioner.apps.names import parse_named
    from spacy_bioner.reports.plots.style import require_jinja2, require_matplotlib

    require_matplotlib()
    require_jinja2()
    from spacy_bioner.apps.reports.overview import write_overview

    named = {name: Path(path) for name, path in parse_named(runs, "run").items()}
    page = write_overview(named, output, title=title, seed=seed)
    typer.echo(f"wrote {page}")
