"""Corpora of text files with annotation files beside them: finding, reading and writing pairs."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import (
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from spacy_bioner.corpora.formats.read_errors import FILE, ReadErrors, skip_or_raise
from spacy_bioner.corpora.formats.reading_notes import STRAY_NAMES_KEY, STRAYS_KEY, add_note
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file, read_lines
from spacy_bioner.files.outputs import refuse_stream_as_folder
from spacy_bioner.files.replacing import replacing_folder
from spacy_bioner.records import Record

_SHOWN = 5
TEXT_ENDING = ".txt"
BYTE_ORDER_MARK = "\ufeff"
# Folders in which the partner of a single file is looked for, beside those that a format has.
PARTING_FOLDERS = frozenset(
    (
        *("txt", "text", "texts", "raw", "corpus", "docs", "documents", "abstracts", "articles"),
        *("ann", "anns", "annotation", "annotations", "brat", "gold", "standoff", "a1", "a2"),
    )
)
# File systems end names at 255 bytes, and paths at 1,024 on some systems.
_NAME_SIZE, _PATH_SIZE = 200, 600


class Pair(NamedTuple):
    """A document: its name, its text file, its annotation file, and further files by ending."""

    name: str
    text: Path
    annotation: Path
    others: Dict[str, Path]


@dataclass(frozen=True)
class FoundPairs:
    """The documents of a folder.

    pairs (List[Pair]): By name.
    strays (List[Path]): Text files to which no annotation file belongs, such as a README.txt.
    """

    pairs: List[Pair]
    strays: List[Path] = field(default_factory=list)

    def note_strays(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass records on, the first one with a note of stray texts, their number and names."""
        return note_strays(records, [path.name for path in self.strays])


def find_pairs(
    path: PathLike,
    ending: str,
    *,
    folders: Collection[str] = (),
    others: Sequence[str] = (),
    problems: Optional[ReadErrors] = None,
) -> FoundPairs:
    """Find the pairs of a folder and those below it, by name; or the one that a file belongs to.

    Hidden files are left out. "x.txt.ann" belongs to "x.txt" unless there is an "x.txt.txt". What
    has no partner in its own folder is paired with one of the same name in another, where one
    folder of their paths differs (corpus/train/x.txt, annotations/train/x.ann), or that is the only
    one of that name.

    ending (str): Of annotation files, such as ".ann".
    folders (Collection[str]): Names of folders that part the two kinds of files ("txt" and
        "concept", for example), in small letters; they take no part in a document's name.
    others (Sequence[str]): Endings of further files that a document may have.
    RETURNS (FoundPairs): Each name is the path within the folder, without the ending, and without
        the folder that differs.
    RAISES (CorpusError): An annotation file without its text, a name that two files of a kind have,
        no pair at all.
    """
    path = Path(path)
    if not path.is_dir():
        return FoundPairs([_pair_of_file(check_is_file(path), ending, folders, others)])
    texts = _by_name(path, TEXT_ENDING, folders, (), problems)
    annotations = _by_name(path, ending, folders, texts, problems)
    if not texts and not annotations:
        message = f"found no {TEXT_ENDING} and {ending} files in the folder, expected pairs of them"
        raise CorpusError(message, path=path, line=1)
    matches = match_folders(texts, annotations)
    for name in sorted(annotations.keys() - set(matches.values())):
        error = _no_text(annotations[name], PurePosixPath(name).name, texts)
        skip_or_raise(error, FILE, problems)
    strays = sorted(texts.keys() - matches.keys())
    if strays and not matches:
        missing = PurePosixPath(strays[0]).name + ending
        skip_or_raise(_no_partner(texts[strays[0]], missing), FILE, problems)
    further: Dict[str, Dict[str, Path]] = {}
    for other in others:
        files = _by_name(path, other, folders, texts, problems)
        for text, found in match_folders(texts, files).items():
            further.setdefault(text, {})[other] = files[found]
    pairs = [
        Pair(name, texts[text], annotations[annotation], further.get(text, {}))
        for (text, annotation), name in _name_pairs(matches)
    ]
    return FoundPairs(sorted(pairs), [texts[name] for name in strays])


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
    return (BYTE_ORDER_MARK if raw_start == b"\xef\xbb\xbf" else "") + text


def note_strays(records: Iterable[Record], names: Sequence[str]) -> Iterator[Record]:
    """Pass records on, the first one with a note on what texts were left out."""
    more = len(names) - _SHOWN
    listed = ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
    for number, record in enumerate(records):
        if number == 0:
            record = add_note(add_note(record, STRAYS_KEY, len(names)), STRAY_NAMES_KEY, listed)
        yield record


def match_folders(texts: Collection[str], annotations: Collection[str]) -> Dict[str, str]:
    """Match texts and annotations of one name, by their paths without ending.

    RETURNS (Dict[str, str]): Paths of annotations by those of texts; what fits several is left out.
    """
    matches = {name: name for name in texts if name in annotations}
    for make_keys in (_leave_out_one, _stem_alone):
        left = set(texts) - matches.keys()
        right = set(annotations) - set(matches.values())
        by_key: Dict[str, Set[str]] = {}
        for name in left:
            for key in make_keys(name):
                by_key.setdefault(key, set()).add(name)
        fits = {
            name: set().union(*(by_key.get(key, ()) for key in make_keys(name))) for name in right
        }
        wanted = Counter(text for found in fits.values() for text in found)
        for name, found in fits.items():
            matches.update({text: name for text in found if len(found) == wanted[text] == 1})
    return matches


@contextmanager
def writing_pairs(
    folder: PathLike, ending: str, *, folders: Collection[str] = ()
) -> Iterator["PairWriter"]:
    """Yield a writer into a folder that appears when the block succeeds.

    ending, folders: As for `find_pairs`.
    RAISES (CorpusError): Where something is there already: it might be a corpus.
    """
    folder = Path(folder)
    refuse_stream_as_folder(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        message = "found files there, expected the name of a new or empty folder"
        raise CorpusError(message, path=folder)
    # "." and ".." have no name of their own.
    with replacing_folder(folder.resolve()) as temporary:
        temporary.mkdir(parents=True)
        yield PairWriter(temporary, folder, ending, folders)


class PairWriter:
    """Writes the files of one document after the other; names cannot leave the folder."""

    def __init__(
        self, folder: Path, final: Path, ending: str, folders: Collection[str] = ()
    ) -> None:
        self._folder, self._final, self._ending, self._folders = folder, final, ending, folders
        self._names: Set[str] = set()
        self.count = 0

    def write(self, name: str, text: str, lines: Iterable[str]) -> None:
        """Write a text and the lines of its annotation file.

        RAISES (CorpusError): A name that is no name of a file, or would be read as another one, or
            stood before.
        """
        self._check(name)
        self.count += 1
        target = self._folder.joinpath(*name.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(target.name + TEXT_ENDING).write_bytes(text.encode("utf-8"))
        content = "".join(f"{line}\n" for line in lines)
        target.with_name(target.name + self._ending).write_bytes(content.encode("utf-8"))

    def _check(self, name: str) -> None:
        parts = name.split("/")
        # Surrogates are not printable, so what is encoded here can be.
        fits = name.isprintable() and "\\" not in name and len(name.encode()) <= _PATH_SIZE
        if not fits or not all(map(_can_name_file, parts)) or not self._keeps(parts[:-1]):
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

    def _keeps(self, folders: List[str]) -> bool:
        """Tell whether folders take part in a name, and cannot be a document's file themselves."""
        endings = (TEXT_ENDING, self._ending)
        return not any(
            part.lower() in self._folders or part.casefold().endswith(endings) for part in folders
        )


def _can_name_file(part: str) -> bool:
    hidden = part.startswith(".")
    return bool(part) and not hidden and part == part.strip() and len(part.encode()) <= _NAME_SIZE


def _name_pairs(matches: Dict[str, str]) -> Iterator[Tuple[Tuple[str, str], str]]:
    """Name the documents by what the paths of their files share, where that is no other's name."""
    shared = {
        pair: max(_leave_out_one(pair[0]) & _leave_out_one(pair[1]), key=len, default=pair[0])
        for pair in matches.items()
    }
    taken = Counter(shared.values())
    for pair, name in shared.items():
        yield pair, name if taken[name] == 1 else pair[0]


def _leave_out_one(name: str) -> Set[str]:
    """Return a path, and what it is without each of its folders."""
    *folders, stem = name.split("/")
    return {name} | {
        "/".join((*folders[:place], *folders[place + 1 :], stem)) for place in range(len(folders))
    }


def _stem_alone(name: str) -> Set[str]:
    return {PurePosixPath(name).name}


def _no_text(annotation: Path, stem: str, texts: Dict[str, Path]) -> CorpusError:
    """Say that no text belongs to an annotation file, or that it cannot be told which."""
    others = [str(path) for name, path in sorted(texts.items()) if stem in _stem_alone(name)]
    if not others:
        return _no_partner(annotation, stem + TEXT_ENDING)
    message = f"found no text that is its alone, but {', '.join(others[:3])}"
    expected = "expected one beside it, or in a folder that differs; give one annotation per text"
    return CorpusError(f"{message}, {expected}", path=annotation, line=1)


def _no_partner(there: Path, missing: str) -> CorpusError:
    message = f"found no file {missing} that belongs to it, expected a pair"
    return CorpusError(message, path=there, line=1)


def _pair_of_file(path: Path, ending: str, folders: Collection[str], others: Sequence[str]) -> Pair:
    if path.suffix not in (TEXT_ENDING, ending):
        message = f"found a file {path.name}, expected one ending in {TEXT_ENDING} or {ending}"
        raise CorpusError(message, path=path, line=1)
    beside = [path.parent]
    parting = {*folders, *PARTING_FOLDERS}
    if path.parent.name.lower() in parting:
        siblings = sorted(path.parent.parent.iterdir())
        beside += [folder for folder in siblings if folder.name.lower() in parting]
    stem = path.stem
    text = _first_file(beside, (stem + TEXT_ENDING,))
    if text is None and path.suffix == ending and stem.endswith(TEXT_ENDING):
        stem = stem.removesuffix(TEXT_ENDING)
        text = _first_file(beside, (stem + TEXT_ENDING,))
    if text is None:
        raise _no_partner(path, stem + TEXT_ENDING)
    found = {
        kind: place
        for kind in (ending, *others)
        if (place := _first_file(beside, (stem + kind, stem + TEXT_ENDING + kind)))
    }
    if path.suffix == ending:
        found[ending] = path
    if ending not in found:
        raise _no_partner(path, stem + ending)
    return Pair(stem, text, found.pop(ending), found)


def _first_file(folders: Sequence[Path], names: Sequence[str]) -> Optional[Path]:
    places = (folder / name for name in names for folder in folders)
    return next((place for place in places if place.is_file()), None)


def _by_name(
    folder: Path,
    ending: str,
    folders: Collection[str],
    texts: Collection[str],
    problems: Optional[ReadErrors],
) -> Dict[str, Path]:
    """List the files with an ending. `texts` are the names of documents, once they are known."""
    found: Dict[str, Path] = {}
    for path in sorted(folder.rglob(f"*{ending}")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or not path.is_file():
            continue
        kept = [part for part in parts[:-1] if part.lower() not in folders]
        name = "/".join((*kept, path.stem))
        if ending != TEXT_ENDING and name not in texts:
            name = name.removesuffix(TEXT_ENDING)
        if name in found:
            message = f"found a second {ending} file of document {name}, expected one beside "
            error = CorpusError(f"{message}{found[name]}", path=path, line=1)
            skip_or_raise(error, FILE, problems)
            continue
        found[name] = path
    return found
