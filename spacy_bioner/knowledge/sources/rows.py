"""What readers of terminologies share: rows, kinds of sources, and a file while it is read."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple
from xml.etree import ElementTree

from spacy_bioner.errors import TermTableError

# Kinds of synonyms; a source may have others of its own.
PREFERRED, EXACT, NARROW, BROAD, RELATED = "label", "exact", "narrow", "broad", "related"
ABBREVIATION, SYMBOL = "abbreviation", "symbol"
UNKNOWN = "unknown"

_HEAD_SIZE = 65_536
_BOM = b"\xef\xbb\xbf"
_PACKED = ((b"\x1f\x8b", gzip.open), (b"\xfd7zXZ\x00", lzma.open), (b"BZh", bz2.open))
# The second is one without any file.
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 1
_DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError)


class TermRow(NamedTuple):
    """A name of a concept.

    label (str): The entity type as the source has it; empty where it has none.
    kind (str): The kind of synonym.
    """

    id: str
    name: str
    label: str
    kind: str


@dataclass
class Skipped:
    """Rows that were left out for one reason: how many, and the first of them."""

    count: int
    line: int
    found: str


class SourceFile:
    """A file of a terminology while it is read: what it says of itself, and what is left out.

    path (Path): The file, plain or packed with gzip, xz or bzip2.
    archive (Optional[Path]): The ZIP archive that it is a member of; its path goes on from there.
    """

    def __init__(self, path: Path, *, archive: Optional[Path] = None) -> None:
        self.path = path
        self.archive = archive
        self.line = 0
        self.n_rows = 0
        self.version = ""
        self.licence = ""
        self.url = ""
        self.skipped: Dict[str, Skipped] = {}

    def skip(self, reason: str, found: str) -> None:
        """Count a row that is left out.

        reason (str): A phrase, such as "rows without a name".
        found (str): What stands in the row.
        """
        known = self.skipped.get(reason)
        if known is None:
            shown = found if len(found) <= 60 else f"{found[:59]}…"
            self.skipped[reason] = Skipped(1, self.line, shown)
        else:
            known.count += 1

    def error(self, message: str) -> TermTableError:
        """Make an error that names the file and the line."""
        return TermTableError(message, path=self.path, line=self.line or None)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the file, unpacked.

        RAISES (TermTableError): One that is absent, or damaged where it is read.
        """
        try:
            with ExitStack() as stack:
                raw = stack.enter_context(self._open_raw(stack))
                head = raw.read(6)
                raw.seek(0)
                unpack = next((opens for mark, opens in _PACKED if head.startswith(mark)), None)
                yield stack.enter_context(unpack(raw, "rb")) if unpack else raw
        except _DAMAGE as error:
            reason = getattr(error, "strerror", None) or str(error)
            message = f"found a file that cannot be read on ({reason}); fetch it again"
            raise self.error(message) from error

    def find_beside(self, name: str) -> Optional["SourceFile"]:
        """Return the file of a name in the same folder, of a disk or an archive; None without."""
        path = self.path.with_name(name)
        if self.archive is None:
            return SourceFile(path) if path.is_file() else None
        members = [member.path for member in list_members(self.archive)]
        return SourceFile(path, archive=self.archive) if path in members else None

    def _open_raw(self, stack: ExitStack) -> Any:
        if self.archive is None:
            return self.path.open("rb")
        opened = stack.enter_context(zipfile.ZipFile(self.archive))
        member = opened.getinfo(self.path.relative_to(self.archive).as_posix())
        if member.flag_bits & _ENCRYPTED:
            raise self.error("found an encrypted file; unpack the archive with its password first")
        return opened.open(member)

    def read_head(self) -> str:
        """Return how the file begins; bytes that are not UTF-8 are replaced."""
        with self.open() as file:
            return file.read(_HEAD_SIZE).removeprefix(_BOM).decode("utf-8", "replace")

    def read_lines(self) -> Iterator[str]:
        """Stream the lines without their ends; `line` counts along.

        RAISES (TermTableError): Bytes that are not UTF-8.
        """
        with self.open() as file:
            for self.line, raw in enumerate(file, start=1):
                try:
                    text = raw.decode("utf-8-sig" if self.line == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise self.error(
                        f"found the byte 0x{raw[error.start]:02x} at position {error.start}; "
                        "expected UTF-8; convert the file to UTF-8"
                    ) from error
                yield text.rstrip("\r\n")

    def read_elements(self, *tags: str) -> Iterator[ElementTree.Element]:
        """Stream the elements of an XML file that have one of these tags, the inner ones first.

        An element is emptied when the next one is asked for. Nothing is fetched: expat loads no
        external entities, and limits what internal ones grow to.
        RAISES (TermTableError): XML that is malformed.
        """
        with self.open() as file:
            try:
                events = ElementTree.iterparse(file, ("start", "end"))
                _, root = next(events)
                for event, element in events:
                    if event == "end" and element.tag in tags:
                        yield element
                        element.clear()
                        if len(root) > 1:
                            # Finished siblings stay in the root, empty as they are.
                            del root[:-1]
            except ElementTree.ParseError as error:
                self.line = error.position[0]
                message = f"found malformed XML ({error}); expected a whole file; fetch it again"
                raise self.error(message) from error


def is_archive(path: Path) -> bool:
    """Say whether a file is a ZIP archive, whole or not."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ARCHIVES[0])) in _ARCHIVES


def list_members(archive: Path) -> List[SourceFile]:
    """List the files of a ZIP archive.

    RAISES (TermTableError): An archive that is damaged.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [member.filename for member in opened.infolist() if not member.is_dir()]
    except _DAMAGE as error:
        message = f"found a ZIP archive that cannot be read ({error}); fetch it again"
        raise TermTableError(message, path=archive) from error
    return [SourceFile(archive / name, archive=archive) for name in names]


@dataclass(frozen=True)
class SourceKind:
    """A form in which terminologies are published.

    read (Callable): Streams the rows, and tells the file its version and licence.
    looks_like (Callable): Says whether a file that starts so is of this kind.
    licence (str): Under which terms the owner gives it away, where the file says nothing else.
    url (str): Where it is published.
    general (bool): Many terminologies are published in this form; a file's name tells which.
    """

    name: str
    title: str
    read: Callable[[SourceFile], Iterator[TermRow]]
    looks_like: Callable[[str], bool]
    licence: str = UNKNOWN
    url: str = ""
    general: bool = False


def split_cells(text: str, separator: str = "\t") -> Tuple[str, ...]:
    """Split a line into cells without blanks around them."""
    return tuple(cell.strip() for cell in text.split(separator))
