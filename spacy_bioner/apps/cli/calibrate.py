"""`bioner calibrate`: honest confidences and thresholds, fitted on development data."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.options import GpuId


def calibrate_cli(
    model: Annotated[str, typer.Argument(help="Pipeline folder or installed pipeline package")],
    dev: Annotated[
        Path,
        typer.Argument(
            help="Development documents, a .spacy file; 'config': those of the pipeline's config"
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Folder for the pipeline", metavar="OUT")],
    temperature: Annotated[bool, typer.Option(help="Fit temperature and bias")] = True,
    thresholds: Annotated[bool, typer.Option(help="Choose a threshold for each label")] = True,
    target: Annotated[
        Optional[str],
        typer.Option(
            help="What thresholds have to reach, precision=0.95 or recall=0.9; the best F1 without",
            metavar="MEASURE=NUMBER",
        ),
    ] = None,
    overall: Annotated[
        bool, typer.Option("--overall", help="One threshold for all labels")
    ] = False,
    except_labels: Annotated[
        Optional[List[str]],
        typer.Option(
            "--except", help="A label that gets no threshold; may be repeated", metavar="LABEL"
        ),
    ] = None,
    report: Annotated[Optional[Path], typer.Option(help="Write what was fitted as JSON")] = None,
    gpu_id: GpuId = -1,
) -> None:
    """Make a pipeline's confidences honest, and leave its unsure entities out.

    Adds the component `bioner_confidence` behind the trained one, with a temperature, a
    bias, and a threshold for each label that gives the best F1 on the development documents, or
    reaches the target there.
    """
    from spacy_bioner.apps.evaluation.calibrate import calibrate_pipeline
    from spacy_bioner.reports.text.calibration import render_fitted

    fitted = calibrate_pipeline(
        model,
        None if str(dev) == "config" else dev,
        output,
        with_temperature=temperature,
        with_thresholds=thresholds,
        target=target,
        overall=overall,
        except_labels=except_labels or (),
        report=report,
        gpu_id=gpu_id,
    )
    typer.echo("\n" + render_fitted(fitted))
    typer.echo(f"\nwrote {output}")
