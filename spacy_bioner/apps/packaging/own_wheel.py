"""The wheel of this package itself, to lie beside a pipeline's: on no index is it to be had."""

import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Optional

import spacy_bioner
from spacy_bioner.errors import PackageError
from spacy_bioner.extras import DISTRIBUTION

PACKAGE = "spacy_bioner"
# What a wheel is built from, beside the package.
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
# What an installer adds; the wheel gets a RECORD of its own.
ADDED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def write_own_wheel(folder: Path, *, scratch: Optional[Path] = None) -> Path:
    """Write the wheel of the `spacy_bioner` that runs; needs `build`, `setuptools`, `wheel`.

    From sources it is built, without the network; an installed copy is packed again.

    folder (Path): Gets the wheel.
    scratch (Optional[Path]): A folder for what the wheel is built from; else the system's.
    RETURNS (Path): The wheel.
    RAISES (PackageError): Where neither can be done.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as temporary:
        work, made = Path(temporary) / "work", Path(temporary) / "made"
        work.mkdir()
        root = Path(spacy_bioner.__file__).parent.parent
        if (root / "setup.cfg").is_file():
            _copy_sources(root, work)
            build_wheel(work, made, DISTRIBUTION)
        else:
            _copy_installed(root, work)
            made.mkdir()
            _call([*("-m", "wheel", "pack", str(work)), "--dest-dir", str(made)], DISTRIBUTION)
        found = next(made.glob("*.whl"))
        return Path(shutil.copy(found, folder / found.name))


def build_wheel(sources: Path, folder: Path, name: str) -> None:
    """Build the wheel of a source folder into another one, without the network.

    name (str): What is built, for errors.
    RAISES (PackageError): Where the build fails.
    """
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(sources)]
    _call(command, name)


def _copy_sources(root: Path, work: Path) -> None:
    # A build in the tree itself would leave files there, and take up those of an earlier one.
    for name in SOURCES:
        shutil.copy(root / name, work)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / PACKAGE, work / PACKAGE, ignore=ignored)


def _copy_installed(root: Path, work: Path) -> None:
    found = list(metadata.distributions(name=DISTRIBUTION, path=[str(root)]))
    files = found[0].files if found else None
    if not files:
        raise PackageError(
            f"{root}: found {PACKAGE} without a record of its files, expected one that pip has "
            "installed; use --no-wheel, or install it from its folder or wheel"
        )
    for file in files:
        if ".." in file.parts or file.suffix == ".pyc" or file.name in ADDED:
            continue
        target = work.joinpath(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.locate(), target)


def _call(arguments: list, name: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PackageError(f"building the wheel of {name} failed: {''.join(reason)}")
