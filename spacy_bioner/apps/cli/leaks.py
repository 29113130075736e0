"""`bioner leaks`: documents of the training corpus that stand in others, and how to drop them."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    Annotated,
    Callable,
    Container,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
)

import typer

from spacy_bioner.apps.cli.corpus_options import AnyFormat
from spacy_bioner.apps.corpora.inspect import Source, parse_sources
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import showing_progress
from spacy_bioner.corpora.formats.read_errors import Problems
from spacy_bioner.corpora.formats.registry import WRITABLE, format_of_target
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.corpora.splits.leakage import (
    SAME_ID,
    SAME_TEXT,
    THRESHOLD,
    LeakReport,
    find_leaks,
)
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.records import Record
from spacy_bioner.reports.tables import render_table

Progress = Callable[[int], None]


@guards_outputs("drop_leaks", "report")
def leaks_cli(
    train: Annotated[str, typer.Argument(help="Training corpus; NAME=PATH names it")],
    others: Annotated[
        List[str],
        typer.Argument(help="Corpora that must not be in it: development, test", metavar="OTHER…"),
    ],
    drop_leaks: Annotated[
        Optional[Path],
        typer.Option(help="Write the training corpus without the leaking documents", metavar="OUT"),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(help="Texts are nearly the same from this share of common word 5-grams"),
    ] = THRESHOLD,
    ignore_ids: Annotated[
        bool, typer.Option("--ignore-ids", help="Compare texts only: ids are running numbers")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="List that many pairs of documents")] = 20,
    report: Annotated[
        Optional[Path], typer.Option(help="Write the numbers and all pairs as JSON")
    ] = None,
    fail: Annotated[
        bool,
        typer.Option("--fail", help="Exit with status 1 if different corpora share documents"),
    ] = False,
    from_format: AnyFormat = "auto",
    to_format: Annotated[
        Optional[str],
        typer.Option("--to", help=f"{', '.join(WRITABLE)}; default: by the name of OUT"),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be read, and count it")
    ] = False,
) -> None:
    """Find documents that stand in two corpora: same id, same text, nearly the same text.

    Exit status 0 whatever is found, but for --fail; leaks from the training corpus that
    --drop-leaks removes do not count for it.
    """
    sources = parse_sources([train, *others])
    if drop_leaks is not None:
        # A name that tells no format is an error before anything is read.
        format_of_target(drop_leaks, to_format)
    check_apart(list_paths([drop_leaks, report]), list_paths(sources))
    problems = Problems() if lenient else None
    with showing_progress("documents") as progress:
        found = check_leaks(
            sources,
            from_format=from_format,
            threshold=threshold,
            ids=not ignore_ids,
            problems=problems,
            progress=progress,
        )
    typer.echo(render_leaks(found, top=top))
    if problems and problems.skipped:
        typer.echo(f"\n{problems.describe()}")
    if report is not None:
        with replacing(report) as temporary:
            text = json.dumps(found.to_json(), ensure_ascii=False, indent=1)
            temporary.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    left = [leak for leak in found.leaks if leak.left != leak.right]
    if drop_leaks is not None:
        dropped = drop(
            sources[0],
            drop_leaks,
            found.leaking(sources[0].name),
            from_format=from_format,
            to_format=to_format,
            lenient=lenient,
        )
        typer.echo(f"\n{dropped.render()}")
        left = [leak for leak in left if leak.left != sources[0].name]
    if fail and left:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Dropped:
    """What was left out of a corpus.

    mentions (int): Those of the documents that were left out, of `all_mentions`.
    losses (Mapping[str, int]): What of the others the written format has no place for.
    """

    target: str
    documents: int
    all_documents: int
    mentions: int
    all_mentions: int
    losses: Mapping[str, int] = field(default_factory=dict)

    def render(self) -> str:
        """Say it in a line, and in another what was lost."""
        lost = ", ".join(f"{name} {number:,}" for name, number in sorted(self.losses.items()))
        return (
            f"wrote {self.target} without {self.documents:,} of {self.all_documents:,} documents "
            f"({self.mentions:,} of {self.all_mentions:,} mentions)"
            + (f"\nnot in it, which has no place for it: {lost}" if lost else "")
        )


def check_leaks(
    sources: Iterable[Source],
    *,
    from_format: str = "auto",
    threshold: float = THRESHOLD,
    ids: bool = True,
    problems: Optional[Problems] = None,
    progress: Progress = lambda documents: None,
) -> LeakReport:
    """Find documents that stand in two corpora, or twice in one; see `corpora.leakage`."""
    done = 0

    def read(source: Source) -> Iterator[Record]:
        nonlocal done
        for record in read_records(source.path, from_format, problems=problems):
            yield record
            done += 1
            progress(done)

    corpora: Dict[str, Iterable[Record]] = {source.name: read(source) for source in sources}
    if len(corpora) < 2:
        raise ConfigError("found one corpus, expected two or more with different names")
    return find_leaks(corpora, threshold=threshold, ids=ids)


def drop(
    source: Source,
    target: PathLike,
    indexes: Container[int],
    *,
    from_format: str = "auto",
    to_format: Optional[str] = None,
    lenient: bool = False,
) -> Dropped:
    """Write a corpus without the documents at some positions.

    RAISES (CorpusError): When nothing would be left.
    """
    numbers: Counter[str] = Counter()

    def keep(records: Iterable[Record]) -> Iterator[Record]:
        for index, record in enumerate(records):
            out = index in indexes
            numbers.update(
                documents=out,
                all_documents=1,
                mentions=out * len(record.mentions),
                all_mentions=len(record.mentions),
            )
            if not out:
                yield record
        if numbers["documents"] == numbers["all_documents"]:
            message = "found nothing but leaking documents, expected some that can be kept"
            raise CorpusError(message, path=source.path)

    problems = Problems() if lenient else None
    losses: Counter[str] = Counter()
    write_records(
        keep(read_records(source.path, from_format, problems=problems)),
        target,
        to_format,
        losses=losses,
    )
    return Dropped(str(target), **numbers, losses=losses)


def render_leaks(report: LeakReport, *, top: int = 20) -> str:
    """Show numbers by pair of corpora, and the first pairs of documents."""
    header = ("corpus", "documents", "also in", "same id", "same text", "near", "leaking")
    rows = [
        (
            count.left,
            f"{report.documents[count.left]:,}",
            "repeated in itself" if count.left == count.right else count.right,
            *(f"{number:,}" for number in (count.same_id, count.same_text, count.near)),
            f"{count.documents:,}",
        )
        for count in [*report.between(), *report.within()]
        if count.documents or count.left != count.right
    ]
    parts = [render_table(header, rows, right=(1, 3, 4, 5, 6))]
    if report.leaks and top:
        parts.append(_render_pairs(report, top))
    for left, right in report.running_ids:
        pair = f"{left} and {right}" if left != right else left
        parts.append(f"ids of {pair} were not compared: most that are equal have another text")
    return "\n\n".join(parts)


def _render_pairs(report: LeakReport, top: int) -> str:
    # What is not obvious comes first.
    plain = (SAME_ID, SAME_TEXT)
    ranked = sorted(report.leaks, key=lambda leak: (leak.left == leak.right, leak.kinds == plain))
    rows = [
        (
            f"{leak.left}: {leak.left_id}",
            f"{leak.right}: {leak.right_id}",
            ", ".join(leak.kinds),
            f"{leak.similarity:.2f}",
        )
        for leak in ranked[:top]
    ]
    table = render_table(("document", "and", "common", "similarity"), rows, right=(3,))
    more = len(ranked) - top
    return table + (f"\n  and {more:,} more pairs, all of them in --report" if more > 0 else "")
