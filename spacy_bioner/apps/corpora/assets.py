"""The corpus files that project.yml names: checked in place, copied from a folder or downloaded."""

import hashlib
import http.client
import re
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence
from urllib.parse import unquote, urlsplit

import srsly

from spacy_bioner.errors import AssetError, ConfigError
from spacy_bioner.files.replacing import replacing

PROJECT_FILE = "project.yml"
TIMEOUT = 60
_VARIABLE = re.compile(r"\$\{vars\.([\w.]+)\}")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Asset:
    """A file that a project needs.

    dest (Path): Where it belongs.
    url (str): Where it is published; empty when a user has to bring it.
    checksum (str): Its MD5 in hexadecimal; empty when the project names none.
    extra (bool): Needed for some purposes only, as in spaCy projects.
    """

    dest: Path
    url: str = ""
    checksum: str = ""
    extra: bool = False


@dataclass(frozen=True)
class PreparedAsset:
    """An asset that is in place.

    action (str): "present", "copied" or "downloaded".
    """

    asset: Asset
    action: str


def read_assets(project: Path) -> List[Asset]:
    """List the assets of a project folder, with `${vars.…}` filled in.

    RAISES (AssetError): No project.yml, or an entry that names no file inside of the project.
    """
    path = project / PROJECT_FILE
    if not path.is_file():
        raise AssetError(f"{path}: no such file; run the command in the project's folder")
    try:
        config = srsly.read_yaml(path)
    except ValueError as error:
        raise AssetError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(config, Mapping):
        raise AssetError(f"{path}: found no mapping, expected a spaCy project file")
    variables = config.get("vars") or {}
    return [_read_asset(entry, project, variables) for entry in config.get("assets") or ()]


def prepare_assets(
    assets: Sequence[Asset],
    *,
    folder: Optional[Path] = None,
    extra: bool = False,
    on_ready: Callable[[PreparedAsset], None] = lambda prepared: None,
) -> List[PreparedAsset]:
    """Bring every asset to its place.

    A file that is there with the right checksum stays as it is. Otherwise it is copied from
    `folder`, or downloaded when no folder is given; what does not have the checksum is discarded.

    folder (Optional[Path]): Searched with its subfolders for files of the same name.
    extra (bool): Those that are extra as well; without it, they are left alone.
    on_ready (Callable): Called after each asset.
    RAISES (AssetError): A file that cannot be had, or has the wrong checksum.
    """
    if folder is not None and not folder.is_dir():
        raise AssetError(f"{folder}: no such folder to take corpus files from")
    prepared: List[PreparedAsset] = []
    for asset in assets:
        if asset.extra and not extra:
            continue
        prepared.append(PreparedAsset(asset, _prepare(asset, folder)))
        on_ready(prepared[-1])
    return prepared


def refuse_options(command: str, options: Mapping[str, Any]) -> None:
    """Make sure that no option of the corpora's stands before another command's name.

    options (Mapping[str, Any]): What was given, by the option's name; None and False for nothing.
    RAISES (ConfigError): For the first that was given.
    """
    given = [name for name, value in options.items() if value not in (None, False)]
    if given:
        raise ConfigError(f"found {given[0]} before `{command}`, expected it behind: `{command} …`")


def md5_of(path: Path) -> str:
    """Return the MD5 of a file in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _read_asset(entry: Any, project: Path, variables: Mapping[str, Any]) -> Asset:
    place = project / PROJECT_FILE
    if not isinstance(entry, Mapping) or not entry.get("dest"):
        raise AssetError(f"{place}: found asset {entry!r}, expected one with `dest` (and `url`)")
    values: Dict[str, str] = {
        key: _VARIABLE.sub(
            lambda match: _look_up(match[1], variables, place), str(entry.get(key) or "")
        )
        for key in ("dest", "url", "checksum")
    }
    dest = project / values["dest"]
    if not dest.resolve().is_relative_to(project.resolve()):
        raise AssetError(f"{place}: found dest {values['dest']!r}, expected a path in the project")
    extra = entry.get("extra") is True
    return Asset(dest, values["url"], values["checksum"].strip().lower(), extra)


def _look_up(name: str, variables: Mapping[str, Any], place: Path) -> str:
    value: Any = variables
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise AssetError(f"{place}: found ${{vars.{name}}}, expected a variable under `vars`")
        value = value[part]
    return str(value)


def _prepare(asset: Asset, folder: Optional[Path]) -> str:
    if asset.dest.is_dir():
        raise AssetError(f"{asset.dest}: found a folder, expected a file or nothing")
    if asset.dest.exists():
        _check_present(asset)
        return "present"
    if folder is not None:
        _copy(asset, folder)
        return "copied"
    _download(asset)
    return "downloaded"


def _check_present(asset: Asset) -> None:
    found = md5_of(asset.dest) if asset.checksum else ""
    if found != asset.checksum:
        message = f"found MD5 {found}, expected {asset.checksum}; delete the file to fetch it anew"
        raise AssetError(f"{asset.dest}: {message}")


def _copy(asset: Asset, folder: Path) -> None:
    candidates = list(_find_candidates(asset, folder))
    names = " or ".join(_file_names(asset))
    if not candidates:
        raise AssetError(f"{folder}: found no {names} in it, expected one for {asset.dest}")
    matching = [path for path in candidates if asset.checksum in ("", md5_of(path))]
    if not matching:
        found = md5_of(candidates[0])
        message = f"found MD5 {found}, expected {asset.checksum} for {asset.dest}"
        raise AssetError(f"{candidates[0]}: {message}; bring the file as it is published")
    with replacing(asset.dest) as temporary:
        shutil.copyfile(matching[0], temporary)


def _find_candidates(asset: Asset, folder: Path) -> Iterator[Path]:
    for name in _file_names(asset):
        yield from sorted(
            path for path in folder.rglob("*") if path.name == name and path.is_file()
        )


def _file_names(asset: Asset) -> List[str]:
    published = Path(unquote(urlsplit(asset.url).path)).name
    return list(dict.fromkeys(name for name in (asset.dest.name, published) if name))


def _download(asset: Asset) -> None:
    if not asset.url:
        message = f"{asset.dest}: no such file and no URL for it; bring it yourself"
        raise AssetError(f"{message}, or name a folder that has it (--from)")
    with replacing(asset.dest) as temporary:
        request = urllib.request.Request(asset.url, headers={"User-Agent": "spacy-bioner"})
        try:
            with (
                urllib.request.urlopen(request, timeout=TIMEOUT) as response,
                temporary.open("wb") as file,
            ):
                shutil.copyfileobj(response, file)
        except (OSError, http.client.HTTPException) as error:
            message = f"{asset.url}: cannot be downloaded ({error}); fetch the file where there is"
            message += f" a network and put it at {asset.dest}, or name its folder (--from)"
            raise AssetError(message) from error
        if asset.checksum and md5_of(temporary) != asset.checksum:
            message = f"found MD5 {md5_of(temporary)}, expected {asset.checksum}"
            raise AssetError(f"{asset.url}: {message}; the published file has changed or is broken")
