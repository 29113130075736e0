"""Writing output folders whole or not at all, as `corpora.files.replacing` does for files."""

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give the path of a folder to make, which replaces `path` when the block succeeds.

    When the block raises, `path` is as it was and the new folder is gone.
    """
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        replace_folder(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_folder(new: Path, final: Path) -> None:
    """Put a folder in the place of another, which is removed only when the new one stands there.

    new (Path): The folder, on the same file system as `final`.
    final (Path): Where it is to be; may be there already.
    """
    # A folder cannot be replaced in one step unless it is empty.
    old = new.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)
