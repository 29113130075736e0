"""The exception tree. Everything the package raises on purpose is a `BionerError`:

    BionerError
    ├── CorpusError            a file that is not what it claims to be
    │   ├── OutputError        an output that cannot be written
    │   └── TermTableError     a row of a term table or pattern file
    │       └── PatternError   a pattern that is none, or is not there; also a ValueError
    ├── ConfigError            a setting that is missing or contradicts another
    ├── MissingExtraError      packages that are not installed; also a ConfigError, a CorpusError
    │                          and a ModuleNotFoundError, for whoever waits for one of these
    ├── TextError              a text that cannot be processed; also a ValueError
    ├── LabelError             a label or tag that nobody knows
    ├── EncoderError           encoder weights
    ├── DeviceError            a device that is not there
    ├── TrainingDataError      nothing to learn from
    ├── AssetError             a file without its checksum
    ├── PackageError           a pipeline that cannot be packaged or exported
    └── StoppedError           work that its user stopped

`CorpusWarning` is a UserWarning.
"""

from pathlib import Path
from typing import Any, Optional, Tuple, Union

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


class OutputError(CorpusError):
    """An output that cannot be written where it should be, or must not be."""


class TermTableError(CorpusError):
    """A term table or pattern file with a malformed row."""


class PatternError(TermTableError, ValueError):
    """A pattern that is none, or is not there; spaCy's EntityRuler raises a ValueError here."""


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


class AssetError(BionerError):
    """A corpus file that is absent or does not have the expected checksum."""


class PackageError(BionerError):
    """A pipeline that cannot be packaged or exported as asked."""


class StoppedError(BionerError):
    """Work that its user stopped; the message says what is kept of it."""


class ConfigError(BionerError):
    """A profile, corpus or training setting that is missing or contradicts another."""


class MissingExtraError(ConfigError, CorpusError, ModuleNotFoundError):
    """Something was asked for that needs packages which are not installed.

    message (str): What needs them, and the command that brings them.
    name (str): The first of these packages.
    path (Optional[Union[str, Path]]): The file that was being read or written.
    line (Optional[int]): The line in it, counted from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        name: str,
        path: Optional[Union[str, Path]] = None,
        line: Optional[int] = None,
    ) -> None:
        super().__init__(message, path=path, line=line)
        # ImportError takes both back when it is made.
        self.name = name
        self.path = None if path is None else str(path)

    def __reduce__(self) -> Tuple[Any, ...]:
        """Let it pass from one process to another; without, whoever waits for it waits for ever."""
        return _rebuild_missing, (str(self), self.name, self.path), self.__dict__


def _rebuild_missing(message: str, name: str, path: Optional[str]) -> MissingExtraError:
    # The message has the place already.
    error = MissingExtraError(message, name=name)
    error.path = path
    return error
