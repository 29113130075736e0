"""`bioner terms`: tables of terms for the gazetteer, made, looked into, compared and judged."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from spacy_bioner.apps.cli.corpus_options import AnyFormat, LabelMap
from spacy_bioner.apps.cli.main import PLAIN

terms_cli = typer.Typer(
    name="terms",
    no_args_is_help=True,
    help="Make tables of terms, look into them, compare and judge them.",
    **PLAIN,
)
Gaz = Annotated[Path, typer.Argument(help="Compiled table of terms", metavar="GAZ")]
Top = Annotated[int, typer.Option(min=0, help="List that many lines of each kind")]


@terms_cli.command("import")
def import_cli(
    sources: Annotated[
        List[str],
        typer.Argument(
            help="Files of MeSH, NCBI Gene or Taxonomy, Cellosaurus, ICD-10-CM, UMLS, OBO, SKOS, "
            "OWL, or tables (id, name, label, kind), packed or not; LABEL=PATH labels all of one",
            metavar="SOURCE…",
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Table to write", metavar="OUT.gaz")],
    label: Annotated[
        Optional[List[str]],
        typer.Option(help="Label of all rows, or OLD=NEW for those to take; can be repeated"),
    ] = None,
    variants: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Rules for other ways to write a name: comma, greek, british, hyphen, plural, "
            "singular, all or none; can be repeated. Default: none"
        ),
    ] = None,
    drop: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Rules for names to leave out: one_letter, numbers, stop_words, common_words, "
            "ambiguous_within, ambiguous_across, later_concepts, all or none; can be repeated. "
            "Default: the first three"
        ),
    ] = None,
    suppress: Annotated[
        Optional[Path], typer.Option(help="List of names to leave out, as `blame` writes it")
    ] = None,
    only: Annotated[
        Optional[Path], typer.Option(help="List of names to keep, all others are left out")
    ] = None,
    licence: Annotated[
        Optional[List[str]],
        typer.Option(
            help="Terms of use of a file that does not say them; can be repeated",
            metavar="FILE=TERMS",
        ),
    ] = None,
) -> None:
    """Compile terminologies into one table."""
    from spacy_bioner.apps.progress import showing_progress
    from spacy_bioner.apps.terms.terms import ImportSettings, import_terms
    from spacy_bioner.reports.text.terms import render_import

    plain = ImportSettings()
    settings = ImportSettings(
        labels=label or (),
        variants=variants or plain.variants,
        drop=drop or plain.drop,
        suppress=suppress,
        only=only,
        licences=licence or (),
    )
    with showing_progress("rows") as progress:
        account = import_terms(sources, output, settings, progress=progress)
    typer.echo(render_import(account))


@terms_cli.command("store")
def store_cli(
    sources: Annotated[
        List[str],
        typer.Argument(
            help="Tables .gaz and files as `import` takes them; LABEL=PATH labels all of one",
            metavar="SOURCE…",
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Store to write", metavar="OUT")],
    train: Annotated[
        Optional[List[Path]],
        typer.Option(
            help="Training documents with concept ids, a .spacy file: what their mentions are "
            "called names their concepts; can be repeated"
        ),
    ] = None,
    label_map: LabelMap = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; say whether OUT was built from these")
    ] = False,
) -> None:
    """Make a store of concepts, from which `bioner_linker` gives entities their ids."""
    from spacy_bioner.apps.progress import showing_progress
    from spacy_bioner.apps.terms.store import check_store, make_store
    from spacy_bioner.corpora.labels import parse_label_map
    from spacy_bioner.reports.text.linking import render_store

    names = parse_label_map(label_map or ())
    if check:
        typer.echo(render_store(check_store(sources, output, train=train or (), label_map=names)))
        return
    with showing_progress("names") as progress:
        info = make_store(sources, output, train=train or (), label_map=names, progress=progress)
    typer.echo(render_store(info))
    typer.echo(f"wrote {output}")


@terms_cli.command("lookup")
def lookup_cli(
    gaz: Gaz,
    name: Annotated[str, typer.Argument(help="Name as in a text, or an id")],
) -> None:
    """Say which terms a name or an id has, and where the table comes from."""
    from spacy_bioner.apps.terms.terms import look_up
    from spacy_bioner.reports.text.terms import render_found

    typer.echo(render_found(*look_up(gaz, name)))


@terms_cli.command("diff")
def diff_cli(
    before: Annotated[Path, typer.Argument(help="Compiled table of terms", metavar="A")],
    after: Annotated[Path, typer.Argument(help="Table that is to replace it", metavar="B")],
    texts: Annotated[
        Path, typer.Option("--on", help="Documents to find terms in, as `annotate` takes them")
    ],
    from_format: Annotated[
        str, typer.Option("--from", help="Format of the documents; auto looks into them")
    ] = "auto",
    top: Top = 20,
) -> None:
    """Say which entities another table changes."""
    from spacy_bioner.apps.progress import showing_progress
    from spacy_bioner.apps.terms.diff import compare_tables
    from spacy_bioner.reports.text.terms import render_changes

    with showing_progress("documents") as progress:
        changes = compare_tables(before, after, texts, input_format=from_format, progress=progress)
    typer.echo(render_changes(changes, top=top))


@terms_cli.command("blame")
def blame_cli(
    gaz: Gaz,
    corpus: Annotated[Path, typer.Argument(help="Gold documents: train or dev, never test")],
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", help="Write names to leave out, for a review"),
    ] = None,
    proved: Annotated[
        Optional[Path], typer.Option(help="Write the names that are right, to keep them alone")
    ] = None,
    max_precision: Annotated[
        float, typer.Option(min=0, max=1, help="Propose terms that are less often right than that")
    ] = 0.5,
    min_wrong: Annotated[
        int, typer.Option(min=1, help="Propose terms that are wrong that often at least")
    ] = 2,
    from_format: AnyFormat = "auto",
    label_map: LabelMap = None,
    top: Top = 20,
) -> None:
    """Say which terms fire wrongly on gold documents."""
    from spacy_bioner.apps.progress import showing_progress
    from spacy_bioner.apps.terms.blame import blame_terms
    from spacy_bioner.corpora.labels import parse_label_map
    from spacy_bioner.reports.text.terms import render_blame

    with showing_progress("documents") as progress:
        blame = blame_terms(
            gaz,
            corpus,
            from_format=from_format,
            label_map=parse_label_map(label_map or ()),
            max_precision=max_precision,
            min_wrong=min_wrong,
            output=output,
            proved=proved,
            progress=progress,
        )
    typer.echo(render_blame(blame, top=top, output=output, proved=proved))
