"""Requirements are looked up in the metadata of what is installed: here of a made-up world."""

import platform
from importlib import metadata

import pytest

from spacy_bioner import __version__
from spacy_bioner.apps.diagnosis import software
from spacy_bioner.apps.diagnosis.software import find_unmet, inspect_software
from spacy_bioner.training.results.diagnosis import ExtraFacts

VERSIONS = {"spacy-bioner": "0.1.0", "spacy": "3.8.7", "torch": "2.9.1+cpu", "numpy": "2.0.0rc1"}
REQUIRES = {
    "spacy-bioner": [
        "spacy<3.9.0,>=3.8.7",
        "daachorse>=0.5.0",
        "torch>=2.10.0; extra == 'torch'",
        "safetensors; extra == 'torch' and python_version < '3'",
        "spacy-bioner[torch]; extra == 'all'",
        "numpy>=1.26; extra == 'all'",
    ],
}


@pytest.fixture
def world(monkeypatch):
    def version(name):
        if name not in VERSIONS:
            raise metadata.PackageNotFoundError(name)
        return VERSIONS[name]

    monkeypatch.setattr(software.metadata, "version", version)
    monkeypatch.setattr(software.metadata, "requires", lambda name: REQUIRES.get(name))


@pytest.mark.parametrize(
    ("line", "unmet"),
    [
        ("spacy>=3.8.7,<3.9.0", []),
        ("spacy>=3.9", ["spacy>=3.9: found 3.8.7"]),
        ("torch>=2.10.0", ["torch>=2.10.0: found 2.9.1+cpu"]),
        ("torch>=2.9", []),
        ("numpy>=1.26", []),
        ("scispacy", ["scispacy: not installed"]),
        ("scispacy; python_version < '3'", []),
        ("scispacy; extra == 'other'", []),
        ("spacy-bioner[torch]>=0.1", ["torch>=2.10.0: found 2.9.1+cpu"]),
        ("spacy-bioner[all]>=0.1", ["torch>=2.10.0: found 2.9.1+cpu"]),
        ("spacy-bioner[torch]>=0.2", ["spacy-bioner>=0.2: found 0.1.0"]),
        ("spacy ==", ["spacy ==: no requirement of a package"]),
    ],
)
def test_requirements_that_are_not_met_are_found(line, unmet, world):
    assert find_unmet([line]) == unmet


def test_a_fault_is_told_once(world):
    assert find_unmet(["spacy-bioner[all,torch]", "torch>=2.10.0"]) == [
        "torch>=2.10.0: found 2.9.1+cpu"
    ]


def test_extras_that_ask_for_each_other_end(world, monkeypatch):
    circle = ["spacy-bioner[b]; extra == 'a'", "spacy-bioner[a]; extra == 'b'"]
    monkeypatch.setitem(REQUIRES, "spacy-bioner", circle)
    assert find_unmet(["spacy-bioner[a]"]) == []


def test_inspect_software_lists_extras_with_what_brings_them(world, monkeypatch):
    class Provided:
        def get_all(self, name):
            return {"Provides-Extra": ["torch", "none"]}[name]

    monkeypatch.setattr(software.metadata, "metadata", lambda name: Provided())
    monkeypatch.setattr(software, "install_command", lambda extra: f"pip install it[{extra}]")
    found = inspect_software()
    assert found.missing == ("daachorse>=0.5.0: not installed",)
    lack = ("torch>=2.10.0: found 2.9.1+cpu",)
    assert found.extras == (ExtraFacts("torch", lack, "pip install it[torch]"), ExtraFacts("none"))
    assert found.python == platform.python_version()
    assert found.versions == {
        "spacy-bioner": __version__,
        "spacy": "3.8.7",
        "thinc": None,
        "numpy": "2.0.0rc1",
        "torch": "2.9.1+cpu",
        "transformers": None,
        "tokenizers": None,
        "onnxruntime": None,
        "onnx": None,
        "spacy-transformers": None,
    }


def test_without_metadata_nothing_is_known_of_extras(monkeypatch):
    def fail(name):
        raise metadata.PackageNotFoundError(name)

    for part in ("version", "requires", "metadata"):
        monkeypatch.setattr(software.metadata, part, fail)
    found = inspect_software()
    assert (found.missing, found.extras) == ((), ())
