"""Unlabeled text as a stream of documents that can be resumed: .txt, .txt.xz and .xz files."""

import hashlib
import lzma
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, TextIO

import numpy as np

from spacy_bioner.errors import ConfigError, CorpusError, TrainingDataError

SUFFIXES = (".txt", ".xz")
KINDS = ".txt, .txt.xz or .xz"
UNITS = ("line", "block")
MAX_OPEN = 16
# Longer lines come in parts: a file without line ends must not fill the memory.
MAX_CHARS = 1_000_000
# About how many times the text is longer than the file.
XZ_RATIO = 4
READ_ERRORS = (OSError, EOFError, UnicodeDecodeError, lzma.LZMAError)


def find_texts(paths: Sequence[Path]) -> List[Path]:
    """List the text files that paths stand for: files themselves, and all below folders.

    Below folders, NAME.xz is taken for text where the name says nothing else, as data.json.xz does.

    RAISES (TrainingDataError): Where there is none, or one of another kind is named.
    """
    found: List[Path] = []
    for path in paths:
        if path.is_dir():
            below = sorted(p for p in path.rglob("*") if p.is_file() and _is_surely_text(p))
            if not below:
                raise TrainingDataError(f"{path}: the folder has no {KINDS} file")
            found += below
        elif not path.is_file():
            raise TrainingDataError(f"{path}: no such file or folder; name {KINDS} files")
        elif path.suffix not in SUFFIXES:
            raise TrainingDataError(f"{path}: found a file of another kind, expected {KINDS}")
        else:
            found.append(path)
    unique = list(dict.fromkeys(found))
    if not unique:
        raise TrainingDataError(f"no text is named; name {KINDS} files or folders of them")
    return unique


def fingerprint_texts(files: Sequence[Path]) -> Dict[str, str]:
    """Tell files apart, without reading them through: by name, size, first and last 64 kB.

    RETURNS (Dict[str, str]): Size and hash by path.
    """
    marks = {}
    for path in files:
        size = path.stat().st_size
        digest = hashlib.blake2b(digest_size=8)
        with path.open("rb") as file:
            digest.update(file.read(65536))
            file.seek(max(0, size - 65536))
            digest.update(file.read(65536))
        marks[str(path)] = f"{size} bytes, {digest.hexdigest()}"
    return marks


def is_held_out(text: str, share: float) -> bool:
    """Whether a document belongs to the share that is set aside; the same text always does."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2.0**64


class TextStream:
    """Documents without end, epoch after epoch, from files in a seeded order.

    Several files are read in turns, each in proportion to its size, so that the sources are mixed
    and end at about the same time. Nothing but one document a file is in memory.

    files (Sequence[Path]): What `find_texts` gave.
    unit (str): What a document is: a "line" (not empty), or a "block" of lines up to an empty one.
    seed (int): Orders the files, anew in each epoch.
    """

    def __init__(self, files: Sequence[Path], *, unit: str = "line", seed: int = 0) -> None:
        if unit not in UNITS:
            raise ConfigError(f"document unit '{unit}': expected one of {', '.join(UNITS)}")
        self.files = list(files)
        self.unit = unit
        self.seed = seed
        self.epoch = 0
        self._next_file = 0
        self._open: List[_OpenText] = []
        self._given = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Return the next document.

        RAISES (TrainingDataError): Where a whole epoch has none.
        RAISES (CorpusError): For a file that cannot be read.
        """
        while (document := self._read()) is None:
            self._start_epoch()
        return document

    def read_epoch(self) -> Iterator[str]:
        """Yield the documents that are left of the epoch; a further call gives all of the next.

        RAISES (TrainingDataError): Where the whole epoch has none.
        RAISES (CorpusError): For a file that cannot be read.
        """
        while (document := self._read()) is not None:
            yield document
        self._start_epoch()

    def state(self) -> Dict[str, Any]:
        """Describe the position in plain data."""
        return {
            "epoch": self.epoch,
            "next_file": self._next_file,
            "given": self._given,
            "open": [[text.index, text.n_read] for text in self._open],
        }

    def restore(self, state: Dict[str, Any]) -> None:
        """Go to a position; the files are read up to there."""
        self.close()
        self.epoch = state["epoch"]
        self._next_file = state["next_file"]
        self._given = state["given"]
        self._open = [self._open_text(index) for index, _ in state["open"]]
        for text, (_, n_read) in zip(self._open, state["open"]):
            text.skip(n_read)

    def close(self) -> None:
        """Close all files."""
        for text in self._open:
            text.close()
        self._open = []

    def _read(self) -> Optional[str]:
        """Return the next document of this epoch; None at its end, with all files closed."""
        while True:
            self._open_files()
            if not self._open:
                return None
            source = min(self._open, key=lambda text: text.progress)
            document = source.read()
            if document is not None:
                self._given += 1
                return document
            source.close()
            self._open.remove(source)

    def _open_files(self) -> None:
        if len(self._open) >= MAX_OPEN or self._next_file >= len(self.files):
            return
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.files))
        while len(self._open) < MAX_OPEN and self._next_file < len(order):
            self._open.append(self._open_text(int(order[self._next_file])))
            self._next_file += 1

    def _open_text(self, index: int) -> "_OpenText":
        return _OpenText(self.files[index], index, unit=self.unit)

    def _start_epoch(self) -> None:
        if not self._given:
            names = ", ".join(str(path) for path in self.files[:3])
            raise TrainingDataError(f"found no text in {len(self.files)} files ({names}…)")
        self.epoch += 1
        self._next_file = 0
        self._given = 0


class TextList:
    """A list of texts as a stream without end that can be resumed, like a TextStream."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = [text for text in texts if text.strip()]
        if not self.texts:
            raise TrainingDataError("found no text in the documents to distill on")
        self.epoch = 0
        self.next = 0

    def __next__(self) -> str:
        if self.next == len(self.texts):
            self.epoch, self.next = self.epoch + 1, 0
        self.next += 1
        return self.texts[self.next - 1]

    def read_epoch(self) -> Iterator[str]:
        """Return all texts once."""
        return iter(self.texts)

    def state(self) -> Dict[str, Any]:
        """Describe the position in plain data."""
        return {"epoch": self.epoch, "next": self.next}

    def restore(self, state: Dict[str, Any]) -> None:
        """Go to a position."""
        self.epoch, self.next = state["epoch"], state["next"]

    def close(self) -> None:
        """Do nothing: there is no file."""


class _OpenText:
    """One file and how far it was read, counted in calls of `readline`."""

    def __init__(self, path: Path, index: int, *, unit: str) -> None:
        self.path = path
        self.index = index
        self.unit = unit
        self.n_read = 0
        self.n_chars = 0
        self.weight = path.stat().st_size * (XZ_RATIO if path.suffix == ".xz" else 1) + 1
        self.handle = _open_reading(path)

    @property
    def progress(self) -> float:
        """About which share was read."""
        return self.n_chars / self.weight

    def read(self) -> Optional[str]:
        """Return the next document; None at the end."""
        lines: List[str] = []
        size = 0
        while line := self._read_line():
            if text := line.strip():
                lines.append(text)
                size += len(text)
            is_over = self.unit == "line" or not text or size >= MAX_CHARS
            if lines and is_over:
                break
        return " ".join(lines) if lines else None

    def skip(self, n_read: int) -> None:
        """Read on to a position."""
        while self.n_read < n_read and self._read_line():
            pass

    def close(self) -> None:
        """Close the file."""
        self.handle.close()

    def _read_line(self) -> str:
        try:
            line = self.handle.readline(MAX_CHARS)
        except READ_ERRORS as error:
            self.close()
            message = f"found {error} after line {self.n_read}, expected UTF-8 text"
            raise CorpusError(message, path=self.path) from error
        self.n_read += bool(line)
        self.n_chars += len(line)
        return line


def _open_reading(path: Path) -> TextIO:
    try:
        if path.suffix == ".xz":
            return lzma.open(path, "rt", encoding="utf-8-sig", newline="\n")
        return path.open(encoding="utf-8-sig", newline="\n")
    except OSError as error:
        raise CorpusError(f"found {error.strerror}, expected a text file", path=path) from error


def _is_surely_text(path: Path) -> bool:
    inner = Path(path.stem).suffix
    return path.suffix == ".txt" or (path.suffix == ".xz" and inner in ("", ".txt"))
