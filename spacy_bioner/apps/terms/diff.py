"""What another table of terms changes: entities that come, go, or get other ids."""

import tempfile
from pathlib import Path
from typing import Callable, Iterator

from spacy_bioner.apps.annotation.sources import AUTO, InputSettings, TextSource
from spacy_bioner.apps.progress import counted
from spacy_bioner.corpora.tokenizers import OURS, build_tokenizer
from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.terms import TableChanges, find_spans
from spacy_bioner.knowledge.gaz import read_gaz
from spacy_bioner.records import Record


def compare_tables(
    before: Path,
    after: Path,
    texts: Path,
    *,
    input_format: str = AUTO,
    progress: Callable[[int], None] = lambda documents: None,
) -> TableChanges:
    """Find the terms of two tables in the same texts, and count what differs.

    texts (Path): Documents as `bioner annotate` takes them.
    input_format (str): Their format; "auto" looks into the file.
    progress (Callable[[int], None]): Is told how many documents were done.
    RAISES (TermTableError): No such table.
    RAISES (CorpusError): Texts that cannot be read.
    RAISES (ConfigError): No document among them.
    """
    matchers = read_gaz(before), read_gaz(after)
    changes = TableChanges((len(matchers[0]), len(matchers[1])))
    tokenize = build_tokenizer(OURS)
    for record in counted(_read_texts(texts, input_format, changes), progress):
        doc = tokenize(record)
        old, new = (find_spans(matcher, doc) for matcher in matchers)
        changes.compare(record.text, old, new)
    if not changes.documents:
        raise ConfigError(f"{texts}: found no document, expected one at least")
    return changes


def _read_texts(path: Path, input_format: str, changes: TableChanges) -> Iterator[Record]:
    with tempfile.TemporaryDirectory(prefix="bioner-") as scratch:
        source = TextSource(path, InputSettings(format=input_format), Path(scratch))
        for item in source.read():
            if isinstance(item, Record):
                yield item
            else:
                changes.left_out += 1
