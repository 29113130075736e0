"""Which format is this folder of? One format is read at a time: more than one is an error."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List

from spacy_bioner.errors import CorpusError

# Formats of files that belong together, by an ending that only they have.
PAIR_ENDINGS = {".ann": "brat", ".a1": "bionlp", ".a2": "bionlp", ".con": "i2b2"}
_ENDINGS = {**PAIR_ENDINGS, ".spacy": "spacy"}
# One reader reads both: files of one project may look like the one or the other.
_ALIKE = frozenset(("doccano", "jsonl"))
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
    if len(found) > 1 and _ALIKE.issuperset(found):
        return "jsonl"
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
    names = _ALIKE if name in _ALIKE else (name,)
    found = sorted(path for one in names for path in groups.get(one, []))
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
