"""`bioner split`: a corpus → training, development and test documents, or folds."""

import json
from collections import Counter
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Callable, Dict, Iterator, List, Optional, Sequence

import typer

from spacy_bioner.apps.cli.corpus_options import FromFormat
from spacy_bioner.apps.output_guard import guards_outputs
from spacy_bioner.apps.progress import counted, showing_progress
from spacy_bioner.corpora.formats.detection import guess_format
from spacy_bioner.corpora.formats.read_errors import Problems
from spacy_bioner.corpora.formats.registry import WRITABLE, Format, find_format
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.corpora.splits.split import GroupBy, Splits, k_folds, split_records
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import is_debris
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.files.same_files import check_apart
from spacy_bioner.reports.tables import render_table

JSON_NAME = "split.json"
TRAIN, TEST = "train", "test"
MAX_LABELS = 20
# Whole numbers that add up to more are meant as parts of 100.
MAX_SHARES = 20
# Formats that no ending tells, because they share theirs with others.
_ENDINGS = {"doccano": ".jsonl", "label_studio": ".json", "mimic": ".csv"}
Progress = Callable[[int], None]


def split_cli(
    source: Annotated[Path, typer.Argument(help="Corpus file or folder", metavar="IN")],
    target: Annotated[
        Path,
        typer.Argument(
            help="New folder, gets train.…, dev.…, test.… and split.json", metavar="OUT"
        ),
    ],
    ratio: Annotated[
        str,
        typer.Option(help="Documents of the parts, of 100: 80/10/10, 70/15/15, 90/10; or 8/1/1"),
    ] = "80/10/10",
    names: Annotated[
        Optional[str],
        typer.Option(help="Names of the parts; default: train,test or train,dev,test"),
    ] = None,
    folds: Annotated[
        Optional[int],
        typer.Option(
            min=2, help="Number of folds instead of parts: fold-1/train.…, fold-1/test.… and so on"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another division")] = 0,
    group_by: Annotated[
        Optional[str],
        typer.Option(help="Metadata of a document (a patient) that keeps it with others"),
    ] = None,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Give each part its share of each label's mentions")
    ] = False,
    from_format: FromFormat = "auto",
    to_format: Annotated[
        Optional[str],
        typer.Option("--to", help=f"{', '.join(WRITABLE)}; default: as it was read"),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Leave out what cannot be read, and count it")
    ] = False,
) -> None:
    """Divide a corpus by document. Equal ids stay together, and so do groups."""
    problems = Problems() if lenient else None
    losses: Counter[str] = Counter()
    with showing_progress("documents") as progress:
        splits = split(
            source,
            target,
            ratios=parse_ratios(ratio),
            names=[name.strip() for name in names.split(",")] if names is not None else None,
            folds=folds,
            seed=seed,
            group_by=group_by,
            stratify=stratify,
            from_format=from_format,
            to_format=to_format,
            problems=problems,
            losses=losses,
            progress=progress,
        )
    typer.echo(render_splits(splits))
    if losses:
        lost = ", ".join(f"{name} {number:,}" for name, number in sorted(losses.items()))
        typer.echo(f"\nnot in the written files, which have no place for it: {lost}")
    if problems and problems.skipped:
        typer.echo(f"\n{problems.describe()}")
    typer.echo(f"\nwrote {target}")


@guards_outputs("target")
def split(
    source: PathLike,
    target: PathLike,
    *,
    ratios: Sequence[float] = (0.8, 0.1, 0.1),
    names: Optional[Sequence[str]] = None,
    folds: Optional[int] = None,
    seed: int = 0,
    group_by: GroupBy = None,
    stratify: bool = False,
    from_format: str = "auto",
    to_format: Optional[str] = None,
    problems: Optional[Problems] = None,
    losses: Optional[Counter[str]] = None,
    progress: Progress = lambda documents: None,
) -> Splits:
    """Divide a corpus into files of a new folder, which appears only when it is whole.

    folds (Optional[int]): Instead of ratios; each fold gets a folder with the files train (all
        other folds) and test.
    to_format (Optional[str]): None writes the format that was read.
    problems (Optional[Problems]): Takes note of what cannot be read, which is then left out.
    losses (Optional[Counter[str]]): Is told what the written format has no place for, once for
        each document.
    RAISES (CorpusError): A file that cannot be read, a folder that is not empty, too few documents.
    """
    target = Path(target).absolute()
    if target.is_file() or (target.is_dir() and not all(map(is_debris, target.iterdir()))):
        kind = "a file" if target.is_file() else "a folder that is not empty"
        raise CorpusError(f"found {kind}, expected a new folder; name another", path=target)
    check_apart([target], [source])
    read_as = guess_format(source) if from_format == "auto" else find_format(from_format).name
    if to_format is None and read_as not in WRITABLE:
        message = f"found format {read_as}, which can only be read; choose another with --to"
        raise CorpusError(message, path=source)
    written = find_format(to_format or read_as, to_write=True)
    records = read_records(source, read_as, problems=problems)
    observed = counted(records, progress)
    settings: Dict[str, Any] = {"seed": seed, "group_by": group_by, "stratify": stratify}
    if folds is None:
        splits = split_records(observed, ratios, names=_check_names(names), **settings)
    else:
        splits = k_folds(observed, folds, **settings)
    ending = _choose_ending(written)
    with replacing_folder(target) as folder:
        folder.mkdir()
        for path, chosen, is_part in _plan_files(splits, folds is not None, ending):
            # The problems were noted when the file was first read.
            again = read_records(source, read_as, problems=problems and Problems())
            (folder / path).parent.mkdir(exist_ok=True)
            chosen_records = splits.select(again, *chosen)
            counts = losses if is_part else None
            write_records(chosen_records, folder / path, written.name, losses=counts)
        text = json.dumps(
            {"source": str(source), "format": written.name, **splits.to_json()},
            ensure_ascii=False,
            indent=1,
        )
        (folder / JSON_NAME).write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return splits


def parse_ratios(text: str) -> List[float]:
    """Read parts of 100 ("80/10/10", "80:20", "80%, 20%"), of 1 ("0.8/0.2"), or small whole numbers
    ("8/1/1").

    RAISES (ConfigError): What is no such numbers, or adds up to something else.
    """
    separator = next((mark for mark in "/:;," if mark in text), None)
    try:
        ratios = [float(part.strip().removesuffix("%")) for part in text.split(separator)]
    except ValueError as error:
        raise ConfigError(f"found the ratio {text!r}, expected numbers like 80/10/10") from error
    if len(ratios) < 2 or not all(isfinite(ratio) and ratio > 0 for ratio in ratios):
        message = f"found the ratio {text!r}, expected two positive numbers or more"
        raise ConfigError(f"{message}, like 80/10/10")
    total = sum(ratios)
    is_small = total <= MAX_SHARES and all(ratio.is_integer() for ratio in ratios)
    # Thirds are written as 33/33/33.
    if not (is_small or abs(total - 100) <= 1 or abs(total - 1) <= 0.01):
        message = f"found the ratio {text!r}, which adds up to {total:g}"
        expected = "expected parts of 100 (80/10/10), of 1 (0.8/0.1/0.1) or small shares (8/1/1)"
        raise ConfigError(f"{message}, {expected}")
    return ratios


def render_splits(splits: Splits) -> str:
    """Show the parts, and how the mentions of each label are shared out."""
    documents = sum(len(part.ids) for part in splits.parts)
    rows = [
        (
            part.name,
            f"{len(part.ids):,}",
            f"{len(part.ids) / documents:.1%}",
            f"{part.share:.1%}",
            f"{part.groups:,}",
            f"{sum(part.labels.values()):,}",
        )
        for part in splits.parts
    ]
    header = ("part", "documents", "share", "wanted", "groups", "mentions")
    how = "stratified by label" if splits.stratified else "at random"
    title = f"{documents:,} documents, {how}, grouped by {splits.group_by}, seed {splits.seed}"
    tables = [title + "\n\n" + render_table(header, rows, right=range(1, 6))]
    totals: Counter[str] = Counter()
    for part in splits.parts:
        totals.update(part.labels)
    if totals:
        tables.append(_render_labels(splits, totals))
    return "\n\n".join(tables)


def _render_labels(splits: Splits, totals: Counter[str]) -> str:
    ranked = sorted(totals, key=lambda label: (-totals[label], label))
    rows = [
        (
            label or "(none)",
            f"{totals[label]:,}",
            *(f"{part.labels.get(label, 0) / totals[label]:.1%}" for part in splits.parts),
        )
        for label in ranked[:MAX_LABELS]
    ]
    header = ("label", "mentions", *(part.name for part in splits.parts))
    table = render_table(header, rows, right=range(1, len(header)))
    more = len(ranked) - MAX_LABELS
    return table + (f"\n  and {more} more labels, see {JSON_NAME}" if more > 0 else "")


def _check_names(names: Optional[Sequence[str]]) -> Optional[Sequence[str]]:
    for name in names or ():
        if name in ("", ".", "..") or set(name) & set('/\\:*?"<>|'):
            message = f"found the name {name!r} of a part, expected one that a file can have"
            raise ConfigError(message)
    return names


def _choose_ending(written: Format) -> str:
    if written.endings:
        return written.endings[0]
    return _ENDINGS.get(written.name, "")


def _plan_files(splits: Splits, folds: bool, ending: str) -> Iterator[tuple[str, List[str], bool]]:
    """Give the files to write, each with the parts that it has, and whether it is one of them.

    Every document stands once in the files that are parts: of folds, these are the test files.
    """
    every = [part.name for part in splits.parts]
    for name in every:
        if folds:
            yield f"{name}/{TRAIN}{ending}", [other for other in every if other != name], False
            yield f"{name}/{TEST}{ending}", [name], True
        else:
            yield f"{name}{ending}", [name], True
