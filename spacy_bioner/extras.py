"""Optional dependencies: which command brings one, for whoever installed this package, however."""

import json
import re
import shlex
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import List, Optional, Union
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from spacy_bioner.errors import MissingExtraError

DISTRIBUTION = "spacy-bioner"
EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")


def install_command(extra: str) -> str:
    """Say what to type to install an extra.

    Where it runs from sources, these are named, and stay what runs; where it was installed from a
    folder or a wheel that is still there, that is: it need not be on any index. Else the extra's
    own requirements are, which always are.

    extra (str): As in setup.cfg, such as "corpora".
    RETURNS (str): A command for a shell, on one line.
    """
    sources = Path(__file__).resolve().parents[1]
    if (sources / "setup.cfg").is_file():
        # What runs are these sources: they stay so.
        return shlex.join(["pip", "install", "-e", f"{sources}[{extra}]"])
    origin = _find_origin()
    if origin is not None:
        return shlex.join(["pip", "install", f"{origin}[{extra}]"])
    return shlex.join(["pip", "install", *_list_requirements(extra)])


def require(
    *packages: str,
    extra: str,
    who: str,
    otherwise: str = "",
    path: Optional[Union[str, Path]] = None,
    line: Optional[int] = None,
) -> None:
    """Make sure that packages are installed.

    packages (str): As they are imported.
    extra (str): The extra that brings them.
    who (str): What needs them, in words.
    otherwise (str): What can be done instead.
    path (Optional[Union[str, Path]]): The file that is about to be read or written.
    line (Optional[int]): The line in it, counted from 1.
    RAISES (MissingExtraError): Where they are not, with the command that brings them.
    """
    missing = find_missing(*packages)
    if missing:
        message = say_missing(*missing, extra=extra, who=who)
        message += f"; {otherwise}" if otherwise else ""
        raise MissingExtraError(message, name=missing[0], path=path, line=line)


def find_missing(*packages: str) -> List[str]:
    """List those packages, named as they are imported, that are not installed."""
    return [name for name in packages if not _is_there(name)]


def say_missing(*packages: str, extra: str, who: str) -> str:
    """Say that packages are missing and how to get them, for errors and notes; see `require`."""
    return f"{who} needs {' and '.join(packages)}, not installed here: {install_command(extra)}"


def name_extra(extra: str) -> str:
    """Name an extra for a page, which is read elsewhere: where the sources lie here is nobody's
    business there."""
    return f"the extra '{extra}' of {DISTRIBUTION}"


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:
        # Finders that keep a package out say so like this.
        return False


def _find_origin() -> Optional[Path]:
    """Find the folder or the wheel that pip installed from (PEP 610); None where there is none."""
    try:
        found = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    address = urlparse(json.loads(found)["url"] if found else "")
    if address.scheme != "file":
        return None
    path = Path(url2pathname(unquote(address.path)))
    return path if path.is_file() or (path / "setup.cfg").is_file() else None


def _list_requirements(extra: str) -> List[str]:
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        lines = []
    chosen = []
    for line in lines:
        requirement, _, marker = line.partition(";")
        if (found := EXTRA.search(marker)) and found.group(1) == extra:
            chosen.append(requirement.strip())
    # Without metadata there is no list to read.
    return chosen or [f"{DISTRIBUTION}[{extra}]"]
