"""What is installed, and which requirements are not met."""

import platform
from importlib import metadata
from typing import Dict, List, Optional, Sequence, Set

from packaging.requirements import InvalidRequirement, Requirement

from spacy_bioner import __version__
from spacy_bioner.extras import DISTRIBUTION, install_command
from spacy_bioner.training.results.diagnosis import ExtraFacts, Software

SHOWN = (
    "spacy",
    "thinc",
    "numpy",
    "torch",
    "transformers",
    "tokenizers",
    "onnxruntime",
    "onnx",
    "spacy-transformers",
)


def inspect_software() -> Software:
    """Collect versions, and what this package and its extras lack."""
    versions: Dict[str, Optional[str]] = {DISTRIBUTION: __version__}
    versions |= {name: find_version(name) for name in SHOWN}
    lines = list_required(DISTRIBUTION)
    return Software(
        python=platform.python_version(),
        platform=platform.platform(),
        versions=versions,
        missing=tuple(find_unmet(lines)),
        extras=tuple(_check_extra(extra, lines) for extra in _list_extras()),
    )


def find_version(distribution: str) -> Optional[str]:
    """Return the version of a distribution; None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def list_required(distribution: str) -> List[str]:
    """Return the requirements of a distribution, those of its extras included; none where it is
    not installed."""
    try:
        return metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []


def find_unmet(lines: Sequence[str], extra: str = "") -> List[str]:
    """Find requirements that are not met, through the extras that they ask for.

    lines (Sequence[str]): As in the metadata of a distribution.
    extra (str): Look at those of this extra only; empty: at those of none.
    RETURNS (List[str]): Each with what is there instead.
    """
    return list(dict.fromkeys(_find_unmet(lines, extra, set())))


def _find_unmet(lines: Sequence[str], extra: str, seen: Set[str]) -> List[str]:
    found: List[str] = []
    for line in lines:
        try:
            item = Requirement(line)
        except InvalidRequirement:
            found.append(f"{line}: no requirement of a package")
            continue
        if not _counts(item, extra):
            continue
        version = find_version(item.name)
        wanted = f"{item.name}{item.specifier}"
        if version is None:
            found.append(f"{wanted}: not installed")
        elif not item.specifier.contains(version, prereleases=True):
            found.append(f"{wanted}: found {version}")
        else:
            for inner in sorted(item.extras - {""}):
                if (key := f"{item.name}[{inner}]") not in seen:
                    found += _find_unmet(list_required(item.name), inner, seen | {key})
    return found


def _counts(item: Requirement, extra: str) -> bool:
    if item.marker is None:
        return not extra
    without, with_extra = (item.marker.evaluate({"extra": name}) for name in ("", extra))
    return with_extra and (not extra or not without)


def _list_extras() -> List[str]:
    try:
        return metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []


def _check_extra(extra: str, lines: Sequence[str]) -> ExtraFacts:
    missing = tuple(find_unmet(lines, extra))
    return ExtraFacts(extra, missing, install_command(extra) if missing else "")
