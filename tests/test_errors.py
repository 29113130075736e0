"""The exceptions of the package."""

import copy
import pickle
import re

import pytest

from spacy_bioner import errors
from spacy_bioner.errors import (
    BionerError,
    CorpusError,
    CorpusWarning,
    MissingExtraError,
    OutputError,
    PatternError,
    TermTableError,
    TextError,
)

KINDS = [item for item in vars(errors).values() if isinstance(item, type) and item.__doc__]
KINDS = [item for item in KINDS if issubclass(item, (BionerError, CorpusWarning))]


def test_a_message_has_file_and_line() -> None:
    assert str(CorpusError("found x", path="a.txt", line=3)) == "a.txt:3: found x"
    assert str(CorpusError("found x")) == "found x"


def test_the_middle_of_a_very_long_message_is_left_out() -> None:
    message = str(TermTableError(f"found {'9' * 5_000}, expected a number", path="a.txt", line=3))
    assert message.startswith("a.txt:3: found 999")
    assert message.endswith("999, expected a number")
    assert " […] " in message
    assert len(message) < 1_000


def test_a_message_of_ordinary_length_stays_whole() -> None:
    message = "x" * 1_000
    assert str(CorpusError(message, path="a")) == f"a: {message}"


def test_a_text_that_cannot_be_processed_is_a_value_error() -> None:
    assert issubclass(TextError, ValueError)


def test_an_output_that_cannot_be_written_is_a_corpus_error() -> None:
    assert issubclass(OutputError, CorpusError)


def test_the_tree_that_is_drawn_is_that_of_the_classes() -> None:
    drawn = re.findall(r"^    (│ +)?(?:├── |└── )?(\w+Error)\b", errors.__doc__, re.MULTILINE)
    found = {kind.__name__ for kind in KINDS} - {"CorpusWarning"}
    assert {name for _, name in drawn} == found
    assert len(drawn) == len(found)
    below = {name for deep, name in drawn if len(deep) == 4}
    assert below == {item.__name__ for item in CorpusError.__subclasses__()} - {"MissingExtraError"}
    assert [name for deep, name in drawn if len(deep) == 8] == ["PatternError"]
    assert TermTableError.__subclasses__() == [PatternError]
    assert all(issubclass(getattr(errors, name), BionerError) for _, name in drawn)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("send", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_passes_from_one_process_to_another(kind: type, send) -> None:
    settings = {"path": "a.txt", "line": 3} if issubclass(kind, CorpusError) else {}
    if kind is MissingExtraError:
        settings["name"] = "torch"
    error = kind("found x", **settings)
    error.hint = "y"
    passed = send(error)
    assert type(passed) is kind
    assert str(passed) == str(error) == ("a.txt:3: found x" if settings else "found x")
    assert passed.hint == "y"
    assert {name: getattr(passed, name) for name in settings} == settings
