"""A corpus in any format → any other, with an account of every gold mention."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

from spacy.tokens import Doc

from spacy_bioner.apps.corpora.cleaning import Step, map_labels
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.conversion import Conversion, audit_path, digest_output
from spacy_bioner.corpora.docbin import SHARD, list_docbins
from spacy_bioner.corpora.formats.capabilities import (
    DUPLICATES,
    FRAGMENTS,
    LINE_BREAKS,
)
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.detection.folders import list_corpus_files
from spacy_bioner.corpora.formats.offsets.hints import explain_offsets
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.reading_notes import STRAY_NAMES_KEY, ReadingNotes, list_counts
from spacy_bioner.corpora.formats.registry import FORMATS, find_format, format_of_target
from spacy_bioner.corpora.formats.tagged.conll import ConllLayout
from spacy_bioner.corpora.formats.truncation import MAY_BE_CUT, ends_within_line
from spacy_bioner.corpora.labels import LabelMap
from spacy_bioner.corpora.mention_checks import TEXT_DIFFERS, account_unaligned, why_lost
from spacy_bioner.corpora.read_write import Selection, read_records
from spacy_bioner.corpora.tokenizers import TokenizerChoice
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.outputs import claiming, leads_to_stream, refuse_folder_as_file
from spacy_bioner.files.same_files import check_apart, is_same
from spacy_bioner.records import Mention, Record

SHOWN_DOCUMENTS = 5
WITHOUT_ANNOTATIONS = (
    "texts without annotations were left out: {}; a document without mentions needs an empty "
    "annotation file"
)
Progress = Callable[[int], None]


def convert(
    source: PathLike,
    target: PathLike,
    *,
    from_format: str = "auto",
    to_format: Optional[str] = None,
    tokenizer: Optional[str] = None,
    label_map: Union[LabelMap, Mapping[str, str], None] = None,
    may_lack_labels: bool = False,
    steps: Sequence[Step] = (),
    selection: Optional[Selection] = None,
    layout: Optional[ConllLayout] = None,
    options: Optional[Mapping[str, Any]] = None,
    to_scheme: str = "IOB2",
    lenient: bool = False,
    trust: str = "",
    report: Optional[PathLike] = None,
    progress: Progress = lambda documents: None,
) -> Conversion:
    """Convert one corpus; each output appears only when it is whole.

    source (Union[str, Path]): The corpus, a file or folder.
    target (Union[str, Path]): What to write, a file or folder.
    from_format (str): A name in `spacy_bioner.corpora.FORMATS`, or "auto".
    to_format (Optional[str]): Such a name; None goes by the target's name, where one without an
        ending means a folder of DocBins.
    tokenizer (Optional[str]): A name in `corpora.tokenizers.TITLES`, for targets that have tokens.
        None: the corpus' own tokens for targets that are nothing but words (CoNLL, tables), where
        the source has them and they make up its text; else this package's.
    label_map (Union[LabelMap, Mapping[str, str], None]): New names of labels; labels that a plain
        mapping does not name stay as they are.
    may_lack_labels (bool): Note labels of the map that no mention has, instead of refusing them.
    steps (Sequence[Step]): Further cleaning (see `apps.corpora.cleaning`), in this order.
    selection (Optional[Selection]): Which documents to take; None takes all.
    layout (Optional[ConllLayout]): The columns of a CoNLL file.
    options (Optional[Mapping[str, Any]]): Further settings of the source format's reader.
    to_scheme (str): The tag scheme of a target with tags.
    lenient (bool): Leave out what cannot be read and mentions that do not fit their text, and
        count them, instead of stopping at the first.
    trust (str): "offsets" takes mentions where they stand, though another text is claimed for
        them, and counts these.
    report (Optional[PathLike]): Where to write the account as JSON. Without it the account of a
        DocBin is written beside it.
    progress (Callable[[int], None]): Is told the number of documents after each.
    RETURNS (Conversion): The account: what became of every mention, what was lost, and warnings.
    RAISES (CorpusError): A file, format or tokenizer that cannot be used as asked.
    RAISES (LabelError): A label map with labels that the corpus does not have.
    """
    target = Path(target)
    written = format_of_target(target, to_format)
    if report is None and written.holds_docs and not leads_to_stream(target):
        report = audit_path(target)
    outputs = [target] if report is None else [target, Path(report)]
    if report is not None and (is_same(report, source) or is_same(report, target)):
        message = "found the same path for the account and the corpus, expected another"
        raise CorpusError(message, path=report)
    check_apart(outputs, [source], replaced=[target])
    if report is not None:
        refuse_folder_as_file(Path(report))
    problems = ReadErrors() if lenient else None
    name = detect_format(source) if from_format in (None, "auto") else from_format
    read = find_format(name)
    conversion = Conversion(str(source), str(target), read.name, written.name)
    if read.line_based and _may_be_cut(source, read.name):
        conversion.warnings.append(MAY_BE_CUT)
    notes = ReadingNotes()
    records = read_records(
        source,
        name,
        selection=selection or Selection(),
        layout=layout,
        problems=problems,
        notes=notes,
        trust=trust,
        options=options,
    )
    records = _observe(records, conversion, progress)
    hints: Dict[str, List[str]] = {}
    records = _note_hints(records, hints) if lenient else _refuse_unusable(records, source)
    if label_map:
        names = label_map if isinstance(label_map, LabelMap) else LabelMap("", label_map)
        steps = [map_labels(names, may_lack=may_lack_labels), *steps]
    for step in steps:
        records = step(records, conversion)
    with claiming(*outputs):
        conversion.documents = _write(records, written, conversion, tokenizer, to_scheme)
        conversion.count = conversion.log.count()
        conversion.warnings += notes.list_warnings()
        conversion.warnings.extend((*_warn_of(conversion), *_describe_hints(hints)))
        conversion.skipped = problems.to_json() if problems and problems.skipped else {}
        conversion.sha256 = digest_output(target)
        if report is not None:
            conversion.write(report)
    return conversion


def _may_be_cut(source: PathLike, format: str) -> bool:
    folder = Path(source)
    files = list_corpus_files(folder, format, detect_format) if folder.is_dir() else [folder]
    return any(map(ends_within_line, files))


def _observe(
    records: Iterable[Record], conversion: Conversion, progress: Progress
) -> Iterator[Record]:
    for number, record in enumerate(records, start=1):
        conversion.counters.update(list_counts(record))
        if STRAY_NAMES_KEY in record.reading_notes:
            names = record.reading_notes[STRAY_NAMES_KEY]
            conversion.warnings.append(WITHOUT_ANNOTATIONS.format(names))
        conversion.labels_read.update(mention.label for mention in record.mentions)
        yield record
        progress(number)


def _warn_of(conversion: Conversion) -> Iterator[str]:
    """Say what of a folder was read where that may not be meant."""
    if FORMATS[conversion.source_format].holds_docs and Path(conversion.source).is_dir():
        names = [path.name for path in list_docbins(conversion.source)]
        if len(names) > 1 and not all(map(SHARD.fullmatch, names)):
            yield f"all .spacy files of the folder were read as one corpus: {', '.join(names[:10])}"


def _refuse_unusable(records: Iterable[Record], source: PathLike) -> Iterator[Record]:
    for record in records:
        for mention in record.mentions:
            reason = why_lost(mention, record.text)
            if reason:
                raise _describe(mention, reason, record, source)
        yield record


def _note_hints(records: Iterable[Record], hints: Dict[str, List[str]]) -> Iterator[Record]:
    """Take note, by what would make mentions fit, of the documents that have such mentions."""
    for record in records:
        for mention in record.mentions:
            hint = explain_offsets(mention, record)
            # For passages: whatever the passage is called.
            documents = hints.setdefault(hint.partition(" '")[0], []) if hint else [record.id]
            if record.id not in documents[-1:]:
                documents.append(record.id)
        yield record


def _describe_hints(hints: Dict[str, List[str]]) -> Iterator[str]:
    for hint, documents in hints.items():
        named = ", ".join(documents[:SHOWN_DOCUMENTS])
        more = len(documents) - SHOWN_DOCUMENTS
        what = "document with the id" if len(documents) == 1 else "documents with the ids"
        yield (
            "mentions that do not fit would if their offsets were counted "
            f"{hint.replace(' its ', ' their ')} "
            f"({what} {named}{f' and {more:,} more' if more > 0 else ''}); count them in "
            "characters from the start of the document"
        )


def _describe(mention: Mention, reason: str, record: Record, source: PathLike) -> CorpusError:
    start, end = mention.start_char, mention.end_char
    place = f"{start}-{end} of document {record.id} ({len(record.text)} characters long)"
    found = f"found {mention.label!r} at {place}: {reason}"
    expected = "expected a label" if not mention.label else "expected offsets within the text"
    if reason == TEXT_DIFFERS:
        found = f"found {record.text[start:end]!r} at {place}"
        expected = f"expected {mention.text!r} as its annotation says"
    hint = explain_offsets(mention, record)
    if hint:
        expected += f"; it would fit if its offsets were counted {hint}"
    ways = ["correct it", "leave such mentions out with --lenient"]
    if reason == TEXT_DIFFERS and not hint:
        ways.insert(1, "take its offsets as they are with --trust offsets")
    message = f"{found}, {expected}; {', '.join(ways[:-1])}, or {ways[-1]}"
    return CorpusError(message, path=source, line=mention.line)


def _write(
    records: Iterable[Record],
    written: Format,
    conversion: Conversion,
    tokenizer: Optional[str],
    to_scheme: str,
) -> int:
    target = conversion.target
    if not written.takes_docs:
        return written.write(_account(records, written, conversion), target)
    # A format that holds the text is for training, which goes by this package's tokens.
    choice = TokenizerChoice(tokenizer, keeps_words=LINE_BREAKS not in written.carried)
    docs = _align_all(records, choice, written, conversion)
    settings = {"scheme": to_scheme} if "scheme" in written.writer_options else {}
    documents = written.write(docs, target, **settings)
    conversion.tokenizer = choice.describe()
    return documents


def _align_all(
    records: Iterable[Record], tokenize: TokenizerChoice, written: Format, conversion: Conversion
) -> Iterator[Doc]:
    for record in records:
        doc = tokenize(record)
        alignment = align(record, lambda _, doc=doc: doc, check_text=False)  # type: ignore[misc]
        conversion.log.add(record, alignment.mentions, alignment.doc)
        conversion.losses.update(written.find_losses(record, doc))
        conversion.entities += len(alignment.doc.ents)
        yield alignment.doc


def _account(
    records: Iterable[Record], written: Format, conversion: Conversion
) -> Iterator[Record]:
    carried = written.carried
    for record in records:
        items = account_unaligned(
            record,
            keeps_fragments=FRAGMENTS in carried,
            keeps_duplicates=DUPLICATES in carried,
        )
        conversion.log.add(record, items)
        kept: List[Mention] = [item.mention for item in items if item.outcome != "lost"]
        usable = record if len(kept) == len(record.mentions) else replace_mentions(record, kept)
        conversion.losses.update(written.find_losses(usable))
        yield usable


def replace_mentions(record: Record, mentions: Sequence[Mention]) -> Record:
    """Return a record with other mentions."""
    return Record(**{**vars(record), "mentions": tuple(mentions)})
