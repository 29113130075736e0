"""What must hold for every file: read rightly, or refused with one clear error."""

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from _fuzzing import Problem, TooSlow, time_limit
from spacy.tokens import Doc

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.formats.capabilities import FEATURES, reduce_record
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.corpora.mention_checks import why_lost
from spacy_bioner.corpora.read_write import read_records, write_records
from spacy_bioner.corpora.tokenizers import TokenizeRecord, build_tokenizer
from spacy_bioner.errors import BionerError, CorpusError
from spacy_bioner.records import Record

SECONDS = 20.0
AUTO, CONVERT = "auto", "convert"
WRITABLE = sorted(name for name, item in FORMATS.items() if item.writer)


@dataclass(frozen=True)
class Case:
    """A file, or a folder of files, that claims to be of a format.

    format (str): Its name; "auto" for a file of which it is not known.
    files (Dict[str, bytes]): Content by name; one file unless the format is one of folders.
    is_folder (bool): It is read as a folder.
    intact (bool): Nothing was damaged.
    """

    format: str
    files: Dict[str, bytes]
    is_folder: bool = False
    intact: bool = False

    def save(self, folder: Path) -> Path:
        """Write the files; gives the path to read."""
        shutil.rmtree(folder, ignore_errors=True)
        root = folder / "corpus" if self.is_folder else folder
        for name, data in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return root if self.is_folder else root / next(iter(self.files))


@dataclass
class Outcome:
    """What came of reading: the records before the error, if there is one.

    problems (List[Problem]): Anything but records and a package's error.
    """

    records: List[Record] = field(default_factory=list)
    error: Optional[CorpusError] = None
    problems: List[Problem] = field(default_factory=list)
    skipped: "Counter[str]" = field(default_factory=Counter)


@dataclass(frozen=True)
class Plan:
    """What to do with what was read.

    targets (Sequence[str]): Formats to write.
    convert (bool): Run a conversion as a whole, too.
    """

    targets: Sequence[str] = ()
    convert: bool = False

    def only(self, check: str) -> "Plan":
        """Leave out what cannot give this problem."""
        targets = [name for name in self.targets if check.startswith(_way_to(name))]
        return Plan(targets, self.convert and check.startswith(CONVERT))


def draw_plan(case: Case, source: random.Random) -> Plan:
    """Choose what to do: with a damaged case not everything."""
    if case.intact:
        return Plan(WRITABLE, True)
    return Plan(source.sample(WRITABLE, 2), source.random() < 0.3)


def examine(case: Case, folder: Path, plan: Plan) -> List[Problem]:
    """Read a case in all ways and write what was read; gives what broke."""
    path = case.save(folder / "in")
    strict = read(path, case.format)
    lenient = read(path, case.format, lenient=True)
    found = [*strict.problems, *lenient.problems]
    found += _check_leniency(strict, lenient)
    found += _check_detection(case, path, strict)
    for record in lenient.records or strict.records:
        found += check_record(record)
    if found:
        return found
    for target in plan.targets:
        found += check_written(lenient.records or strict.records, target, folder / "out")
    if plan.convert:
        found += _check_conversion(case, path, strict, folder / "converted.spacy")
    return found


def read(path: Path, format: str, *, lenient: bool = False) -> Outcome:
    """Read a path to its end or its first error."""
    outcome, problems = Outcome(), ReadErrors() if lenient else None
    way = f"{'lenient' if lenient else 'strict'} {format}"
    try:
        with time_limit(SECONDS):
            for record in read_records(path, format, problems=problems):
                outcome.records.append(record)
    except CorpusError as error:
        outcome.error = error
        # The table of a corpus may be whole, and a text beside it not.
        if not str(error).startswith((str(path), str(path.parent))):
            outcome.problems.append(Problem(f"{way}: error without file", str(error)[:300]))
        if len(str(error)) > 2_000:
            length = f"{len(str(error)):,} characters: {str(error)[:200]}"
            outcome.problems.append(Problem(f"{way}: error too long", length))
    except (Exception, TooSlow) as error:
        outcome.problems.append(_raised(way, error))
    if problems is not None:
        outcome.skipped = problems.skipped
    return outcome


def check_record(record: Record) -> List[Problem]:
    """Find what is wrong with a record, however it was read."""
    length = len(record.text)
    parts = [(start, end) for _, start, end in record.sections]
    found = [
        Problem(name, f"{pair} in a text of {length} characters")
        for name, pairs in (("section", parts), ("word", record.words))
        for pair in pairs
        if not 0 <= pair[0] <= pair[1] <= length
    ]
    if any(not 0 <= start <= length for start in record.sentence_starts):
        found.append(Problem("sentence start", f"{record.sentence_starts} in {length} characters"))
    texts = [record.id, record.text, *record.meta, *record.meta.values()]
    for mention in record.mentions:
        texts += [mention.label, mention.text, *mention.concept_ids]
        if not why_lost(mention, record.text) and not mention.start_char < mention.end_char:
            found.append(Problem("mention", f"{mention} is usable and has no length"))
    if not all(isinstance(text, str) for text in texts):
        return [*found, Problem("type", f"found something that is no text in {record!r}"[:500])]
    if any("\ud800" <= char <= "\udfff" for text in texts for char in text):
        found.append(Problem("half a character", ascii(record)[:500]))
        return found
    return [*found, *_check_alignment(record)]


def _check_alignment(record: Record) -> Iterator[Problem]:
    try:
        with time_limit(SECONDS):
            alignment = align(record, lambda _: _tokenize(record))
    except (Exception, TooSlow) as error:
        yield _raised("align", error)
        return
    if alignment.count.total != len(record.mentions):
        yield Problem("account", f"{alignment.count.total} of {len(record.mentions)} mentions")
    if alignment.doc.text != record.text:
        yield Problem("account", "the Doc has another text")


def _check_leniency(strict: Outcome, lenient: Outcome) -> Iterator[Problem]:
    if strict.problems or lenient.problems:
        return
    if strict.error is None:
        if lenient.error is not None or lenient.records != strict.records or lenient.skipped:
            found = lenient.error or f"{len(lenient.records)} documents, left out {lenient.skipped}"
            yield Problem("lenient differs", f"{found}; strict: {len(strict.records)} documents")
    elif len(lenient.records) < len(strict.records):
        counts = f"{len(lenient.records)} documents, strict {len(strict.records)}"
        yield Problem("lenient has fewer", f"{counts} and then {strict.error}"[:400])
    elif lenient.error is None and not lenient.skipped:
        yield Problem("lenient in silence", f"nothing counted where strict says {strict.error}")


def _check_detection(case: Case, path: Path, strict: Outcome) -> Iterator[Problem]:
    try:
        with time_limit(SECONDS):
            name = detect_format(path)
    except CorpusError as error:
        if case.intact and case.format != AUTO:
            yield Problem(f"detection of {case.format}: none", str(error)[:300])
        elif not str(error).startswith(str(path)):
            yield Problem("detection: error without file", str(error)[:300])
        return
    except (Exception, TooSlow) as error:
        yield _raised("detection", error)
        return
    if name not in FORMATS:
        yield Problem("detection", f"{name!r} is no format")
    elif case.intact and case.format not in (AUTO, name):
        yield Problem(f"detection of {case.format}: {name}", "another format")
    elif case.format not in (AUTO, name):
        # Damaged, it may look like another format: it has to be read or refused as that.
        yield from read(path, name).problems
        yield from read(path, name, lenient=True).problems


def check_written(records: Sequence[Record], target: str, folder: Path) -> List[Problem]:
    """Write records, read them again and compare what the format carries."""
    if not records:
        return []
    written = FORMATS[target]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / ("out" if written.is_folder else f"out{(*written.endings, '.json')[0]}")
    usable = [_usable(record) for record in records]
    way = _way_to(target)
    try:
        with time_limit(SECONDS):
            write_records(usable, path, target)
    except CorpusError as error:
        if not str(error).startswith(str(path)) and "document" not in str(error):
            return [Problem(f"{way} error without place", str(error)[:300])]
        left = [item.name for item in folder.rglob("*")]
        return [Problem(f"{way} left behind", f"{left}")] if left else []
    except (Exception, TooSlow) as error:
        return [_raised(way, error)]
    if written.is_folder:
        # Read in the order of the files' names.
        usable.sort(key=lambda record: record.id)
    back = read(path, target)
    back.records.sort(key=lambda record: record.id if written.is_folder else "")
    if back.problems:
        return [Problem(f"{way} read again, {p.check}", p.detail) for p in back.problems]
    if back.error is not None:
        return [Problem(f"{way} read again, refused", str(back.error)[:300])]
    return list(_compare_written(usable, back.records, written, way))


def _compare_written(
    records: Sequence[Record], back: Sequence[Record], written: Format, way: str
) -> Iterator[Problem]:
    if len(back) != len(records):
        yield Problem(f"{way} documents", f"{len(back)} of {len(records)} came back")
        return
    if written.takes_docs and not written.holds_docs:
        for record, other in zip(records, back):
            if "".join(record.text.split()) != "".join(other.text.split()):
                yield Problem(f"{way} text", f"{other.text!r} from {record.text!r}"[:600])
        return
    kept = set(FEATURES) - written.derives
    carried = written.carried - written.derives
    for record, other in zip(records, back):
        if set(written.find_losses(record)) - set(FEATURES):
            # The format widens or renames something, and counts it.
            continue
        left, right = reduce_record(record, carried), reduce_record(other, kept)
        for name in ("id", "text", "mentions", "sections", "words", "sentence_starts", "meta"):
            if getattr(left, name) != getattr(right, name):
                found = f"{getattr(right, name)!r} from {getattr(left, name)!r}"
                yield Problem(f"{way} {name}", found[:600])


def _check_conversion(case: Case, path: Path, strict: Outcome, target: Path) -> Iterator[Problem]:
    for lenient in (False, True):
        way = f"{CONVERT}{' --lenient' if lenient else ''}"
        target.unlink(missing_ok=True)
        try:
            with time_limit(SECONDS):
                done = convert(path, target, from_format=case.format, lenient=lenient)
        except BionerError as error:
            if strict.error is None and lenient and strict.records:
                yield Problem(way, f"{error}; but it can be read"[:400])
            if target.exists():
                yield Problem(way, f"left its output behind, after {error}"[:400])
            continue
        except (Exception, TooSlow) as error:
            yield _raised(way, error)
            continue
        mentions = sum(len(record.mentions) for record in strict.records)
        if strict.error is None and done.count.total != mentions:
            yield Problem(way, f"accounts for {done.count.total} of {mentions} mentions")


def _usable(record: Record) -> Record:
    kept = tuple(m for m in record.mentions if not why_lost(m, record.text))
    return Record(**{**vars(record), "mentions": kept})


def _way_to(target: str) -> str:
    return f"write {target}:"


@lru_cache(maxsize=1)
def _tokenizer() -> TokenizeRecord:
    return build_tokenizer("bioner")


def _tokenize(record: Record) -> Doc:
    return _tokenizer()(record)


def _raised(way: str, error: BaseException) -> Problem:
    return Problem(f"{way.rstrip(':')}: {type(error).__name__}", str(error)[:300])
