"""Names that packages offer lazily: where they come from, and what is said of others."""

import subprocess
import sys
from importlib import import_module

import pytest

import spacy_bioner
from spacy_bioner.corpora.read_write import read_corpus

LIGHT = """
import sys
import spacy_bioner
import {package}
print([name for name in ("spacy", "torch", "numpy") if name in sys.modules])
"""
PACKAGES = ["spacy_bioner"]
PACKAGES += [f"spacy_bioner.{name}" for name in ("components", "corpora", "evaluation")]
PACKAGES += ["spacy_bioner.knowledge"]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_imported_without_spacy(package):
    command = [sys.executable, "-c", LIGHT.format(package=package)]
    assert subprocess.check_output(command, text=True) == "[]\n"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_is_offered_is_there(package):
    module = import_module(package)
    assert module.__all__ == sorted(module.__all__)
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)


def test_a_name_is_that_of_its_module():
    assert spacy_bioner.read_corpus is read_corpus
    assert spacy_bioner.errors is import_module("spacy_bioner.errors")


def test_an_import_of_an_unknown_name_says_which_there_are():
    with pytest.raises(ImportError) as caught:
        exec("from spacy_bioner import red_corpus")
    message = str(caught.value)
    assert message.startswith("found no 'red_corpus' in spacy_bioner, expected one of Concept, ")
    assert message.endswith("write_corpus; did you mean 'read_corpus'?")


def test_an_unknown_attribute_says_which_there_are():
    with pytest.raises(AttributeError, match=r"^found no 'nonsense' in .*\.knowledge, expected"):
        _ = spacy_bioner.knowledge.nonsense
    assert not hasattr(spacy_bioner, "nonsense")
    assert not hasattr(spacy_bioner, "__wrapped__")


def test_modules_that_are_not_offered_can_be_imported():
    exec("from spacy_bioner import apps, records\nfrom spacy_bioner.corpora import labels")


@pytest.mark.parametrize("name", ["x", "", "dummy"])
def test_loaders_that_ask_for_any_name_get_the_package(name):
    assert __import__("spacy_bioner.corpora", fromlist=[name]).__name__ == "spacy_bioner.corpora"
