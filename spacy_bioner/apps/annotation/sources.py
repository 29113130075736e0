"""Documents to annotate: texts, tables, Parquet and all corpora, packed or not, files or a folder.

Their gold mentions are not used. A folder of files in one format is read in the order of their
paths.
"""

import gzip
import io
import lzma
import re
import shutil
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Set, Tuple, Union, cast

from spacy_bioner.apps.annotation.documents import LeftOut
from spacy_bioner.apps.annotation.tables import read_parquet
from spacy_bioner.corpora.formats.detection.files import detect_format
from spacy_bioner.corpora.formats.detection.folders import PAIR_ENDINGS, list_corpus_files
from spacy_bioner.corpora.formats.mimic import FORMAT as NOTES
from spacy_bioner.corpora.formats.mimic import NoteColumns
from spacy_bioner.corpora.formats.pubtator import is_pubtator
from spacy_bioner.corpora.formats.read_errors import ANNOTATION, ReadErrors
from spacy_bioner.corpora.formats.reading_notes import ReadingNotes
from spacy_bioner.corpora.formats.registry import FORMATS, find_format
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.digests import digest_path
from spacy_bioner.files.lines import PathLike, decode_line
from spacy_bioner.records import Record

AUTO, TEXT, LINES, PARQUET = "auto", "text", "lines", "parquet"
KINDS = (TEXT, LINES, PARQUET, *FORMATS)
PACKED = (".gz", ".xz")
_DAMAGE = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)
_HEAD = 65_536
_BOM = b"\xef\xbb\xbf"
_TABLES = (".csv", ".tsv")
Item = Union[Record, LeftOut]
Signature = Tuple[Tuple[str, int, int], ...]


@dataclass(frozen=True)
class InputSettings:
    """How an input is read.

    format (str): One of `KINDS`: "text" is a document a file, "lines" one a line; "auto" looks
        into the file.
    text_column (Optional[str]): Of a table or a Parquet file; None takes a usual one.
    id_column (Optional[str]): The same for identifiers; documents without one are numbered.
    """

    format: str = AUTO
    text_column: Optional[str] = None
    id_column: Optional[str] = None


class TextSource:
    """The documents of a file or folder.

    path (PathLike): The file or folder.
    scratch (Path): A folder for what has to be unpacked.
    RAISES (CorpusError): Nothing there, a format that is not known, a folder of several.
    """

    def __init__(self, path: PathLike, settings: InputSettings, scratch: Path) -> None:
        self.path = Path(path)
        self.settings = settings
        self._scratch = scratch
        if settings.format not in (AUTO, TEXT, LINES, PARQUET):
            find_format(settings.format)
        self.files = _list_parts(self.path, settings.format)
        # Before anything is read: what changes from now on is seen.
        self._signatures = [_sign(file) for file in self.files]
        self._touched: Set[int] = set()
        self.kind = self._find_kind()
        if settings.text_column or settings.id_column:
            self._check_columns()

    def digest(self) -> str:
        """Return the SHA-256 of the file, or of all that is in the folder."""
        return digest_path(self.path)

    def check_unchanged(self) -> None:
        """Make sure that the files read since the last call are as they were at first.

        RAISES (CorpusError): For one that was changed, or is gone.
        """
        for number in sorted(self._touched):
            if _sign(self.files[number]) != self._signatures[number]:
                message = (
                    "found that it was changed while it was read; what was finished before is "
                    "kept. Put the input back as it was to go on, or name a new output"
                )
                raise CorpusError(message, path=self.files[number])
        self._touched.clear()

    def read(self) -> Iterator[Item]:
        """Stream the documents, and what is left out where it stands.

        RAISES (CorpusError): A file that cannot be read on; one of several is left out instead.
        """
        several = len(self.files) > 1
        for number, file in enumerate(self.files):
            self._touched.add(number)
            count = 0
            try:
                for item in self._read_file(file):
                    self._touched.add(number)
                    count += isinstance(item, Record)
                    yield self._name(item, file, count) if several else item
            except CorpusError as error:
                if not several:
                    raise
                yield LeftOut(str(error))

    def _name(self, item: Item, file: Path, count: int) -> Item:
        # Documents without an id of their own are numbered in each file.
        if isinstance(item, Record) and item.id == str(count):
            return replace(item, id=f"{_strip_endings(file.name)}-{item.id}")
        return item

    def _read_file(self, file: Path) -> Iterator[Item]:
        if self.kind == TEXT:
            return self._read_text(file)
        if self.kind == LINES:
            return _read_lines(file)
        if self.kind == PARQUET:
            columns = self.settings.text_column, self.settings.id_column
            return read_parquet(file, *columns)
        return self._read_corpus(file)

    def _read_text(self, file: Path) -> Iterator[Item]:
        name = file.relative_to(self.path).as_posix() if file != self.path else file.name
        name = _strip_endings(name)
        try:
            with open_packed(file) as handle:
                yield Record(name, handle.read().removeprefix(_BOM).decode("utf-8"))
        except UnicodeDecodeError as error:
            found = f"found byte 0x{error.object[error.start]:02x} at offset {error.start}"
            yield LeftOut(f"{file}: {found}, expected UTF-8 text", name)
        except _DAMAGE as error:
            yield LeftOut(str(_damaged(file, error)), name)

    def _read_corpus(self, file: Path) -> Iterator[Item]:
        plain = self._unpack(file)
        problems = _Problems(str(plain), str(file))
        options: Dict[str, Any] = {}
        if self.settings.text_column or self.settings.id_column:
            columns = NoteColumns(self.settings.text_column, self.settings.id_column)
            options["columns"] = columns
        records = read_records(
            plain, self.kind, problems=problems, notes=ReadingNotes(), options=options
        )
        try:
            for record in records:
                yield from problems.take()
                yield record
            yield from problems.take()
        except CorpusError as error:
            raise problems.rename(error) from error

    def _find_kind(self) -> str:
        if self.settings.format != AUTO:
            chosen = self.settings.format
            return chosen if chosen in (TEXT, LINES, PARQUET) else find_format(chosen).name
        file = self.files[0]
        ending = _inner_ending(file)
        if file.is_dir():
            return detect_format(file)
        if ending == ".parquet":
            return PARQUET
        if ending == ".txt":
            with open_packed(file) as handle:
                head = _read_head(handle, file)
            return "pubtator" if is_pubtator(head.decode("utf-8", "replace")) else TEXT
        if ending in _TABLES and self.settings.text_column:
            return NOTES.name
        return self._detect(file, ending)

    def _detect(self, file: Path, ending: str) -> str:
        plain = self._unpack(file)
        try:
            return detect_format(plain)
        except CorpusError as error:
            if ending in _TABLES:
                return NOTES.name
            raise _Problems(str(plain), str(file)).rename(error) from error

    def _check_columns(self) -> None:
        if self.kind != PARQUET and "columns" not in find_format_options(self.kind):
            message = f"found columns for an input of format {self.kind}, expected them with"
            raise CorpusError(f"{message} {NOTES.name} (CSV) and {PARQUET}", path=self.path)

    def _unpack(self, file: Path) -> Path:
        """Unpack a file for readers that read it more than once, unless it was the last one."""
        if file.suffix not in PACKED:
            return file
        plain = self._scratch / file.stem
        done = self._scratch / f".{file.stem}.whole"
        if done.is_file() and done.read_text(encoding="utf-8") == str(file):
            return plain
        for old in self._scratch.iterdir():
            old.unlink()
        try:
            with open_packed(file) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target)
        except _DAMAGE as error:
            raise _damaged(file, error) from error
        done.write_text(str(file), encoding="utf-8")
        return plain


def open_packed(path: Path) -> IO[bytes]:
    """Open a file to read, unpacked where its name ends in .gz or .xz.

    RAISES (CorpusError): No such file.
    """
    if not path.is_file():
        raise CorpusError("no such file; check the path", path=path)
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return cast(IO[bytes], lzma.open(path, "rb")) if path.suffix == ".xz" else path.open("rb")


def find_format_options(kind: str) -> frozenset[str]:
    """Return the settings of a format's reader; none for texts."""
    return FORMATS[kind].options if kind in FORMATS else frozenset()


class _Problems(ReadErrors):
    """Takes what a reader leaves out, under the name of the file that its user knows."""

    def __init__(self, plain: str, named: str) -> None:
        super().__init__(keep=1)
        self._names = plain, named
        self._new: List[LeftOut] = []

    def add(self, error: CorpusError, unit: str) -> None:
        super().add(error, unit)
        # Gold annotation is not used, so its faults cost nothing.
        if unit != ANNOTATION:
            self._new.append(LeftOut(str(error).replace(*self._names)))

    def take(self) -> List[LeftOut]:
        """Return what is new since the last call."""
        found, self._new = self._new, []
        return found

    def rename(self, error: CorpusError) -> CorpusError:
        """Return an error with the name of the file that its user knows."""
        message = str(error).replace(*self._names)
        return error if message == str(error) else CorpusError(message)


def _list_parts(path: Path, format_name: str) -> List[Path]:
    """List the files of a folder; a folder that is one corpus, and a file, stand for themselves."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        found = "found a pipe or device" if path.exists() else "no such file or folder"
        raise CorpusError(f"{found}, expected a file or folder to annotate", path=path)
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(part[0] == "." for part in file.relative_to(path).parts)
    ]
    if format_name == AUTO:
        return _list_alike(path, files)
    if format_name not in (TEXT, LINES, PARQUET):
        chosen = find_format(format_name)
        if chosen.reads_folders:
            return [path]

        def detect(file: Path) -> str:
            # What is packed is taken at its user's word.
            return chosen.name if file.suffix in PACKED else detect_format(file)

        return list_corpus_files(path, chosen.name, detect)
    wanted = ".parquet" if format_name == PARQUET else ".txt"
    files = [file for file in files if _inner_ending(file) == wanted]
    if not files:
        raise CorpusError(f"found a folder without {wanted} files", path=path)
    return files


def _list_alike(path: Path, files: List[Path]) -> List[Path]:
    """Return the files of a folder that are all of one kind, or the folder that is a corpus."""
    endings = {_inner_ending(file) for file in files}
    if endings & {*PAIR_ENDINGS, ".spacy"}:
        return [path]
    if len(endings) > 1:
        found = ", ".join(sorted(ending or "none" for ending in endings))
        message = (
            f"found a folder of files with several endings ({found}), expected one kind; name the "
            "format (--from text takes its .txt files), or one file"
        )
        raise CorpusError(message, path=path)
    if not files:
        raise CorpusError("found an empty folder, expected files to annotate", path=path)
    return files


def _sign(path: Path) -> Signature:
    """Tell a file, or all in a folder, by sizes and times."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = []
    for file in files:
        try:
            status = file.stat()
        except FileNotFoundError:
            continue
        found.append((file.name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _read_lines(file: Path) -> Iterator[Item]:
    """Stream a document a line, numbered; blank lines are none."""
    with open_packed(file) as handle:
        lines = io.BufferedReader(cast(io.RawIOBase, handle))
        number = 0
        while True:
            try:
                raw = lines.readline()
            except _DAMAGE as error:
                raise _damaged(file, error) from error
            if not raw:
                return
            number += 1
            text, fault = decode_line(raw.removeprefix(_BOM) if number == 1 else raw)
            if fault:
                yield LeftOut(f"{file}:{number}: {fault}", str(number))
            elif text.strip():
                yield Record(str(number), text)


def _read_head(handle: IO[bytes], file: Path) -> bytes:
    try:
        return handle.read(_HEAD).removeprefix(_BOM)
    except _DAMAGE as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> CorpusError:
    message = f"found a damaged {file.suffix} file ({error}); fetch or pack it again"
    return CorpusError(message, path=file)


def _inner_ending(file: Path) -> str:
    return Path(file.stem if file.suffix in PACKED else file.name).suffix.lower()


def _strip_endings(name: str) -> str:
    return re.sub(r"\.(gz|xz)$", "", name).removesuffix(".txt") or name
