"""Documents of a corpus that stand in others: find them, and write the corpus without them."""

from collections import Counter
from pathlib import Path
from typing import Callable, Container, Dict, Iterable, Iterator, Optional

from spacy_bioner.apps.corpora.inspect import Source
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import format_of_target
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.corpora.splits.leakage import THRESHOLD, Dropped, LeakReport, find_leaks
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.same_files import check_apart, list_paths
from spacy_bioner.records import Record

Progress = Callable[[int], None]


def check_outputs(
    sources: Iterable[Source],
    target: Optional[Path],
    report: Optional[Path],
    *,
    to_format: Optional[str] = None,
) -> None:
    """Make sure, before anything is read, that what is to be written can be.

    target (Optional[Path]): For the corpus without the documents that leak.
    report (Optional[Path]): For the numbers.
    RAISES (CorpusError): A name that tells no format, an output that is a source.
    """
    if target is not None:
        format_of_target(target, to_format)
    check_apart(list_paths([target, report]), list_paths(list(sources)))


def check_leaks(
    sources: Iterable[Source],
    *,
    from_format: str = "auto",
    threshold: float = THRESHOLD,
    ids: bool = True,
    problems: Optional[ReadErrors] = None,
    progress: Progress = lambda documents: None,
) -> LeakReport:
    """Find documents that stand in two corpora, or twice in one; see `corpora.splits.leakage`."""
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


def has_leaks(report: LeakReport, *, dropped_from: Optional[str] = None) -> bool:
    """Say whether corpora share documents with others, but for the one that they are dropped from.

    dropped_from (Optional[str]): The name of that corpus; None: no document was dropped.
    """
    return any(leak.left not in (leak.right, dropped_from) for leak in report.leaks)


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

    problems = ReadErrors() if lenient else None
    losses: Counter[str] = Counter()
    write_records(
        keep(read_records(source.path, from_format, problems=problems)),
        target,
        to_format,
        losses=losses,
    )
    return Dropped(str(target), **numbers, losses=losses)
