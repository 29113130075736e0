"""The manifest of an annotated folder: of what it is made, and which of its shards are finished.

A shard counts only once the manifest names it, and the manifest is replaced in one step after the
shard's files are on the disk. So a run that was killed leaves whole shards, and at most files that
no manifest names, which the next run removes.
"""

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping

from spacy_bioner.errors import OutputError
from spacy_bioner.files.digests import digest_path
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.files.replacing import check_own_folder, replacing

MANIFEST = "manifest.json"
SHARDS, RECEIPTS, REJECTED = "shards", "receipts", "rejected"
FOLDERS = (SHARDS, RECEIPTS, REJECTED)
_OWN = re.compile(r"\.?part-\d{5,}(\..+)?")
# What an output depends on, and how messages call it.
_MEANING = {"input.sha256": "input", "model.sha256": "model"}
_SHOWN = 16


@dataclass(frozen=True)
class Shard:
    """A finished part of the output.

    files (Mapping[str, str]): SHA-256 of its files and folders, by their paths in the output.
    counts (Mapping[str, int]): Documents, those that were rejected, and the sums of receipts.
    """

    files: Mapping[str, str]
    counts: Mapping[str, int]


class Manifest:
    """The state of an output folder.

    folder (Path): The output.
    fixed (Mapping[str, Any]): What it depends on: digests of input and model, settings, versions.
    shards (Dict[int, Shard]): Those that are finished, by number.
    is_complete (bool): All of the input is in them.
    """

    def __init__(self, folder: Path, fixed: Mapping[str, Any]) -> None:
        self.folder = folder
        self.fixed = fixed
        self.shards: Dict[int, Shard] = {}
        self.is_complete = False
        self._has_begun = False

    def load(self) -> None:
        """Read what an earlier run has finished, if there was one, and check its files.

        A shard with a file that was deleted counts as unfinished.
        RAISES (OutputError): A folder with other content; one of another input, model, version or
            setting; a file with other content than when it was written.
        """
        check_own_folder(self.folder, (MANIFEST,))
        path = self.folder / MANIFEST
        if not path.is_file():
            return
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            fixed = {key: data[key] for key in self.fixed}
            shards = {
                int(entry["number"]): Shard(dict(entry["files"]), dict(entry["counts"]))
                for entry in data["shards"]
            }
            was_complete = bool(data["complete"])
        except (ValueError, LookupError, TypeError) as error:
            message = "found no manifest of `bioner annotate`; remove the folder, or name another"
            raise OutputError(message, path=path) from error
        self._check_fixed(fixed)
        self.shards = {
            number: shard for number, shard in shards.items() if self._is_there(shard.files)
        }
        for shard in self.shards.values():
            self._check_files(shard.files)
        self.is_complete = was_complete and len(self.shards) == len(shards)

    def begin(self) -> None:
        """Write the manifest before the first shard, and remove what no manifest names.

        RAISES (OutputError): Where nothing can be written.
        """
        if self._has_begun:
            return
        self._has_begun = True
        self._save()
        named = {name for shard in self.shards.values() for name in shard.files}
        for folder in FOLDERS:
            for path in sorted((self.folder / folder).glob("*")):
                if _OWN.fullmatch(path.name) and f"{folder}/{path.name}" not in named:
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()

    def add(self, number: int, shard: Shard) -> None:
        """Take in a shard whose files are written."""
        for name in shard.files:
            sync(self.folder / name)
        for folder in {self.folder, *((self.folder / name).parent for name in shard.files)}:
            _sync_one(folder)
        self.shards[number] = shard
        self._save()

    def finish(self) -> None:
        """Say that all is written."""
        self.is_complete = True
        self._save()

    def count(self) -> Dict[str, int]:
        """Add up the counts of all shards."""
        total: Counter[str] = Counter()
        for shard in self.shards.values():
            total.update(shard.counts)
        return dict(total)

    def _save(self) -> None:
        entries: List[Dict[str, Any]] = [
            {"number": number, "files": dict(shard.files), "counts": dict(shard.counts)}
            for number, shard in sorted(self.shards.items())
        ]
        data = {
            **self.fixed,
            "complete": self.is_complete,
            "receipt": self.count(),
            "shards": entries,
        }
        with replacing(self.folder / MANIFEST) as temporary:
            fill_json(temporary, data)
            _sync_one(temporary)
        _sync_one(self.folder)

    def _check_fixed(self, found: Mapping[str, Any]) -> None:
        earlier, now = _flatten(found), _flatten(self.fixed)
        for key in sorted({*earlier, *now} - {"model.name"}):
            if earlier.get(key) != now.get(key):
                what = _MEANING.get(key, key)
                message = (
                    f"found annotations of another {what} ({_show(earlier.get(key))}, now "
                    f"{_show(now.get(key))}); name another folder, or remove this one"
                )
                raise OutputError(message, path=self.folder)

    def _is_there(self, files: Mapping[str, str]) -> bool:
        return all((self.folder / name).exists() for name in files)

    def _check_files(self, files: Mapping[str, str]) -> None:
        for name, known in files.items():
            path = self.folder / name
            found = digest_path(path)
            if found != known:
                message = (
                    f"found other content (SHA-256 {found[:_SHOWN]}…) than was written "
                    f"({known[:_SHOWN]}…): it was damaged or changed. Delete it and run the same "
                    "again, and it is made anew"
                )
                raise OutputError(message, path=path)


def sync(path: Path) -> None:
    """Make sure that a file, or all in a folder, is on the disk and not only in its cache."""
    for item in path.rglob("*") if path.is_dir() else ():
        _sync_one(item)
    _sync_one(path)


def _sync_one(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        # Elsewhere folders cannot be opened.
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flatten(data: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found.update(_flatten(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found


def _show(value: Any) -> str:
    return str(value)[:_SHOWN]
