"""SHA-256 of files and of folders: by these, accounts name the corpus that they are about."""

import hashlib
from pathlib import Path
from typing import Collection, Iterable, Tuple

from spacy_bioner.files.lines import PathLike, check_is_file

_BLOCK = 1 << 20


def digest(path: PathLike) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    RAISES (CorpusError): No such file.
    """
    total = hashlib.sha256()
    _add(total, check_is_file(path))
    return total.hexdigest()


def digest_path(path: PathLike) -> str:
    """Return the SHA-256 of a file of any kind, or of a folder as `digest_folder` does."""
    path = Path(path)
    if path.is_dir():
        return digest_folder(path)
    total = hashlib.sha256()
    _add(total, path)
    return total.hexdigest()


def digest_folder(folder: PathLike, *, leave_out: Collection[str] = ()) -> str:
    """Return the SHA-256 over names, sizes and content of the files in a folder, in hexadecimal.

    Hidden files are left out.
    leave_out (Collection[str]): Files that do not count, by their paths within the folder.
    """
    total = hashlib.sha256()
    for name, path in _list_files(Path(folder)):
        if name not in leave_out:
            total.update(f"{name} {path.stat().st_size}\n".encode("utf-8", "surrogateescape"))
            _add(total, path)
    return total.hexdigest()


def _list_files(folder: Path) -> Iterable[Tuple[str, Path]]:
    found = [(path.relative_to(folder), path) for path in sorted(folder.rglob("*"))]
    return [
        (name.as_posix(), path)
        for name, path in found
        if path.is_file() and not any(part.startswith(".") for part in name.parts)
    ]


def _add(total: "hashlib._Hash", path: Path) -> None:
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            total.update(block)
