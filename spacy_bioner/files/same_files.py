"""Inputs and outputs compared as files: by any spelling, through links, also if not yet there."""

import os
import unicodedata
from pathlib import Path
from typing import Iterable, List, Mapping, Sequence, Tuple

from spacy_bioner.errors import CorpusError, OutputError
from spacy_bioner.files.lines import PathLike


def check_apart(
    outputs: Iterable[PathLike], inputs: Iterable[PathLike], *, replaced: Iterable[PathLike] = ()
) -> None:
    """Make sure, before anything is written, that no output takes the place of an input.

    outputs (Iterable[PathLike]): What is written; no two may be the same.
    inputs (Iterable[PathLike]): What is read. In a folder of these, nothing may be written.
    replaced (Iterable[PathLike]): Those outputs that are replaced with all that is in them, if they
        are folders.
    RAISES (OutputError): For an output that is an input or another output, lies in an input, or
        holds one and would be replaced.
    """
    written = [Path(path) for path in outputs]
    read = [path for path in map(Path, inputs) if os.path.lexists(path)]
    for number, output in enumerate(written):
        for other in written[:number]:
            if is_same(output, other):
                message = f"found that two outputs are one, here and as {other}; name another"
                raise OutputError(message, path=output)
        for source in read:
            _check_pair(output, source)
    for output in map(Path, replaced):
        for source in read:
            if is_within(source, output):
                message = f"found {source}, which is read, in what would be replaced; name another"
                raise OutputError(f"{message} output", path=output)


def is_same(left: PathLike, right: PathLike) -> bool:
    """Say whether two paths are one file or folder, or would be one once they are there.

    RAISES (CorpusError): For a path that no file can have.
    """
    try:
        if os.path.exists(left) and os.path.exists(right):
            return os.path.samefile(left, right)
        (start, names), (other, others) = _divide(left), _divide(right)
    except OSError as error:
        message = f"found {error.strerror or error} where a file should be; name another"
        raise CorpusError(message, path=left) from error
    if len(names) != len(others) or not os.path.samefile(start, other):
        return False
    if ignores_case(start):
        names, others = [_fold(name) for name in names], [_fold(name) for name in others]
    return names == others


def is_within(path: PathLike, folder: PathLike) -> bool:
    """Say whether a path lies in a folder that is there, at any depth."""
    if not os.path.isdir(folder):
        return False
    parents = Path(os.path.realpath(path)).parents
    return any(parent.exists() and os.path.samefile(parent, folder) for parent in parents)


def ignores_case(folder: Path) -> bool:
    """Say whether names in a folder that is there are told apart by more than their letters' case.

    Nothing is written for it: the nearest folder with a letter in its name is looked for in the
    other case.
    """
    for place in (folder, *folder.parents):
        other = place.with_name(place.name.swapcase()) if place.name else place
        if other.name != place.name:
            return other.exists() and os.path.samefile(place, other)
    return False


def list_paths(value: object) -> Sequence[Path]:
    """List the paths in what a command takes: one, several, or sources with names."""
    if value is None:
        return []
    if isinstance(value, (str, Path)):
        return [Path(value)]
    if isinstance(value, Mapping):
        return list_paths(list(value.values()))
    path = getattr(value, "path", None)
    if path is not None:
        return list_paths(path)
    return [path for item in value for path in list_paths(item)]  # type: ignore[attr-defined]


def _check_pair(output: Path, source: Path) -> None:
    if is_same(output, source):
        message = f"found the same path as IN and OUT ({source}), expected another name for OUT"
        raise OutputError(message, path=output)
    if is_within(output, source):
        message = f"found that it lies in the input {source}, expected a place outside of it"
        raise OutputError(message, path=output)


def _divide(path: PathLike) -> Tuple[Path, List[str]]:
    """Return the innermost folder that is there, without links, and the names below it."""
    place = Path(os.path.realpath(path))
    names: List[str] = []
    while not place.exists() and place != place.parent:
        names.insert(0, place.name)
        place = place.parent
    return place, names


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
