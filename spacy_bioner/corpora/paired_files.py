"""Corpora of text files with annotation files beside them: finding, reading and writing pairs."""

from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Collection, Dict, Iterator, List, NamedTuple, Optional, Set

from spacy_bioner.corpora.files import PathLike, check_is_file, read_lines, replacing_folder
from spacy_bioner.corpora.problems import FILE, Problems, skip_or_raise
from spacy_bioner.errors import CorpusError

TEXT_ENDING = ".txt"


class Pair(NamedTuple):
    """A document: its name, its text file and its annotation file."""

    name: str
    text: Path
    annotation: Path


def find_pairs(
    path: PathLike,
    ending: str,
    *,
    folders: Collection[str] = (),
    problems: Optional[Problems] = None,
) -> Iterator[Pair]:
    """Find the pairs of a folder and those below it, by name; or the one that a file belongs to.

    ending (str): Of annotation files, such as ".ann".
    folders (Collection[str]): Names of folders that part the two kinds of files ("txt" and
        "concept", for example); they take no part in a document's name.
    YIELDS (Pair): The name is the path within the folder, without the ending.
    RAISES (CorpusError): A file without its partner; nothing there at all.
    """
    path = Path(path)
    if not path.is_dir():
        yield _pair_of_file(check_is_file(path), ending)
        return
    texts = _by_name(path, TEXT_ENDING, folders)
    annotations = _by_name(path, ending, folders)
    if not texts and not annotations:
        message = f"found no {TEXT_ENDING} and {ending} files in the folder, expected pairs of them"
        raise CorpusError(message, path=path, line=1)
    for name in sorted(texts.keys() | annotations.keys()):
        if name in texts and name in annotations:
            yield Pair(name, texts[name], annotations[name])
            continue
        there = texts.get(name) or annotations[name]
        missing = ending if name in texts else TEXT_ENDING
        message = f"found no file {PurePosixPath(name).name}{missing} that belongs to it"
        error = CorpusError(f"{message}, expected a pair", path=there, line=1)
        skip_or_raise(error, FILE, problems)


def list_by_name(path: PathLike, ending: str, folders: Collection[str] = ()) -> Dict[str, Path]:
    """List further files with an ending by the names that `find_pairs` gives to documents."""
    path = Path(path)
    if path.is_dir():
        return _by_name(path, ending, folders)
    other = path.with_name(_stem(path) + ending)
    return {_stem(path): other} if other.is_file() else {}


def read_whole(path: PathLike) -> str:
    """Read a text with all its characters, line ends and byte order mark included.

    RAISES (CorpusError): No such file, or not UTF-8.
    """
    path = check_is_file(path)
    text = "\n".join(line for _, line in read_lines(path, keep_returns=True))
    with path.open("rb") as file:
        raw_start = file.read(3)
        file.seek(0, 2)
        size = file.tell()
        if size:
            file.seek(-1, 2)
            text += "\n" if file.read(1) == b"\n" else ""
    return ("\ufeff" if raw_start == b"\xef\xbb\xbf" else "") + text


@contextmanager
def writing_pairs(folder: PathLike) -> Iterator["PairWriter"]:
    """Give a writer into a folder that appears when the block succeeds.

    RAISES (CorpusError): Where something is there already: it might be a corpus.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        message = "found files there, expected the name of a new or empty folder"
        raise CorpusError(message, path=folder)
    with replacing_folder(folder) as temporary:
        temporary.mkdir(parents=True)
        yield PairWriter(temporary, folder)


class PairWriter:
    """Writes the files of one document after the other; names cannot leave the folder."""

    def __init__(self, folder: Path, final: Path) -> None:
        self._folder, self._final = folder, final
        self._names: Set[str] = set()
        self.count = 0

    def write(self, name: str, text: str, ending: str, lines: List[str]) -> None:
        """Write a text and the lines of its annotation file.

        RAISES (CorpusError): A name that is no name of a file, or stood before.
        """
        parts = name.split("/")
        unfit = any(part in ("", ".", "..") or len(part.encode()) > 200 for part in parts)
        if unfit or "\\" in name or not name.isprintable() or name != name.strip():
            message = f"found the document id {name!r}, expected one that can name a file"
            raise CorpusError(message, path=self._final)
        # Some file systems do not tell capitals from small letters.
        if name.casefold() in self._names:
            message = (
                f"found document {name} twice, expected one file for each; "
                "leave repeated texts out with --drop-duplicates, or give ids of their own"
            )
            raise CorpusError(message, path=self._final)
        self._names.add(name.casefold())
        self.count += 1
        target = self._folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(target.name + TEXT_ENDING).write_bytes(text.encode("utf-8"))
        content = "".join(f"{line}\n" for line in lines)
        target.with_name(target.name + ending).write_bytes(content.encode("utf-8"))


def _pair_of_file(path: Path, ending: str) -> Pair:
    stem = _stem(path)
    text, annotation = (path.with_name(stem + end) for end in (TEXT_ENDING, ending))
    for other in (text, annotation):
        if not other.is_file():
            message = f"found no file {other.name} that belongs to it, expected a pair"
            raise CorpusError(message, path=path, line=1)
    return Pair(stem, text, annotation)


def _by_name(folder: Path, ending: str, folders: Collection[str]) -> Dict[str, Path]:
    found: Dict[str, Path] = {}
    for path in sorted(folder.rglob(f"*{ending}")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or not path.is_file():
            continue
        kept = [part for part in parts[:-1] if part.lower() not in folders]
        found["/".join((*kept, _stem(path)))] = path
    return found


def _stem(path: Path) -> str:
    """Leave out the ending; "x.txt.con" is beside "x.txt" in some releases."""
    return path.stem.removesuffix(TEXT_ENDING)
