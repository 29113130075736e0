"""`bioner deidentify`: identifiers of persons out of a corpus, with an account of what was done."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import FromFormat, IdColumn, TextColumn, ToFormat
from spacy_bioner.apps.cli.options import GpuId
from spacy_bioner.apps.corpora.convert_options import find_note_columns
from spacy_bioner.apps.corpora.deidentify import deidentify_corpus, parse_surrogate
from spacy_bioner.apps.corpora.identifier_finders import build_finder, choose_model_labels
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.reports.text.corpora.deidentification import render_deidentification
from spacy_bioner.transforms.deidentification_account import MODELS_MISS_SOME, RULES_ARE_NOT_ENOUGH


def deidentify_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    target: Annotated[
        Path, typer.Argument(help="Corpus to write, with its identifiers replaced", metavar="OUT")
    ],
    replace: Annotated[
        str,
        typer.Option(
            help="Replacement of an identifier: label ([DATE]) or mask (as many asterisks)"
        ),
    ] = "label",
    model: Annotated[
        Optional[str],
        typer.Option(help="Pipeline folder or package whose entities are added to the rules"),
    ] = None,
    model_label: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Labels of the model that are identifiers: OLD=NEW; default: the usual ones"
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
    replace_by = parse_surrogate(replace)
    labels = choose_model_labels(model_label or (), model)
    columns = find_note_columns(source, from_format, text_column, id_column)
    find = build_finder(model, labels=labels, keep_year=keep_year, gpu_id=gpu_id)
    with showing_progress("documents") as progress:
        account, conversion = deidentify_corpus(
            source,
            target,
            find=find,
            replace_by=replace_by,
            keep_metadata=keep_metadata,
            number_documents=number_documents,
            warning=RULES_ARE_NOT_ENOUGH if model is None else MODELS_MISS_SOME,
            report=report,
            reads=[] if model is None else [model],
            from_format=from_format,
            to_format=to_format,
            options={"encoding": encoding, **columns},
            progress=progress,
        )
    typer.echo(render_deidentification(account, conversion))
