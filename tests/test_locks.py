"""The locks name every version that an environment can need, on each Python, and fit setup.cfg."""

import ast
import re
import sys
from configparser import ConfigParser
from importlib import metadata
from typing import Dict, List

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.paths import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
SCISPACY = PYTHONS[:3]
LOCKS = [(name, python) for name in ("default", "trf") for python in PYTHONS]
LOCKS += [("scispacy", python) for python in SCISPACY]


def read_lock(name: str) -> List[Requirement]:
    lines = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def chosen(name: str, python: str, platform: str = "linux") -> Dict[str, str]:
    """Return the versions for one Python; each package has one."""
    system = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform]
    machine = {"linux": "x86_64", "darwin": "arm64", "win32": "AMD64"}[platform]
    place = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": platform,
        "platform_system": system,
        "platform_machine": machine,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    found: Dict[str, str] = {}
    for item in read_lock(name):
        if item.marker is None or item.marker.evaluate(place):
            key = canonicalize_name(item.name)
            assert key not in found, f"{key} has two versions on Python {python}, {platform}"
            (pin,) = item.specifier
            assert pin.operator == "=="
            found[key] = pin.version
    return found


def wanted(extras: List[str]) -> List[Requirement]:
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    blocks = [config["options"]["install_requires"]]
    blocks += [config["options.extras_require"][extra] for extra in extras]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def extras_of(name: str) -> List[str]:
    first = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").splitlines()[0]
    return re.findall(r"version of ([\w,]+), by", first)[0].split(",")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(("name", "python"), LOCKS)
def test_each_requirement_is_met_by_the_one_version_of_its_lock(name, python, platform):
    versions = chosen(name, python, platform)
    unmet = [
        f"{item}, locked {versions.get(canonicalize_name(item.name))}"
        for item in wanted(extras_of(name))
        if versions.get(canonicalize_name(item.name), "0") not in item.specifier
    ]
    assert unmet == []


def test_every_extra_is_in_some_lock():
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    locked = {extra for name in ("default", "trf", "scispacy") for extra in extras_of(name)}
    assert locked == set(config["options.extras_require"])


@pytest.mark.parametrize("python", PYTHONS)
def test_the_default_lock_is_current(python):
    versions = chosen("default", python)
    assert int(versions["numpy"].split(".")[0]) >= 2
    assert int(versions["transformers"].split(".")[0]) >= 5


@pytest.mark.parametrize(("name", "python"), LOCKS)
def test_no_lock_has_what_is_built_from_source(name, python):
    assert {"seqeval", "docopt", "nmslib"}.isdisjoint(chosen(name, python))


@pytest.mark.parametrize(("name", "python"), LOCKS)
def test_no_lock_has_a_version_that_loads_weights_unsafely(name, python):
    versions = chosen(name, python)
    torch = [int(part) for part in versions.get("torch", "2.10").split(".")[:2]]
    assert torch >= [2, 10]
    found = [int(part) for part in versions.get("transformers", "5.3").split(".")[:2]]
    assert found < [4, 56] or found >= [5, 3]


@pytest.mark.parametrize("version", ["4.56.0", "4.57.6", "5.0.0", "5.2.9"])
def test_setup_excludes_the_transformers_with_a_known_fault(version):
    for extra in ("torch", "train"):
        (item,) = [item for item in wanted([extra]) if item.name == "transformers"]
        assert version not in item.specifier


def test_what_is_installed_here_is_what_a_lock_says():
    """Complete: whatever the installed package needs, directly or not, is in the lock."""
    name = "trf" if _has("spacy-transformers") else "scispacy" if _has("scispacy") else "default"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = chosen(name, python)
    needed = _walk("spacy-bioner", extras_of(name))
    assert len(needed) > 30
    assert sorted(needed - set(versions)) == []
    differ = [key for key in needed if _plain(metadata.version(key)) != _plain(versions[key])]
    assert differ == []


def test_the_scripts_for_environments_can_be_read_by_old_pythons():
    source = (ROOT / "locks" / "install.py").read_text(encoding="utf-8")
    # f-strings are the newest of what it uses: it has to run as far as its message.
    ast.parse(source, feature_version=(3, 6))
    assert "import tomllib" not in source


def _has(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _plain(version: str) -> str:
    # A CPU build of torch has a local part: 2.13.0+cpu.
    return version.split("+")[0]


def _walk(root: str, extras: List[str]) -> set:
    """List what a distribution needs here and has: an extra may not be installed."""
    seen, queue = set(), [(root, tuple(extras))]
    while queue:
        name, wanted_extras = queue.pop()
        for line in metadata.requires(name) or []:
            item = Requirement(line)
            key = canonicalize_name(item.name)
            marked = item.marker is None or any(
                item.marker.evaluate({"extra": extra}) for extra in ("", *wanted_extras)
            )
            if marked and _has(key) and key not in seen:
                seen.add(key)
                queue.append((key, tuple(item.extras)))
    return seen
