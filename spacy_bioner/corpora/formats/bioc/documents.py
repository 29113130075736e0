"""Records → BioC documents, from which `records` makes the same records again.

Each section is a passage, and so is text that belongs to none, except spaces between passages.
Sentences stand in their passage, annotations in the passage or sentence that holds them. Where a
record does not fit into that scheme, it is kept otherwise: sections that overlap and sentences
that cross passages in an infon of the document, mentions that cross passages or come in another
order as annotations of the document.
"""

import json
import re
from bisect import bisect_right
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Pattern, Sequence, Tuple

from spacy_bioner.corpora.formats.bioc.infons import (
    LABEL_KEY,
    SECTIONS_KEY,
    SENTENCES_KEY,
    write_infons,
)
from spacy_bioner.corpora.formats.bioc.passages import MAX_GAP
from spacy_bioner.corpora.formats.bioc.records import NAME_KEYS
from spacy_bioner.corpora.formats.capabilities import FEATURES, WORDS
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

CARRIES: FrozenSet[str] = frozenset(FEATURES) - {WORDS}
SURROGATE = re.compile("[\ud800-\udfff]")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PASSAGE_KEY = re.compile(r"passage([1-9]\d{0,8})\.(.*)", re.DOTALL)
# The name, start and end of a passage; text that belongs to no section has no name.
_Piece = Tuple[Optional[str], int, int]


def make_document(record: Record, path: PathLike, *, forbidden: Pattern[str]) -> Any:
    """Make a BioC document of a record.

    forbidden (Pattern[str]): Characters that the file cannot hold.
    RETURNS (bioc.BioCDocument): With the whole record but its own tokens.
    RAISES (CorpusError): Forbidden characters; a mention or section that ends before it starts.
    """
    from bioc import BioCDocument

    _check(record, path, forbidden)
    document = BioCDocument()
    document.id = record.id
    pieces = _find_pieces(record)
    if pieces is None:
        document.infons[SECTIONS_KEY] = json.dumps(record.sections, ensure_ascii=False)
        pieces = [(None, 0, len(record.text))] if record.text else []
    starts = _split_starts(record.sentence_starts, pieces)
    if starts is None:
        rows = [[start] for start in record.sentence_starts]
        document.infons[SENTENCES_KEY] = json.dumps(rows)
        starts = [[] for _ in pieces]
    infons = _split_meta(record, pieces, document.infons)
    for piece, offsets, own in zip(pieces, starts, infons):
        document.add_passage(_make_passage(record.text, piece, offsets, own))
    _add_annotations(document, record)
    return document


def _check(record: Record, path: PathLike, forbidden: Pattern[str]) -> None:
    for what, text in _iter_texts(record):
        match = forbidden.search(text)
        if match:
            message = (
                f"document {record.id!r}: found character U+{ord(match[0]):04X} at offset "
                f"{match.start()} of its {what}, which the format cannot hold; remove it first"
            )
            raise CorpusError(message, path=path)
    for mention in record.mentions:
        for start, end in mention.pieces:
            if not 0 <= start <= end:
                message = f"document {record.id!r}: found a mention from {start} to {end}"
                raise CorpusError(f"{message}, expected 0 ≤ start ≤ end", path=path)
    for name, start, end in record.sections:
        if not 0 <= start <= end <= len(record.text):
            message = f"document {record.id!r}: found section {name!r} from {start} to {end}"
            expected = f"expected offsets in order, up to {len(record.text)}"
            raise CorpusError(f"{message}, {expected}", path=path)


def _iter_texts(record: Record) -> Iterator[Tuple[str, str]]:
    yield "text", record.text
    yield "identifier", record.id
    for name, _, _ in record.sections:
        yield "section name", name
    for key, value in record.meta.items():
        yield "metadata", key
        yield f"metadata {key!r}", value
    for mention in record.mentions:
        yield "mention text", mention.text
        yield "label", mention.label
        for one in mention.concept_ids:
            yield "concept id", one
        for attribute in mention.attributes:
            for text in attribute:
                yield "attribute", text


def _find_pieces(record: Record) -> Optional[List[_Piece]]:
    """Return the passages of a record; None when its sections overlap or are not in order."""
    pieces: List[_Piece] = []
    text, position = record.text, 0
    for name, start, end in record.sections:
        if start < position:
            return None
        gap = text[position:start]
        is_filled = gap == " " * len(gap) and len(gap) <= MAX_GAP
        # Nothing is filled in before an empty passage: it may be the last one.
        if gap and (start == end or not is_filled):
            pieces.append((None, position, start))
        pieces.append((name, start, end))
        position = end
    if position < len(text):
        pieces.append((None, position, len(text)))
    return pieces


def _split_starts(starts: Sequence[int], pieces: Sequence[_Piece]) -> Optional[List[List[int]]]:
    """Return the sentences of each passage; None when one does not lie in a passage."""
    split = [[at for at in starts if start <= at < end] for _, start, end in pieces]
    if [at for offsets in split for at in offsets] != list(starts):
        return None
    if any(sorted(set(offsets)) != offsets for offsets in split):
        return None
    # The stretch in front of the first sentence would become one.
    if any(offsets and offsets[0] != piece[1] for offsets, piece in zip(split, pieces)):
        return None
    return split


def _split_meta(
    record: Record, pieces: Sequence[_Piece], infons: Dict[str, str]
) -> List[Dict[str, str]]:
    """Return the infons of each passage, its name among them; those of the document are added."""
    split: List[Dict[str, str]] = [{} for _ in pieces]
    for key, value in record.meta.items():
        match = _PASSAGE_KEY.fullmatch(key)
        number, name = (int(match[1]), match[2]) if match else (0, "")
        if 0 < number <= len(pieces) and name not in _reserved_names(pieces[number - 1]):
            split[number - 1][name] = value
        else:
            infons[key] = value
    for own, (section, _, _) in zip(split, pieces):
        if section is not None:
            own[NAME_KEYS[0] if NAME_KEYS[1] in own else NAME_KEYS[1]] = section
    return split


def _reserved_names(piece: _Piece) -> Tuple[str, ...]:
    return NAME_KEYS if piece[0] is None else NAME_KEYS[:1]


def _make_passage(text: str, piece: _Piece, starts: List[int], infons: Dict[str, str]) -> Any:
    from bioc import BioCPassage, BioCSentence

    _, start, end = piece
    passage = BioCPassage()
    passage.offset = start
    passage.infons = infons
    if not starts:
        passage.text = text[start:end]
        return passage
    for first, last in zip(starts, [*starts[1:], end]):
        passage.add_sentence(BioCSentence.of_text(text[first:last], first))
    return passage


def _add_annotations(document: Any, record: Record) -> None:
    hosts: List[Tuple[int, int, Any]] = []
    for passage in document.passages:
        for node in passage.sentences or [passage]:
            if node.text:
                hosts.append((node.offset, node.offset + len(node.text), node))
    chosen = [_find_host(mention, hosts) for mention in record.mentions]
    # Reading goes from passage to passage: mentions in another order would change theirs.
    is_ordered = all(index >= 0 for index in chosen) and chosen == sorted(chosen)
    for number, (mention, index) in enumerate(zip(record.mentions, chosen)):
        node = hosts[index][2] if is_ordered else document
        node.add_annotation(_make_annotation(mention, record, str(number)))


def _find_host(mention: Mention, hosts: Sequence[Tuple[int, int, Any]]) -> int:
    index = bisect_right(hosts, mention.start_char, key=lambda host: host[0]) - 1
    return index if index >= 0 and mention.end_char <= hosts[index][1] else -1


def _make_annotation(mention: Mention, record: Record, number: str) -> Any:
    from bioc import BioCAnnotation, BioCLocation

    annotation = BioCAnnotation()
    annotation.id = number
    annotation.text = mention.text or record.text[mention.start_char : mention.end_char]
    annotation.infons = {
        LABEL_KEY: mention.label,
        **write_infons(mention.concept_ids, mention.attributes),
    }
    for start, end in mention.pieces:
        annotation.add_location(BioCLocation(start, end - start))
    return annotation
