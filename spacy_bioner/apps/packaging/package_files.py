"""The files of a package, and their SHA-256 as they were when it was made."""

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Dict, List, TypeVar

from spacy.util import is_package

from spacy_bioner.apps.loading import DIGESTS, check_pipeline, find_data
from spacy_bioner.errors import PackageError
from spacy_bioner.files.digests import digest_path
from spacy_bioner.files.json_files import fill_json
from spacy_bioner.training.results.verification import FileChanges

FORM = 1
Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class PackagePlace:
    """Where a package lies.

    root (Path): The folder that Python imports.
    data (Path): The pipeline's own folder in it.
    """

    root: Path
    data: Path


def find_package(model: str) -> PackagePlace:
    """Find a package by its name, or by its pipeline's folder; none of its code runs.

    RAISES (BionerError): For neither a package nor a folder.
    RAISES (PackageError): For a pipeline folder that is no package.
    """
    check_pipeline(model)
    # In the order in which spaCy looks for it.
    if is_package(model):
        spec = find_spec(model)
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        root = Path(places[0] if places else model)
        data = find_data(root)
        if data is None:
            message = "found no config.cfg below it, expected a pipeline; install the package again"
            raise PackageError(f"{root}: {message}")
        return PackagePlace(root, data)
    data = Path(model).resolve()
    if not (data / DIGESTS).is_file() and not (data.parent / "__init__.py").is_file():
        raise PackageError(
            f"{model}: found a pipeline folder that is no package, expected what `bioner package` "
            "made of it: only that knows what it has to be"
        )
    return PackagePlace(data.parent, data)


def write_digests(place: PackagePlace) -> None:
    """Write down what the files of a new package are, hidden ones left out: no wheel has them."""
    # What the set-up of the package does before it takes its files together.
    for folder in (place.root, place.data):
        shutil.copy(place.root.parent / "meta.json", folder)
    files = {
        name: digest_path(place.root / name)
        for name in _list_files(place)
        if not name.rpartition("/")[2].startswith(".")
    }
    fill_json(place.data / DIGESTS, {"form": FORM, "files": files})


def read_digests(place: PackagePlace) -> Dict[str, str]:
    """Read what the files of a package were when it was made.

    RAISES (PackageError): Where nobody wrote it down, or the file is damaged.
    """
    path = place.data / DIGESTS
    if not path.is_file():
        raise PackageError(
            f"{place.data}: found no {DIGESTS}, expected a package that knows what it has to be: "
            "this one was made by an earlier version of spacy-bioner, or the file was removed. "
            "Install one that has it (`bioner package … --verify-on`)"
        )
    return read_form(path, _parse_digests)


def read_form(path: Path, parse: Callable[[Any], Parsed]) -> Parsed:
    """Read a file of a package that says of which form it is.

    RAISES (PackageError): Another form, or content that `parse` does not understand.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        form = data["form"]
        if form == FORM:
            return parse(data)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        message = f"found a damaged file ({error!r:.80}); install the package again"
        raise PackageError(f"{path}: {message}") from error
    message = f"found form {form!r:.20}, expected {FORM}; use the spacy-bioner that made it"
    raise PackageError(f"{path}: {message}")


def _parse_digests(data: Any) -> Dict[str, str]:
    return {str(key): str(value) for key, value in data["files"].items()}


def find_changes(place: PackagePlace, digests: Dict[str, str]) -> FileChanges:
    """Compare the files of a package with what they were; what Python compiled does not count."""
    found = _list_files(place)
    there = set(found)
    return FileChanges(
        tuple(
            name
            for name in sorted(there & set(digests))
            if digest_path(place.root / name) != digests[name]
        ),
        tuple(sorted(set(digests) - there)),
        tuple(name for name in found if name not in digests),
    )


def _list_files(place: PackagePlace) -> List[str]:
    own = place.data / DIGESTS
    return [
        path.relative_to(place.root).as_posix()
        for path in sorted(place.root.rglob("*"))
        if path.is_file() and path != own and path.parent.name != "__pycache__"
    ]
