"""`bioner convert`: a corpus in any format → any other, with an account of every mention."""

from pathlib import Path
from typing import Annotated, Any, Dict, List, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import FromFormat, IdColumn, TextColumn, ToFormat
from spacy_bioner.apps.corpora.audit import parse_outcomes
from spacy_bioner.apps.corpora.cleaning import (
    read_label_maps,
)
from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.apps.corpora.convert_options import (
    choose_filters,
    choose_layout,
    choose_note_columns,
    choose_options,
    choose_steps,
    find_source_format,
    list_formats,
    read_ids,
)
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.formats.offsets.units import UNITS
from spacy_bioner.corpora.read_write import Selection
from spacy_bioner.corpora.tokenizers import TITLES
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.reports.text.corpora.conversion import render_conversion
from spacy_bioner.transforms.normalization import STEPS


def convert_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    target: Annotated[
        Path,
        typer.Argument(
            help="Corpus to write: X.spacy is one DocBin, a name without an ending a folder",
            metavar="OUT",
        ),
    ],
    from_format: FromFormat = "auto",
    to_format: ToFormat = None,
    tokenizer: Annotated[
        Optional[str],
        typer.Option(
            help="Tokens of OUT. "
            + "; ".join(f"{name}: {title}" for name, title in TITLES.items())
            + ". Default: bioner; corpus for CoNLL and CSV, where IN has tokens"
        ),
    ] = None,
    label_map: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Labels to rename, others stay: OLD=NEW with commas; or a map by name (biored) or "
            "YAML file"
        ),
    ] = None,
    normalize: Annotated[
        str, typer.Option(help=f"Change the text, gold follows. Some of {', '.join(STEPS)}")
    ] = "",
    compatibility: Annotated[
        bool, typer.Option("--nfkc", help="Let --normalize unicode use NFKC instead of NFC")
    ] = False,
    join_lines: Annotated[
        bool, typer.Option("--join-lines", help="Let --normalize spaces, collapse join lines")
    ] = False,
    expansions: Annotated[
        Optional[Path], typer.Option(help="Table of --normalize expand: short<TAB>long")
    ] = None,
    drop_empty: Annotated[
        bool, typer.Option("--drop-empty", help="Leave out documents without text")
    ] = False,
    drop_unannotated: Annotated[
        bool, typer.Option("--drop-unannotated", help="Leave out documents without mentions")
    ] = False,
    drop_duplicates: Annotated[
        bool, typer.Option("--drop-duplicates", help="Leave out texts that came before")
    ] = False,
    min_words: Annotated[
        Optional[int], typer.Option(min=1, help="Leave out documents with fewer words")
    ] = None,
    language: Annotated[
        Optional[str], typer.Option(help="Leave out texts in another language than, say, en")
    ] = None,
    skip: Annotated[
        int, typer.Option(min=0, help="Leave out that many documents at the beginning")
    ] = 0,
    first: Annotated[
        Optional[int],
        typer.Option(min=1, help="Take at most that many documents, behind those of --skip"),
    ] = None,
    ids: Annotated[
        Optional[Path], typer.Option(help="Take only the documents named in a file, one a line")
    ] = None,
    scheme: Annotated[
        Optional[str], typer.Option(help="Tag scheme of a CoNLL or CSV source; default: detected")
    ] = None,
    label: Annotated[str, typer.Option(help="Label of tags without one (B, I, O)")] = "",
    word_column: Annotated[
        Optional[str], typer.Option(help="Column of the word: a number from 0, or a CSV's name")
    ] = None,
    tag_column: Annotated[
        Optional[str],
        typer.Option(help="Column of the tag; negative counts from the end. CoNLL-U: key in MISC"),
    ] = None,
    sentence_column: Annotated[
        Optional[str], typer.Option(help="Column of the sentence; CSV only")
    ] = None,
    document_column: Annotated[
        Optional[str], typer.Option(help="Column of the document; CSV only")
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    encoding: Annotated[
        Optional[str], typer.Option(help="Encoding of a CSV source; default: detected")
    ] = None,
    offsets: Annotated[
        Optional[str],
        typer.Option(
            help=f"What offsets of IN count: {', '.join(UNITS)}; default: detected. "
            f"With {', '.join(list_formats('offsets'))}"
        ),
    ] = None,
    texts: Annotated[
        Optional[Path],
        typer.Option(help="Texts of a table of mentions: a folder of ID.txt, or a corpus file"),
    ] = None,
    text_key: Annotated[
        Optional[str], typer.Option(help="Field of Label Studio's data that holds the text")
    ] = None,
    individual_mentions: Annotated[
        bool,
        typer.Option(
            "--individual-mentions", help="Keep BioC's annotations of parts of coordinations, too"
        ),
    ] = False,
    to_scheme: Annotated[str, typer.Option(help="Tag scheme of a CoNLL or CSV target")] = "IOB2",
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be used, and count it")
    ] = False,
    trust: Annotated[
        str,
        typer.Option(help="With offsets, take mentions where they stand, whatever text they claim"),
    ] = "",
    list_outcomes: Annotated[
        str, typer.Option("--list", help="Print every mention that was lost, nested, …")
    ] = "",
    report: Annotated[
        Optional[Path], typer.Option(help="Write the account as JSON; default: beside a DocBin")
    ] = None,
) -> None:
    """Convert a corpus, and account for every gold mention."""
    outcomes = parse_outcomes(list_outcomes)
    maps = [Path(part) for part in label_map or () if Path(part).is_file()]
    check_apart([target, *list_paths(report)], [*list_paths([ids, expansions, texts]), *maps])
    name = find_source_format(source, from_format)
    columns = {
        "word": word_column,
        "tag": tag_column,
        "sentence": sentence_column,
        "document": document_column,
    }
    steps = [
        *choose_filters(drop_empty, drop_unannotated, drop_duplicates, min_words, language),
        *choose_steps(normalize, compatibility, join_lines, expansions),
    ]
    options: Dict[str, Any] = {
        "encoding": encoding,
        "offsets": offsets,
        "text_key": text_key,
        "texts": texts,
        "individual_mentions": individual_mentions or None,
    }
    with showing_progress("documents") as progress:
        conversion = convert(
            source,
            target,
            from_format=name,
            to_format=to_format,
            tokenizer=tokenizer,
            label_map=read_label_maps(label_map or ()),
            steps=steps,
            selection=Selection(skip=skip, first=first, ids=read_ids(ids)),
            options={
                **choose_options(name, options),
                **choose_layout(name, columns, scheme, label),
                **choose_note_columns(name, text_column, id_column),
            },
            to_scheme=to_scheme,
            lenient=lenient,
            trust=trust,
            report=report,
            progress=progress,
        )
    typer.echo(render_conversion(conversion, outcomes=outcomes))
    for warning in conversion.warnings:
        typer.echo(f"warning: {warning}", err=True)
