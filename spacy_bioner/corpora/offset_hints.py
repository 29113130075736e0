"""Why does a mention not stand where its offsets say? Perhaps they are counted otherwise."""

from dataclasses import replace
from functools import partial
from operator import add
from typing import Callable, Iterator, Optional, Tuple

from spacy_bioner.corpora.claims import claim_fits, why_lost
from spacy_bioner.records import Mention, Record

Translate = Callable[[int], Optional[int]]


def explain_offsets(mention: Mention, record: Record) -> str:
    """Say how else the offsets of a mention may be counted; empty where no way makes it fit.

    Only a mention that claims its text shows it: in that way the text stands at the offsets.
    """
    if not mention.text or claim_fits(mention, record.text):
        return ""
    for title, translate in _list_ways(record):
        moved = _move(mention, translate)
        if moved and not why_lost(moved, record.text):
            return title
    return ""


def _list_ways(record: Record) -> Iterator[Tuple[str, Translate]]:
    text = record.text
    if not text.isascii():
        yield "in bytes of UTF-8", lambda at: _from_units(text, at, "utf-8", 1)
        yield "in UTF-16 code units", lambda at: _from_units(text, at, "utf-16-le", 2)
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


def _move(mention: Mention, translate: Translate) -> Optional[Mention]:
    pairs = [(mention.start_char, mention.end_char), *mention.fragments]
    moved = [(translate(start), translate(end)) for start, end in pairs]
    found = [(start, end) for start, end in moved if start is not None and end is not None]
    if len(found) != len(pairs):
        return None
    (start, end), *fragments = found
    return replace(mention, start_char=start, end_char=end, fragments=tuple(fragments))


def _from_units(text: str, at: int, encoding: str, width: int) -> Optional[int]:
    """Give the character at a number of units; None within a character and beyond the text."""
    units = text.encode(encoding, "surrogatepass")
    if not 0 <= at * width <= len(units):
        return None
    try:
        return len(units[: at * width].decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        return None


def _from_joined(text: str, at: int) -> Optional[int]:
    joined = text.replace("\r\n", "\n")
    return at + joined[:at].count("\n") if 0 <= at <= len(joined) else None


def _from_parted(text: str, at: int) -> Optional[int]:
    parted = text.replace("\n", "\r\n")
    return at - parted[:at].count("\n") if 0 <= at <= len(parted) else None
