"""`bioner deidentify`: identifiers of persons out of a corpus, with an account of what was done."""

from pathlib import Path
from typing import Annotated, Any, Dict, List, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import (
    FromFormat,
    IdColumn,
    TextColumn,
    ToFormat,
    choose_note_columns,
)
from spacy_bioner.apps.cli.options import GpuId
from spacy_bioner.apps.corpora.deidentify import (
    MODELS_MISS_SOME,
    RULES_ARE_NOT_ENOUGH,
    deidentify_corpus,
    render_deidentification,
)
from spacy_bioner.apps.corpora.identifier_finders import build_finder
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.formats.detection import guess_format
from spacy_bioner.corpora.formats.registry import find_format
from spacy_bioner.corpora.read_write import parse_label_map
from spacy_bioner.errors import ConfigError
from spacy_bioner.transforms.deidentification import SURROGATES


def deidentify_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    target: Annotated[
        Path, typer.Argument(help="Corpus to write, with its identifiers replaced", metavar="OUT")
    ],
    replace: Annotated[
        str,
        typer.Option(help="What stands in its place: label ([DATE]) or mask (as many asterisks)"),
    ] = "label",
    model: Annotated[
        Optional[str],
        typer.Option(help="Pipeline folder or package whose entities are added to the rules"),
    ] = None,
    model_label: Annotated[
        Optional[List[str]],
        typer.Option(
            help="OLD=NEW: labels of the model that are identifiers; default: the usual ones"
        ),
    ] = None,
    gpu_id: GpuId = -1,
    keep_year: Annotated[
        bool, typer.Option("--keep-year", help="Leave the years of dates in the text")
    ] = False,
    keep_metadata: Annotated[
        bool,
        typer.Option("--keep-metadata", help="Keep the documents' metadata, searched as well"),
    ] = False,
    number_documents: Annotated[
        bool, typer.Option("--number-documents", help="Replace the documents' ids by numbers")
    ] = False,
    from_format: FromFormat = "auto",
    to_format: ToFormat = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    encoding: Annotated[Optional[str], typer.Option(help="Encoding of a CSV source")] = None,
    report: Annotated[
        Optional[Path],
        typer.Option(help="Where to write the account as JSON; default: OUT.deid.json"),
    ] = None,
) -> None:
    """Replace identifiers of persons; gold mentions follow. Rules alone are not enough."""
    if replace not in SURROGATES:
        raise ConfigError(f"found --replace {replace!r}, expected one of {', '.join(SURROGATES)}")
    labels = parse_label_map(model_label or ())
    if labels and model is None:
        raise ConfigError("found --model-label without --model, expected both")
    options: Dict[str, Any] = {"encoding": encoding}
    if text_column is not None or id_column is not None:
        name = guess_format(source) if from_format == "auto" else find_format(from_format).name
        options.update(choose_note_columns(name, text_column, id_column))
    find = build_finder(model, labels=labels or None, keep_year=keep_year, gpu_id=gpu_id)
    with showing_progress("documents") as progress:
        account = deidentify_corpus(
            source,
            target,
            find=find,
            replace_by=replace,  # type: ignore[arg-type]
            keep_metadata=keep_metadata,
            number_documents=number_documents,
            warning=RULES_ARE_NOT_ENOUGH if model is None else MODELS_MISS_SOME,
            report=report,
            reads=[] if model is None else [model],
            from_format=from_format,
            to_format=to_format,
            options=options,
            progress=progress,
        )
    typer.echo(render_deidentification(account))
