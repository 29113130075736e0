"""The exception tree. Everything the package raises on purpose is a `BionerError`."""

from pathlib import Path
from typing import Optional, Union

# A value that is found may be the whole of a file: both ends of a message say what it is about.
_LONGEST, _HEAD, _TAIL = 1_000, 600, 300


class BionerError(Exception):
    """Base of every error that this package raises on purpose."""


class CorpusError(BionerError):
    """A corpus file that cannot be read as what it claims to be.

    message (str): What was found, what was expected and what to do. The middle of a very long one
        is left out.
    path (Optional[Union[str, Path]]): The file.
    line (Optional[int]): The line in it, counted from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Optional[Union[str, Path]] = None,
        line: Optional[int] = None,
    ) -> None:
        self.path = None if path is None else str(path)
        self.line = line
        place = ":".join(str(part) for part in (self.path, line) if part is not None)
        if len(message) > _LONGEST:
            message = f"{message[:_HEAD]} […] {message[-_TAIL:]}"
        super().__init__(f"{place}: {message}" if place else message)


class CorpusWarning(UserWarning):
    """A corpus file that can be read, and may not be what its user takes it for."""


class TermTableError(CorpusError):
    """A term table or pattern file with a malformed row."""


class TextError(BionerError, ValueError):
    """A text that cannot be processed."""


class LabelError(BionerError):
    """A label or tag that the scheme or the model does not know."""


class EncoderError(BionerError):
    """Encoder weights that are missing, incomplete or of an unknown kind."""


class DeviceError(BionerError):
    """A device that was asked for and is not there."""


class TrainingDataError(BionerError):
    """Training data that nothing can be learned from."""


class MissingExtraError(BionerError, ModuleNotFoundError):
    """Something was asked for that needs packages which are not installed.

    message (str): What needs them, and the command that brings them.
    name (str): The first of these packages.
    """

    def __init__(self, message: str, *, name: str) -> None:
        ModuleNotFoundError.__init__(self, message, name=name)


class AssetError(BionerError):
    """A corpus file that is absent or does not have the expected checksum."""


class PackageError(BionerError):
    """A pipeline that cannot be packaged as asked."""


class StoppedError(BionerError):
    """Work that its user stopped; the message says what is kept of it."""


class ConfigError(BionerError):
    """A profile, corpus or training setting that is missing or contradicts another."""
