"""`bioner link`: the concept ids that mentions get from a store, scored."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import LabelMap
from spacy_bioner.apps.cli.options import BootstrapSeed, GpuId, Resamples, ScoredLabels


def link_cli(
    corpus: Annotated[Path, typer.Argument(help="Gold documents with concept ids, a .spacy file")],
    store: Annotated[Path, typer.Argument(help="Concept store, as `bioner terms store` makes it")],
    pipeline: Annotated[
        Optional[str],
        typer.Option(help="Score the entities of this pipeline as well: a folder or a package"),
    ] = None,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the scores as JSON")
    ] = None,
    label: ScoredLabels = None,
    label_map: LabelMap = None,
    min_score: Annotated[
        float, typer.Option(min=0, max=1, help="What is less sure than that gets no id")
    ] = 0.3,
    gpu_id: GpuId = -1,
    resamples: Resamples = 1000,
    seed: BootstrapSeed = 0,
) -> None:
    """Score the concept ids that mentions get from a store.

    Gold mentions are right where they get all of their gold ids and no others; documents are scored
    by the set of their ids.
    """
    from spacy_bioner.apps.evaluation.link import LinkSettings, link
    from spacy_bioner.apps.progress import showing_progress
    from spacy_bioner.corpora.labels import parse_label_map
    from spacy_bioner.reports.text.linking import render_linking

    settings = LinkSettings(
        labels=label or (),
        label_map=parse_label_map(label_map or ()),
        min_score=min_score,
        seed=seed,
        n_resamples=resamples,
    )
    with showing_progress("documents") as progress:
        scores = link(
            corpus,
            store,
            settings,
            pipeline=pipeline,
            output=output,
            gpu_id=gpu_id,
            progress=progress,
        )
    typer.echo(render_linking(scores))
