"""The text of a BioC document: passages and sentences at their offsets, spaces between them.

A passage stands at its offset in the document, a gap in front of it is filled with spaces, and so
the offsets of annotations are offsets in the text. A gap of more than a million characters is
refused. A passage may repeat text that stands at its offset already, and fill a gap.

Two repairs are made, and counted in `reading_notes["passage_offsets_repaired"]`. A passage whose
offset lies within another text goes one space behind all the text before it, and its annotations go
with it, unless more of them find their text there by the offsets that are given; so do sentences.

Some exporters (the one of BC5CDR) count a passage's offset in the XML as it is written, where an
apostrophe is `&apos;`, but the annotations' offsets in characters. A passage goes one space behind
the one before where both hold: its offset is too large by exactly what such escapes add to the text
before it; and more of its annotations find their text there than at the offset that is given.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from spacy_bioner.corpora.quality.surface_search import is_inside_word
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
class PassageLayout:
    """Where the passages of a document stand.

    text (str): The document's text.
    spans (Tuple[Tuple[int, int], ...]): The start and end of each passage.
    starts (Tuple[int, ...]): Offsets of the sentences of passages that have some.
    moved (int): How many passages and sentences do not stand at the offset that is given.
    shifts (Mapping[int, int]): How many characters the annotations of a passage or sentence go
        back, by the object's id; none where they do not.
    """

    text: str
    spans: Tuple[Tuple[int, int], ...]
    starts: Tuple[int, ...]
    moved: int
    shifts: Mapping[int, int] = field(default_factory=dict)


def lay_out(passages: Sequence[Any]) -> PassageLayout:
    """Put the passages of a document into one text.

    passages (Sequence[bioc.BioCPassage]): With offsets that are not negative.
    RAISES (CorpusError): A gap that is too wide; a sentence that is not where its passage has it.
    """
    text, moved = "", 0
    spans: List[Tuple[int, int]] = []
    starts: Set[int] = set()
    shifts: Dict[int, int] = {}
    for number, passage in enumerate(passages, start=1):
        name = f"passage {number}"
        within: List[Tuple[Any, int]] = []
        body = passage.text or ""
        if passage.sentences:
            body, within = _join_sentences(passage, name)
        offset = start = passage.offset
        if body and not within and _counts_escapes(passage, text):
            offset = start = len(text) + 1
            moved += 1
        if body:
            text, start = _put(text, body, offset, name)
        spans.append((start, start + len(body)))
        if start != offset and _count_fits(passage, offset) >= _count_fits(passage, start):
            shifts[id(passage)] = start - offset
        for sentence, place in within:
            starts.add(start + place)
            shifts[id(sentence)] = start + place - sentence.offset
        moved += start != offset or any(start + at != one.offset for one, at in within)
    # An empty passage behind the text stands one separator too far: at the end of the text.
    furthest = len(text)
    return PassageLayout(
        text=text,
        spans=tuple((min(start, furthest), min(end, furthest)) for start, end in spans),
        starts=tuple(sorted(starts)),
        moved=moved,
        shifts={key: shift for key, shift in shifts.items() if shift},
    )


def _join_sentences(passage: Any, name: str) -> Tuple[str, List[Tuple[Any, int]]]:
    """Return the text of a passage with sentences, and where these start in it."""
    base, body = passage.offset, ""
    places: List[Tuple[Any, int]] = []
    for number, sentence in enumerate(passage.sentences, start=1):
        place = f"sentence {number} of {name}"
        start = sentence.offset - base
        if start < 0:
            message = f"found {place} at offset {sentence.offset}, expected {base} or more"
            raise CorpusError(message)
        if passage.text:
            _check_sentence(sentence, start, passage.text, place)
        elif sentence.text:
            body, start = _put(body, sentence.text, start, place)
        else:
            continue
        places.append((sentence, start))
    return passage.text or body, places


def _check_sentence(sentence: Any, start: int, text: str, place: str) -> None:
    expected = sentence.text or ""
    if start >= len(text) or not text.startswith(expected, start):
        found = text[start : start + 20]
        message = (
            f"found {found!r} of the passage's text at the offset of {place}, expected "
            f"{expected[:20]!r}; correct the offset or leave out one of the texts"
        )
        raise CorpusError(message)


def _put(text: str, body: str, offset: int, name: str) -> Tuple[str, int]:
    """Add a text at its offset. RETURNS: All the text, and where the new one starts in it."""
    gap = offset - len(text)
    if gap > MAX_GAP:
        message = (
            f"found {name} at {gap} characters behind the one before, expected {MAX_GAP} at most; "
            "correct the offset"
        )
        raise CorpusError(message)
    if gap >= 0:
        return text + " " * gap + body, offset
    there = text[offset : offset + len(body)]
    if len(there) == len(body) and not there.strip(" "):
        return text[:offset] + body + text[offset + len(body) :], offset
    if _repeats(text, body, offset):
        return text + body[len(there) :], offset
    return f"{text} {body}", len(text) + 1


def _repeats(text: str, body: str, offset: int) -> bool:
    """Tell whether whole words of a text stand at an offset already, up to the end of what does."""
    there = text[offset : offset + len(body)]
    if not body.startswith(there):
        return False
    return not is_inside_word(text, offset) and not is_inside_word(body, len(there))


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
            count += start >= 0 and (passage.text or "").startswith(annotation.text, start)
    return count
