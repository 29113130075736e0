"""Any supported file → Records, and back.

Formats are told by content; labels are renamed and documents chosen while a corpus is read.
"""

import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, FrozenSet, Iterable, Iterator, Mapping, Optional, Set

from spacy.tokens import Doc

from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.detection.folders import count_others, list_corpus_files
from spacy_bioner.corpora.formats.read_errors import FILE, ReadErrors, skip_or_raise
from spacy_bioner.corpora.formats.reading_notes import (
    OTHERS_KEY,
    OVERRULED_KEY,
    ReadingNotes,
    add_note,
)
from spacy_bioner.corpora.formats.registry import find_format, format_of_target
from spacy_bioner.corpora.formats.tagged.conll import FORMAT as CONLL
from spacy_bioner.corpora.formats.tagged.conll import ConllLayout
from spacy_bioner.corpora.labels import rename_labels
from spacy_bioner.corpora.mention_checks import TEXT_DIFFERS, why_lost
from spacy_bioner.corpora.tokenizers import TokenizerChoice
from spacy_bioner.errors import CorpusError, CorpusWarning
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Record

OFFSETS = "offsets"
UNUSABLE = "mentions that do not fit the text"


@dataclass(frozen=True)
class Selection:
    """Which documents of a file to take, in its order.

    skip (int): Leave out that many from the start.
    first (Optional[int]): Then take at most that many; None takes all.
    ids (FrozenSet[str]): Of those, take the ones with these identifiers; empty takes all.
    """

    skip: int = 0
    first: Optional[int] = None
    ids: FrozenSet[str] = field(default_factory=frozenset)


_ALL = Selection()


def read_records(
    path: PathLike,
    format: Optional[str] = None,
    *,
    label_map: Optional[Mapping[str, str]] = None,
    selection: Selection = _ALL,
    layout: Optional[ConllLayout] = None,
    problems: Optional[ReadErrors] = None,
    notes: Optional[ReadingNotes] = None,
    trust: str = "",
    options: Optional[Mapping[str, Any]] = None,
) -> Iterator[Record]:
    """Stream the documents of a corpus.

    path (Union[str, Path]): A file, or a folder: of pairs, or of files in one format. Files of
        other formats are counted in `reading_notes["files_of_other_formats_skipped"]`.
    format (Optional[str]): A name in `corpora.FORMATS`; None or "auto" looks into the file.
    label_map (Optional[Mapping[str, str]]): New names of labels; others stay as they are.
    layout (Optional[ConllLayout]): The columns of a CoNLL file.
    problems (Optional[ReadErrors]): Takes note of what cannot be read, which is then left out.
    notes (Optional[ReadingNotes]): Takes the reader's notes. Without it, warnings are issued at the
        end as `CorpusWarning`.
    trust (str): "offsets" takes mentions where they stand whose text is claimed to be another, and
        counts them in `reading_notes["claimed_texts_overruled"]`.
    options (Optional[Mapping[str, Any]]): Further settings of the format's reader.
    RAISES (CorpusError): A file that cannot be read as the format; a selection that takes nothing,
        or names an identifier that is not there.
    """
    name = detect_format(path) if format in (None, "auto") else str(format)
    chosen = find_format(name)
    given = dict(options or {})
    if layout is not None and chosen.name == CONLL.name:
        given["layout"] = layout
    if trust not in ("", OFFSETS):
        raise CorpusError(f"found trust in {trust!r}, expected {OFFSETS}", path=path)
    found = _name_cause(_read_path(path, chosen, problems, given), path, problems)
    records = _take_notes(found, notes)
    records = trust_offsets(records) if trust else records
    records = select_records(records, selection, path=path)
    return rename_labels(records, label_map) if label_map else records


def read_corpus(
    path: PathLike,
    format: Optional[str] = None,
    *,
    label_map: Optional[Mapping[str, str]] = None,
    selection: Selection = _ALL,
    lenient: bool = False,
    trust: str = "",
    **options: Any,
) -> Iterator[Record]:
    """Stream the documents of a corpus in any format, with all their mentions.

    path (Union[str, Path]): A file, or a folder: of pairs, or of files in one format.
    format (Optional[str]): A name in `spacy_bioner.corpora.FORMATS`; None looks into the file.
    label_map (Optional[Mapping[str, str]]): New names of labels; others stay as they are.
    selection (Selection): Which documents to take; all of them without it.
    lenient (bool): Leave out what cannot be read, and say so in a warning at the end, instead of
        stopping at the first.
    trust (str): "offsets" takes mentions where they stand, whatever text they claim.
    options (Any): Settings of the format's reader, such as `offsets="utf-16"`; see
        `Format.options`.
    YIELDS (Record): The documents in the corpus' order. Only one at a time is in memory, where the
        format allows it.
    RAISES (CorpusError): A file that cannot be read as the format, with file and line; a setting
        that the format does not have; a selection that takes nothing.
    """
    problems = ReadErrors() if lenient else None
    records = read_records(
        path,
        format,
        label_map=label_map,
        selection=selection,
        problems=problems,
        trust=trust,
        options=options,
    )
    return records if problems is None else _warn_of_problems(records, problems, path)


def _warn_of_problems(
    records: Iterable[Record], problems: ReadErrors, path: PathLike
) -> Iterator[Record]:
    yield from records
    if problems.skipped:
        number, first = sum(problems.skipped.values()), problems.messages[0]
        message = f"{path}: left out {number:,} that cannot be read; first: {first}"
        warnings.warn(message, CorpusWarning, stacklevel=2)


def trust_offsets(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records without the claims of mentions that another text is at their offsets."""
    for record in records:
        overruled = [why_lost(mention, record.text) == TEXT_DIFFERS for mention in record.mentions]
        if any(overruled):
            mentions = tuple(
                replace(mention, text="") if differs else mention
                for mention, differs in zip(record.mentions, overruled, strict=True)
            )
            record = add_note(replace(record, mentions=mentions), OVERRULED_KEY, sum(overruled))
        yield record


def _read_path(
    path: PathLike, chosen: Format, problems: Optional[ReadErrors], options: Mapping[str, Any]
) -> Iterator[Record]:
    """Stream the documents of a file, of a folder where the format is one, or of all its files."""
    if chosen.reads_folders or not Path(path).is_dir():
        return chosen.read(path, problems=problems, read_corpus=read_records, **options)
    return _read_files(Path(path), chosen, problems, options)


def _read_files(
    folder: Path, chosen: Format, problems: Optional[ReadErrors], options: Mapping[str, Any]
) -> Iterator[Record]:
    files = list_corpus_files(folder, chosen.name, detect_format)
    others = count_others(folder, files)
    seen: Set[str] = set()
    for file in files:
        names: Set[str] = set()
        try:
            for record in chosen.read(file, problems=problems, read_corpus=read_records, **options):
                names.add(record.id)
                # Documents without an id of their own are numbered in each file.
                name = f"{file.stem}-{record.id}" if record.id in seen else record.id
                yield add_note(replace(record, id=name), OTHERS_KEY, others)
                others = 0
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
        seen |= names


def _name_cause(
    records: Iterable[Record], path: PathLike, problems: Optional[ReadErrors]
) -> Iterator[Record]:
    """Pass records on; where a lenient reading leaves out all of them, say why."""
    before = problems.count_documents() if problems else 0
    place = len(problems.messages) if problems else 0
    found = False
    try:
        for record in records:
            found = True
            yield record
    except CorpusError as error:
        if found or not problems or problems.count_documents() == before:
            raise
        raise _all_left_out(problems, before, place, path) from error
    if not found and problems and problems.count_documents() > before:
        raise _all_left_out(problems, before, place, path)


def _all_left_out(problems: ReadErrors, before: int, place: int, path: PathLike) -> CorpusError:
    number = problems.count_documents() - before
    first = next(iter(problems.messages[place:]), "see the problems before")
    what = f"all {number:,} documents were" if number > 1 else "the only document was"
    return CorpusError(f"{what} left out; first: {first}", path=path)


def _take_notes(records: Iterable[Record], notes: Optional[ReadingNotes]) -> Iterator[Record]:
    taken = ReadingNotes() if notes is None else notes
    for record in records:
        taken.add(record)
        yield record
    for message in taken.list_warnings() if notes is None else ():
        warnings.warn(message, CorpusWarning, stacklevel=2)


def select_records(
    records: Iterable[Record], selection: Selection, *, path: Optional[PathLike] = None
) -> Iterator[Record]:
    """Yield the selected records.

    RAISES (CorpusError): At the end, when nothing was taken or an identifier never came.
    """
    stop = None if selection.first is None else selection.skip + selection.first
    missing = set(selection.ids)
    taken = 0
    for record in islice(records, selection.skip, stop):
        if selection.ids and record.id not in selection.ids:
            continue
        missing.discard(record.id)
        taken += 1
        yield record
    place = None if path is None else Path(path)
    if missing:
        message = f"found no document {', '.join(sorted(missing)[:5])} in the chosen part"
        raise CorpusError(message, path=place)
    if not taken:
        message = f"found no document to take (skip {selection.skip}, first {selection.first})"
        raise CorpusError(message, path=place)


def write_corpus(
    records: Iterable[Record], path: PathLike, format: Optional[str] = None, **options: Any
) -> int:
    """Write documents in a format; the file or folder appears only when it is whole.

    A format that is made of tokens gets the corpus' own where it has them, else this package's.
    What the format has no place for is left out, and a `CorpusWarning` counts it at the end.

    records (Iterable[Record]): The documents; they are taken one after the other.
    path (Union[str, Path]): A file, or a folder for formats of many files.
    format (Optional[str]): A name in `spacy_bioner.corpora.FORMATS`; None goes by the path's
        ending, where none means a folder of DocBins.
    options (Any): Settings of the format's writer, such as `scheme="BIOES"`.
    RETURNS (int): The number of documents.
    RAISES (CorpusError): A format that is unknown or can only be read, or an ending that tells
        none; a document that the format cannot hold.
    """
    losses: Counter[str] = Counter()
    documents = write_records(records, path, format, losses=losses, **options)
    if losses:
        counts = ", ".join(f"{feature} {number:,}" for feature, number in sorted(losses.items()))
        message = f"{path}: the format has no place for {counts}"
        warnings.warn(message, CorpusWarning, stacklevel=2)
    return documents


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
