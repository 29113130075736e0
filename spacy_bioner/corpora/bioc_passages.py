"""The text of a BioC document: passages and sentences at their offsets, spaces between them.

A passage stands at its offset in the document, a gap in front of it is filled with spaces, and so
the offsets of annotations are offsets in the text. Passages that overlap are refused, and so is a
gap of more than a million characters.

One repair is made, and counted in `meta["passage_offsets_repaired"]`. Some exporters (the one of
BC5CDR) count a passage's offset in the XML as it is written, where an apostrophe is `&apos;`, but
the annotations' offsets in characters. A passage goes one space behind the one before where both
hold: its offset is too large by exactly what such escapes add to the text before it; and more of
its annotations find their text there than at the offset that is given.
"""

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Set, Tuple

from spacy_bioner.errors import CorpusError

MAX_GAP = 1_000_000
# What an escape adds to a character, by exporter: XML's five, HTML's numbers, fewer of them.
_ESCAPES: Tuple[Mapping[str, int], ...] = (
    {"&": 4, "<": 3, ">": 3, '"': 5, "'": 5},
    {"&": 4, "<": 3, ">": 3, '"': 5, "'": 4},
    {"&": 4, "<": 3, ">": 3, '"': 5},
    {"&": 4, "<": 3, ">": 3},
)


@dataclass(frozen=True)
class Layout:
    """Where the passages of a document stand.

    text (str): The document's text.
    spans (Tuple[Tuple[int, int], ...]): The start and end of each passage.
    starts (Tuple[int, ...]): Offsets of the sentences of passages that have some.
    moved (int): How many passages do not stand at the offset that is given.
    """

    text: str
    spans: Tuple[Tuple[int, int], ...]
    starts: Tuple[int, ...]
    moved: int


def lay_out(passages: Sequence[Any]) -> Layout:
    """Put the passages of a document into one text.

    passages (Sequence[bioc.BioCPassage]): With offsets that are not negative.
    RAISES (CorpusError): Overlapping passages or sentences, or a gap that is too wide.
    """
    text, moved = "", 0
    spans: List[Tuple[int, int]] = []
    starts: List[int] = []
    for number, passage in enumerate(passages, start=1):
        name = f"passage {number}"
        body, sentences = _join_sentences(passage, name) if passage.sentences else (None, [])
        if body is None:
            body = passage.text or ""
        offset = passage.offset
        if body and not sentences and _counts_escapes(passage, text):
            offset, moved = len(text) + 1, moved + 1
        if body:
            text = _pad(text, offset, name) + body
        spans.append((offset, offset + len(body)))
        starts.extend(sentences)
    # An empty passage behind the text stands one separator too far: at the end of the text.
    furthest = len(text)
    return Layout(
        text=text,
        spans=tuple((min(start, furthest), min(end, furthest)) for start, end in spans),
        starts=tuple(starts),
        moved=moved,
    )


def _join_sentences(passage: Any, name: str) -> Tuple[Optional[str], List[int]]:
    """Give the text of a passage with sentences, and where these start in the document."""
    base, body = passage.offset, ""
    starts: List[int] = []
    for number, sentence in enumerate(passage.sentences, start=1):
        place = f"sentence {number} of {name}"
        start = sentence.offset - base
        if start < 0:
            message = f"found {place} at offset {sentence.offset}, expected {base} or more"
            raise CorpusError(message)
        if passage.text:
            _check_sentence(sentence, start, passage.text, place)
        elif sentence.text:
            body = _pad(body, start, place) + sentence.text
        else:
            continue
        starts.append(sentence.offset)
    return passage.text or body, starts


def _check_sentence(sentence: Any, start: int, text: str, place: str) -> None:
    expected = sentence.text or ""
    if start >= len(text) or not text.startswith(expected, start):
        found = text[start : start + 20]
        message = (
            f"found {found!r} of the passage's text at the offset of {place}, expected "
            f"{expected[:20]!r}; correct the offset or leave out one of the texts"
        )
        raise CorpusError(message)


def _pad(text: str, offset: int, name: str) -> str:
    gap = offset - len(text)
    if gap < 0:
        message = (
            f"found {name} at {-gap} characters before the end of the one before, expected "
            "passages and sentences in their order without overlap; correct the offset"
        )
        raise CorpusError(message)
    if gap > MAX_GAP:
        message = (
            f"found {name} at {gap} characters behind the one before, expected {MAX_GAP} at most; "
            "correct the offset"
        )
        raise CorpusError(message)
    return text + " " * gap


def _counts_escapes(passage: Any, before: str) -> bool:
    """Tell whether the offset of a passage counts the escapes in the text before it."""
    surplus = passage.offset - len(before) - 1
    if surplus <= 0 or surplus not in _escape_surpluses(before):
        return False
    return _count_fits(passage, len(before) + 1) > _count_fits(passage, passage.offset)


def _escape_surpluses(text: str) -> Set[int]:
    return {
        sum(added * text.count(mark) for mark, added in escapes.items()) for escapes in _ESCAPES
    }


def _count_fits(passage: Any, offset: int) -> int:
    """Count annotations whose text stands at their offsets when the passage is at `offset`."""
    count = 0
    for annotation in passage.annotations:
        if len(annotation.locations) == 1 and annotation.text:
            start = annotation.locations[0].offset - offset
            count += start >= 0 and passage.text.startswith(annotation.text, start)
    return count
