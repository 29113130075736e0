"""Registered names: what setup.cfg promises is there, is called as agreed, and can be validated."""

import re
from configparser import ConfigParser
from importlib import import_module
from typing import List, Tuple, get_type_hints

import pytest
import spacy
from spacy.language import Language

from spacy_bioner.components import FACTORIES
from tests.paths import ROOT

FACTORY = re.compile(r"bioner(_[a-z]+)*")
FUNCTION = re.compile(r"spacy_bioner\.[A-Z][A-Za-z0-9]*\.v[1-9][0-9]*")


def _read_entry_points() -> List[Tuple[str, str, str]]:
    """List (group, name, object) of every entry point in setup.cfg."""
    config = ConfigParser(delimiters=["="], interpolation=None)
    # Names are case-sensitive.
    config.optionxform = str
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return [
        (group, *(part.strip() for part in line.split("=", 1)))
        for group, lines in config["options.entry_points"].items()
        for line in lines.strip().splitlines()
    ]


ENTRY_POINTS = _read_entry_points()
SPACY_POINTS = [point for point in ENTRY_POINTS if point[0].startswith(("spacy_", "thinc_"))]
IDS = [name for _, name, _ in SPACY_POINTS]


def _resolve(target):
    module, attribute = target.split(":")
    return getattr(import_module(module), attribute)


def test_the_public_list_of_components_is_that_of_setup_cfg():
    names = [name for group, name, _ in ENTRY_POINTS if group == "spacy_factories"]
    assert list(FACTORIES) == names


def test_setup_cfg_names_entry_points():
    assert {"console_scripts", "spacy_factories", "spacy_scorers", "spacy_loggers"} <= {
        group for group, _, _ in ENTRY_POINTS
    }


@pytest.mark.parametrize(("group", "name", "target"), ENTRY_POINTS)
def test_entry_point_resolves_to_a_callable(group, name, target):
    assert callable(_resolve(target))


@pytest.mark.parametrize(("group", "name", "target"), SPACY_POINTS, ids=IDS)
def test_registered_name_follows_the_convention(group, name, target):
    pattern = FACTORY if group == "spacy_factories" else FUNCTION
    assert pattern.fullmatch(name)


@pytest.mark.parametrize(("group", "name", "target"), SPACY_POINTS, ids=IDS)
def test_annotations_can_be_read_at_run_time(group, name, target):
    # One annotation that only type checkers see switches off all validation of a config.
    function = _resolve(target)
    hints = get_type_hints(function)
    code = function.__code__
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    assert [argument for argument in arguments if argument not in hints] == []


@pytest.mark.parametrize(("group", "name", "target"), SPACY_POINTS, ids=IDS)
def test_spacy_finds_the_registered_object(group, name, target):
    if group == "spacy_factories":
        # A factory that lacks `@Language.factory` is found, but cannot be added (E002).
        assert spacy.registry.get("factories", name) is _resolve(target)
        assert Language.has_factory(name)
    else:
        registry = getattr(spacy.registry, group.split("_", 1)[1])
        assert registry.get(name) is _resolve(target)
