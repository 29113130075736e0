"""`bioner robustness`: pipelines under typos, casing, synonyms and attacks on their embeddings."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId
from spacy_bioner.apps.evaluation.robustness import parse_model


def robustness_cli(
    corpus: Annotated[Path, typer.Argument(help="Gold documents, a .spacy file")],
    output: Annotated[Path, typer.Argument(help="Folder for table and plot", metavar="OUT")],
    models: Annotated[
        List[str],
        typer.Argument(
            help="Pipelines; the first is the one that the others are held against",
            metavar="[NAME=]MODEL…",
        ),
    ],
    noise: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of a mention's letters with a typo")
    ] = 0.05,
    synonyms: Annotated[
        Optional[Path], typer.Option(help="Term table: mentions become synonyms of their concept")
    ] = None,
    method: Annotated[str, typer.Option(help="Attack on the embeddings: fgsm or pgd")] = "fgsm",
    norm: Annotated[
        str, typer.Option(help="What epsilon bounds: l2 over a window, or linf, each coordinate")
    ] = "l2",
    epsilon: Annotated[
        Optional[List[float]],
        typer.Option(help="Size of an attack; can be repeated", show_default=False),
    ] = None,
    points: Annotated[
        float,
        typer.Option(min=0.0, help="Find the epsilon that costs so many points of F1; 0: do not"),
    ] = 10.0,
    limit: Annotated[int, typer.Option(min=0, help="Documents at most; 0 takes all")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of what is changed")] = 0,
    gpu_id: GpuId = -1,
) -> None:
    """Score pipelines under attack.

    Mentions get typos, OCR faults, other casing, hyphens and Greek letters, and synonyms; and the
    embeddings are moved so that the loss rises the most.
    """
    from spacy_bioner.apps.evaluation.robustness import EPSILONS, measure_robustness, text_attacks
    from spacy_bioner.files.lines import check_is_file
    from spacy_bioner.reports.text.robustness import render_robustness
    from spacy_bioner.training.augmenters import SynonymTable

    for path in (corpus, *([synonyms] if synonyms is not None else [])):
        check_is_file(path)
    table = SynonymTable(synonyms) if synonyms else None
    if table is not None:
        # Now, rather than after the attacks that come first.
        table.read()
    results = measure_robustness(
        [parse_model(model) for model in models],
        corpus,
        output,
        attacks=text_attacks(noise=noise, synonyms=table),
        method=method,
        norm=norm,
        epsilons=epsilon or EPSILONS,
        points=points,
        seed=seed,
        limit=limit,
        gpu_id=gpu_id,
        report=lambda line: typer.echo(line, err=True),
    )
    typer.echo("\n" + render_robustness(results, seed=seed))
    typer.echo(f"\nwrote {output / 'robustness.md'}")
