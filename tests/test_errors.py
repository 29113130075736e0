"""The exceptions of the package."""

from spacy_bioner.errors import CorpusError, TermTableError, TextError


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
