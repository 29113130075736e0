"""BioC documents, from XML or JSON → Records. What BioC leaves open is decided here:

- **Text** and offsets: see `passages`. **Concept ids, attributes**: see `infons`.
- **Sections** are the passages that have a name: the infon `section_type`, else `type`. Other
  infons of passages are in `meta` as `passageN.KEY`. Two passages without any name are title and
  abstract: BioRED's JSON has them so.
- **Labels** are the infon `type` of annotations.
- **Fragments**: the locations of an annotation, sorted; ones that touch or overlap are one.
- **Individual mentions**: BC5CDR repeats the members of a coordination ("renal and hepatic
  failure") as annotations with the infon `CompositeRole` = `IndividualMention`. PubTator has them
  in a column of the whole mention, so they are left out unless asked for;
  `reading_notes["individual_mentions_skipped"]` counts them.
- **Relations** are left out (`reading_notes["relations_skipped"]`), and so are annotations without
  a location, which index the document (`reading_notes["notes_skipped"]`).
- Infons of the document are `meta`.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy_bioner.corpora.formats.bioc.infons import (
    LABEL_KEY,
    SECTIONS_KEY,
    SENTENCES_KEY,
    Section,
    as_texts,
    read_infons,
    read_sections,
    read_starts,
)
from spacy_bioner.corpora.formats.bioc.passages import PassageLayout, lay_out
from spacy_bioner.corpora.formats.read_errors import (
    ANNOTATION,
    DOCUMENT,
    FILE,
    ReadErrors,
    skip_or_raise,
)
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.corpora.mention_checks import join_pieces, settle_claim
from spacy_bioner.errors import CorpusError
from spacy_bioner.extras import require
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

RELATIONS_KEY = "relations_skipped"
INDIVIDUAL_KEY = "individual_mentions_skipped"
UNPLACED_KEY = "notes_skipped"
REPAIRED_KEY = "passage_offsets_repaired"
NAME_KEYS = ("section_type", "type")
_ROLE, _INDIVIDUAL = "CompositeRole", "IndividualMention"


@dataclass(frozen=True)
class Decoded:
    """A document as the library decodes it, and what it does not keep.

    document (bioc.BioCDocument): Without relations.
    lines (Sequence[int]): The lines of its annotations, those of passages first; a
        single one stands for all.
    relations (int): How many relations it has.
    """

    document: Any
    lines: Sequence[int]
    relations: int = 0


Decode = Callable[[Any, Path, int, Optional[ReadErrors]], Decoded]


def require_bioc(path: PathLike) -> None:
    """Make sure that the library is there.

    RAISES (MissingExtraError): It is not installed.
    """
    require("bioc", extra="corpora", who="BioC", path=path)


def make_records(
    items: Iterable[Tuple[int, Any]],
    decode: Decode,
    path: Path,
    *,
    individual_mentions: bool,
    problems: Optional[ReadErrors],
) -> Iterator[Record]:
    """Turn the raw documents of a file into records.

    items (Iterable[Tuple[int, Any]]): Lines and raw documents.
    decode (Callable): Decodes one.
    RAISES (CorpusError): A malformed file, document or annotation; a file without any document.
    """
    stream = iter(items)
    found = 0
    while True:
        try:
            item = next(stream, None)
        except CorpusError as error:
            # Nothing was read: that is what the file has to say, even to a lenient reader.
            skip_or_raise(error, FILE, problems if found else None)
            return
        if item is None:
            break
        found += 1
        line, raw = item
        try:
            record = _to_record(
                decode(raw, path, line, problems), path, line, individual_mentions, problems
            )
        except CorpusError as error:
            skip_or_raise(_place(error, path, line), DOCUMENT, problems)
            continue
        yield record
    if not found:
        message = "found no document, expected a BioC collection with some"
        raise CorpusError(message, path=path, line=1)


def _iter_places(document: Any) -> Iterator[Tuple[Any, Any]]:
    """Yield each annotation with the object that has it: in passages first, then its own."""
    for passage in document.passages:
        for node in (*passage.sentences, passage):
            yield from ((node, annotation) for annotation in node.annotations)
    yield from ((document, annotation) for annotation in document.annotations)


def _place(error: CorpusError, path: Path, line: int) -> CorpusError:
    """Add a place to an error that has none: what no line is known of belongs to the document."""
    return error if error.line is not None else CorpusError(str(error), path=path, line=line)


def _to_record(
    decoded: Decoded,
    path: Path,
    line: int,
    individual_mentions: bool,
    problems: Optional[ReadErrors],
) -> Record:
    document = decoded.document
    layout = lay_out(document.passages)
    counts = Counter({RELATIONS_KEY: decoded.relations, REPAIRED_KEY: layout.moved})
    mentions: List[Mention] = []
    for index, (node, annotation) in enumerate(_iter_places(document)):
        infons = as_texts(annotation.infons)
        at = decoded.lines[index] if len(decoded.lines) > 1 else decoded.lines[0]
        if infons.get(_ROLE) == _INDIVIDUAL and not individual_mentions:
            counts[INDIVIDUAL_KEY] += 1
        elif not annotation.locations:
            counts[UNPLACED_KEY] += 1
        elif LABEL_KEY not in infons:
            message = f"found annotation {annotation.id!r} without infon `type`, expected a label"
            skip_or_raise(CorpusError(message, path=path, line=at), ANNOTATION, problems)
        else:
            shift = layout.shifts.get(id(node), 0)
            mentions.append(_to_mention(annotation, infons, at, layout.text, shift))
    sections, meta = _read_borders(document, layout)
    starts = meta.pop(SENTENCES_KEY, None)
    length = len(layout.text)
    return Record(
        id=document.id,
        text=layout.text,
        mentions=tuple(mentions),
        sections=sections,
        sentence_starts=layout.starts if starts is None else read_starts(starts, length),
        meta=meta,
        reading_notes=note_counts(counts),
    )


def _to_mention(
    annotation: Any, infons: Dict[str, str], line: int, text: str, shift: int
) -> Mention:
    places = [(place.offset + shift, place.end + shift) for place in annotation.locations]
    pieces = join_pieces(places)
    ids, attributes = read_infons(infons)
    mention = Mention(
        start_char=pieces[0][0],
        end_char=pieces[-1][1],
        label=infons[LABEL_KEY],
        text=annotation.text or "",
        concept_ids=ids,
        fragments=pieces if len(pieces) > 1 else (),
        line=line,
        attributes=attributes,
    )
    return settle_claim(mention, places, text)


def _read_borders(
    document: Any, layout: PassageLayout
) -> Tuple[Tuple[Section, ...], Dict[str, str]]:
    """Return the sections of a document, and its infons with those of passages."""
    meta = as_texts(document.infons)
    named = [set(NAME_KEYS) & set(passage.infons) for passage in document.passages]
    defaults = ("title", "abstract") if named == [set(), set()] else ()
    sections: List[Section] = []
    for index, (passage, span) in enumerate(zip(document.passages, layout.spans)):
        infons = as_texts(passage.infons)
        name = next((infons.pop(key) for key in NAME_KEYS if key in infons), None)
        if defaults:
            name = defaults[index]
        if name is not None:
            sections.append((name, *span))
        meta.update((f"passage{index + 1}.{key}", infons[key]) for key in infons)
    kept = meta.pop(SECTIONS_KEY, None)
    return tuple(sections) if kept is None else read_sections(kept, len(layout.text)), meta
