"""`bioner assemble`: gazetteer, abbreviations and overlaps behind a trained component."""

from pathlib import Path
from typing import Annotated, Optional

import typer


def assemble_cli(
    model: Annotated[Path, typer.Argument(help="Trained pipeline")],
    output: Annotated[Path, typer.Argument(help="Folder to write the pipeline to", metavar="OUT")],
    config: Annotated[Path, typer.Option(help="Settings of the added components")] = Path(
        "configs/postprocessing.cfg"
    ),
    terms: Annotated[
        str,
        typer.Option(
            help="Term table (id, name, label, or a .gaz of `terms import`); empty: the config's"
        ),
    ] = "",
    calibration: Annotated[
        Optional[Path],
        typer.Option(
            help="JSON of `calibrate --report`, of a pipeline trained alike on less: temperature, "
            "bias and thresholds are taken over"
        ),
    ] = None,
) -> None:
    """Assemble the pipeline that ships."""
    from spacy_bioner.apps.packaging.assemble import assemble

    table = Path(terms) if terms else None
    nlp = assemble(model, output, config=config, terms=table, calibration=calibration)
    typer.echo(f"{output}: tokenizer → {' → '.join(nlp.pipe_names)}")
