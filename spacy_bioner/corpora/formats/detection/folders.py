"""Which format is this folder of? One format is read at a time: more than one is an error."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List

from spacy_bioner.corpora.formats.registry import FORMATS
from spacy_bioner.errors import CorpusError

_ENDINGS = {ending: item.name for item in FORMATS.values() for ending in item.folder_endings}
# Formats of files that belong together, by an ending that only they have.
PAIR_ENDINGS = {ending: name for ending, name in _ENDINGS.items() if FORMATS[name].is_folder}
# The formats with all those that their readers read too.
_WHOLES = {item.name: item.part_of or item.name for item in FORMATS.values()}
_SHOWN = 3
Detect = Callable[[Path], str]


def detect_folder(folder: Path, detect: Detect) -> str:
    """Tell the format of a folder: by its endings, else by what all of its files are.

    detect (Callable[[Path], str]): Tells the format of a file.
    RAISES (CorpusError): No format that is known, or several.
    """
    files = list(_list_files(folder))
    by_ending: Dict[str, List[Path]] = {}
    for path in files:
        if path.suffix in _ENDINGS:
            by_ending.setdefault(_ENDINGS[path.suffix], []).append(path)
    found = by_ending or _group(files, detect)
    wholes = {_WHOLES[name] for name in found}
    if len(found) > 1 and len(wholes) == 1:
        return wholes.pop()
    if len(found) > 1:
        what = "; ".join(f"{name}: {_show(paths, folder)}" for name, paths in found.items())
        message = (
            f"found files of several formats ({what}), expected one; name it with --from, or name "
            "one file or folder"
        )
        raise CorpusError(message, path=folder)
    if found:
        return next(iter(found))
    message = (
        "found a folder without .ann, .a1, .con or .spacy files, and no file of another format "
        "that is known; name the corpus file in it"
    )
    raise CorpusError(message, path=folder)


def list_corpus_files(folder: Path, name: str, detect: Detect) -> List[Path]:
    """List the files of a format in a folder and those below it, by path.

    RAISES (CorpusError): None of them.
    """
    groups = _group(_list_files(folder), detect)
    whole = _WHOLES[name]
    found = sorted(p for one, paths in groups.items() if _WHOLES[one] == whole for p in paths)
    if not found:
        message = f"found no file of format {name} in the folder; name the corpus file in it"
        raise CorpusError(message, path=folder)
    return found


def count_others(folder: Path, files: List[Path]) -> int:
    """Count the files of a folder that are not among these."""
    return len(set(_list_files(folder)) - set(files))


def _list_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not is_hidden:
            yield path


def _group(files: Iterable[Path], detect: Detect) -> Dict[str, List[Path]]:
    found: Dict[str, List[Path]] = {}
    for path in files:
        try:
            found.setdefault(detect(path), []).append(path)
        except CorpusError:
            # A README, a licence: what is no corpus is no part of it.
            continue
    return found


def _show(paths: List[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) for path in paths[:_SHOWN]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")
