"""The exceptions of the package."""

import re

from spacy_bioner import errors
from spacy_bioner.errors import BionerError, CorpusError, OutputError, TermTableError, TextError


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
    drawn = re.findall(r"^    (│   )?(?:├── |└── )?(\w+Error)\b", errors.__doc__, re.MULTILINE)
    found = {name for name, item in vars(errors).items() if isinstance(item, type)}
    assert {name for _, name in drawn} == found - {"CorpusWarning", "Path"}
    assert len(drawn) == len(found) - 2
    below = {name for deep, name in drawn if deep}
    assert below == {item.__name__ for item in CorpusError.__subclasses__()} - {"MissingExtraError"}
    assert all(issubclass(getattr(errors, name), BionerError) for _, name in drawn)
