"""Records → a file of any format, with an account of what the format has no place for."""

from collections import Counter
from typing import Any, Iterable, Iterator, Optional

from spacy.tokens import Doc

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.formats.registry import Format, format_of_target
from spacy_bioner.corpora.tokenizers import TokenizerChoice
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Record

UNUSABLE = "mentions that do not fit the text"


def write_records(
    records: Iterable[Record],
    path: PathLike,
    format: Optional[str] = None,
    *,
    losses: Optional["Counter[str]"] = None,
    **options: Any,
) -> int:
    """Write records in any format; one made of tokens gets the corpus' own, else this package's.

    losses (Optional[Counter[str]]): Is told what the format has no place for.
    RETURNS (int): The number of documents.
    """
    chosen = format_of_target(path, format)
    counted: Counter[str] = Counter() if losses is None else losses
    if chosen.takes_docs:
        return chosen.write(_make_docs(records, chosen, counted), path, **options)
    return chosen.write(_count_losses(records, chosen, counted), path, **options)


def _make_docs(records: Iterable[Record], written: Format, losses: "Counter[str]") -> Iterator[Doc]:
    tokenize = TokenizerChoice()
    for record in records:
        alignment = align(record, lambda _, r=record: tokenize(r))  # type: ignore[misc]
        losses.update(written.find_losses(record, alignment.doc))
        losses.update(+Counter({UNUSABLE: sum(m.outcome == "lost" for m in alignment.mentions)}))
        yield alignment.doc


def _count_losses(
    records: Iterable[Record], written: Format, losses: "Counter[str]"
) -> Iterator[Record]:
    for record in records:
        losses.update(written.find_losses(record))
        yield record
