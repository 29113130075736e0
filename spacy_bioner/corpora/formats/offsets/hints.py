"""Why does a mention not stand where its offsets say? Perhaps they are counted otherwise."""

from functools import partial
from operator import add
from typing import Callable, Iterator, Optional, Tuple

from spacy_bioner.corpora.formats.offsets.units import (
    BYTES,
    UTF_16,
    OffsetTable,
    move_mention,
)
from spacy_bioner.corpora.mention_checks import claim_fits, why_lost
from spacy_bioner.records import Mention, Record

Translate = Callable[[int], Optional[int]]


def explain_offsets(mention: Mention, record: Record) -> str:
    """Say how else the offsets of a mention may be counted; empty where no way makes it fit.

    Only a mention that claims its text shows it: in that way the text stands at the offsets.
    """
    if not mention.text or claim_fits(mention, record.text):
        return ""
    for title, translate in _list_ways(record):
        moved = move_mention(mention, translate)
        if moved and not why_lost(moved, record.text):
            return title
    return ""


def _list_ways(record: Record) -> Iterator[Tuple[str, Translate]]:
    text = record.text
    if not text.isascii():
        table = OffsetTable(text)
        yield "in bytes of UTF-8", partial(table.translate, unit=BYTES)
        yield "in UTF-16 code units", partial(table.translate, unit=UTF_16)
    for name, start, _ in record.sections:
        if start:
            yield f"from the start of its passage {name!r}", partial(add, start)
    for start in record.sentence_starts:
        if start:
            yield "from the start of its sentence", partial(add, start)
    yield "from 1", lambda at: at - 1
    if "\r\n" in text:
        yield "with CR LF as one character", lambda at: _from_joined(text, at)
    elif "\n" in text:
        yield "with line ends as CR LF", lambda at: _from_parted(text, at)


def _from_joined(text: str, at: int) -> Optional[int]:
    joined = text.replace("\r\n", "\n")
    return at + joined[:at].count("\n") if 0 <= at <= len(joined) else None


def _from_parted(text: str, at: int) -> Optional[int]:
    parted = text.replace("\n", "\r\n")
    return at - parted[:at].count("\n") if 0 <= at <= len(parted) else None
