"""Fields of JSON objects that say what they found where they expected something else."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Type, TypeVar

from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import check_text
from spacy_bioner.records import Mention

T = TypeVar("T")
_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class Fields:
    """A JSON object with its place.

    value (Any): What stands there.
    path (Path): The file.
    line (int): The line where the document starts.
    what (str): What the object is, for messages.
    """

    def __init__(self, value: Any, path: Path, line: int, what: str = "document") -> None:
        self.path, self.line, self.what = path, line, what
        if not isinstance(value, dict):
            raise self.error(f"found {describe(value)} as a {what}, expected an object")
        self.value: Dict[str, Any] = value

    def error(self, message: str) -> CorpusError:
        """Make an error at the document's place."""
        return CorpusError(message, path=self.path, line=self.line)

    def get(self, key: str, kind: Type[T], default: Optional[T] = None) -> T:
        """Return a field, which must be of a kind; without a default it must be there.

        Null counts as absent.
        RAISES (CorpusError): Where it is something else.
        """
        value = self.value.get(key)
        if value is None and default is not None:
            return default
        # In Python true and false are numbers as well.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            found = describe(value) if key in self.value else "none"
            raise self.error(f"found {found} as {key!r} of a {self.what}, expected {_NAMES[kind]}")
        return value

    def text(self, key: str, default: Optional[str] = None) -> str:
        """Return a text of whole characters."""
        return check_text(self.get(key, str, default), self.path, self.line)

    def name(self, key: str, default: str = "") -> str:
        """Return an identifier: a text or a number."""
        value = self.value.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(key, default)

    def objects(self, key: str, what: str) -> List["Fields"]:
        """Return a list of objects; an absent one is empty."""
        return [self.inner(item, what) for item in self.get(key, list, [])]

    def inner(self, value: Any, what: str) -> "Fields":
        """Return an object that stands within this one."""
        return Fields(value, self.path, self.line, what)

    def row(self, value: Any, kinds: Tuple[type, ...], what: str) -> List[Any]:
        """Check a list with values of given kinds, such as [start, end, label]."""
        fitting = isinstance(value, list) and len(value) >= len(kinds)
        if not fitting or not all(map(_is_kind, value, kinds)):
            expected = ", ".join(_NAMES[kind] for kind in kinds)
            raise self.error(f"found {describe(value)} as a {what}, expected [{expected}]")
        return list(value)

    def texts(self, value: Any, what: str) -> Tuple[str, ...]:
        """Check a list of texts or numbers."""
        if not isinstance(value, list):
            raise self.error(f"found {describe(value)} as {what}, expected a list")
        return tuple(check_text(as_text(item), self.path, self.line) for item in value)

    def meta(self, value: Any) -> Dict[str, str]:
        """Return an object's values as texts."""
        fields = Fields(value, self.path, self.line, "meta")
        pairs = ((key, as_text(item)) for key, item in fields.value.items())
        return {
            check_text(key, self.path, self.line): check_text(item, self.path, self.line)
            for key, item in pairs
        }


def as_text(value: Any) -> str:
    """Return a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def describe(value: Any) -> str:
    """Say what a JSON value is, shortly."""
    text = json.dumps(value, ensure_ascii=True)
    return f"{_NAMES[type(value)]} ({text if len(text) <= 40 else text[:37] + '...'})"


def span_of(whole: str, start: int, end: int, label: str, text: str = "", **rest: Any) -> Mention:
    """Make a mention; its text is what stands at its offsets in the whole, if none is given."""
    return Mention(start, end, label, text or whole[max(0, start) : max(0, end)], **rest)


def _is_kind(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
