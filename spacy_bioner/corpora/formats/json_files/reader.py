"""JSON as a stream: the elements of an array one by one, or a value on each line.

No value that is given holds half a character (a lone surrogate).
"""

import codecs
import json
import re
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.read_errors import (
    DOCUMENT,
    FILE,
    ReadErrors,
    skip_or_raise,
)
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file, check_text

Item = Tuple[int, Any]
_CHUNK = 1 << 16
_BOM = "\ufeff"
_BOM_BYTES = codecs.BOM_UTF8
_SPACE = re.compile(r"[ \t\n\r]*")
# How near to the end of the text an error must be for more text to mend it: a pair of \uXXXX.
_CUT = 16
WHOLE = "check that the file is whole and its JSON well-formed"
TO_UTF8 = "expected UTF-8 text; convert the file to UTF-8 first"
# An escape in the source of a value that may be half of a character.
HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")


def json_kind(path: PathLike) -> str:
    """Tell the form of a JSON file: "lines" (a value on each), "array" or "object" (one document,
    or several one after the other, over any lines).

    A list that opens with a string is a document: ["text", {"entities": …}]. Only the first two
    lines are looked at, without holding them; a file that is no JSON counts as lines.
    RAISES (CorpusError): No such file, a folder, an archive.
    """
    with check_is_file(path).open("rb") as file:
        first, last = _scan_line(file)
        if first[:1] not in (b"[", b"{"):
            return "lines"
        following, _ = _scan_line(file)
    is_tuple = first[:1] == b"[" and first[1:].lstrip()[:1] == b'"'
    if first[:1] == b"[" and not is_tuple:
        return "array"
    if is_tuple:
        if not following:
            return "object"
        return "lines" if last == b"]" and following[:1] == b"[" else "array"
    # Within one object nothing but these may follow a line that ends in a brace.
    if not following or following[:1] in b",]}":
        return "object"
    is_value = last == b"}" or (following[:1] == b"{" and last not in b"[:,{")
    return "lines" if is_value else "object"


def stream_lines(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Item]:
    """Stream a file with a JSON value on each line; blank lines are left out.

    problems (Optional[ReadErrors]): Takes note of lines that cannot be read, as documents.
    YIELDS (Tuple[int, Any]): The number of the line, from 1, and the value.
    RAISES (CorpusError): With its line, one that is no JSON or not UTF-8; a file without any.
    """
    path = check_is_file(path)
    is_empty = True
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.removeprefix(_BOM_BYTES).strip():
                continue
            is_empty = False
            try:
                value = decode_line(raw, path, number)
            except CorpusError as error:
                skip_or_raise(error, DOCUMENT, problems)
            else:
                yield number, value
    if is_empty:
        message = "found an empty file, expected a JSON value on each line"
        raise CorpusError(message, path=path, line=1)


def stream_items(
    path: PathLike, *, key: Optional[str] = None, problems: Optional[ReadErrors] = None
) -> Iterator[Item]:
    """Stream the elements of an array without holding the file.

    key (Optional[str]): The file is an object, and the array the value of this key of it; None: the
        file is the array.
    problems (Optional[ReadErrors]): Takes note where the file breaks off (as a file), and of
        elements with half a character (as documents).
    YIELDS (Tuple[int, Any]): The line where the element starts, from 1, and the element.
    RAISES (CorpusError): With the line, where the file is not such JSON or not UTF-8.
    """
    path = check_is_file(path)
    with path.open("rb") as file:
        source = JsonSource(file, path)
        items = _read_array(source) if key is None else _read_object(source, key)
        yield from take_note(items, source, problems)


def stream_json(path: PathLike, *, problems: Optional[ReadErrors] = None) -> Iterator[Item]:
    """Stream the documents of a file in any form (see `json_kind`).

    Otherwise like `stream_lines` and `stream_items`.
    """
    kind = json_kind(path)
    if kind == "lines":
        yield from stream_lines(path, problems=problems)
    elif kind == "array":
        yield from stream_items(path, problems=problems)
    else:
        with Path(path).open("rb") as file:
            source = JsonSource(file, Path(path))
            yield from take_note(read_values(source), source, problems)


class JsonSource:
    """The text of a file from a position on; grows on request, forgets what was read.

    file (IO[bytes]): The file, open at its start.
    path (Path): Its path, for messages.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.path = path
        self.line = 1
        self.may_have_halves = False
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._is_whole = False
        self._has_started = False

    def peek(self) -> str:
        """Skip white space and return the next character, without taking it; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._move(match.end() if match else self._at)
            if self._at < len(self._text) or self._is_whole:
                return self._text[self._at : self._at + 1]
            self._grow()

    def take(self, characters: str, what: str) -> str:
        """Take the next character, which must be one of some."""
        found = self.peek()
        if not found or found not in characters:
            raise self.error(f"expected {what}")
        self._move(self._at + 1)
        return found

    def take_value(self) -> Any:
        """Take the next value. Text is added by doubling, so that the time is linear in it."""
        self.peek()
        while True:
            try:
                value, end = decode_at(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._is_whole or not self._is_cut(error):
                    raise explain(error, self._text, self._at, self.path, self.line) from error
            else:
                # More digits could follow.
                if end < len(self._text) or self._is_whole:
                    break
            self._grow()
        self.may_have_halves = HALF_ESCAPED.search(self._text, self._at, end) is not None
        self._move(end)
        return value

    def error(self, expected: str, *, where: str = "") -> CorpusError:
        """Make an error that shows what comes next."""
        found = self._text[self._at : self._at + 20]
        message = f"found {repr(found) if found else 'the end of the file'}{where}, {expected}"
        return CorpusError(f"{message}; {WHOLE}", path=self.path, line=self.line)

    def _is_cut(self, error: Exception) -> bool:
        """Tell whether more text could mend an error: a long file is not read to tell of its
        start."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - _CUT

    def _move(self, position: int) -> None:
        self.line += self._text.count("\n", self._at, position)
        self._at = position

    def _grow(self) -> None:
        self._text = self._text[self._at :]
        self._at = 0
        raw = self._file.read(max(_CHUNK, len(self._text)))
        self._is_whole = not raw
        try:
            text = self._decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            before = self._text.count("\n") + error.object[: error.start].count(b"\n")
            message = f"found byte 0x{error.object[error.start]:02x}, {TO_UTF8}"
            raise CorpusError(message, path=self.path, line=self.line + before) from error
        if text and not self._has_started:
            self._has_started = True
            text = text.removeprefix(_BOM)
        self._text += text


def _read_array(source: JsonSource) -> Iterator[Item]:
    yield from read_elements(source)
    expect_end(source)


def read_elements(source: JsonSource) -> Iterator[Item]:
    """Read an array from its opening bracket to the closing one."""
    source.take("[", "an array")
    if source.peek() == "]":
        source.take("]", "the end of the array")
        return
    while True:
        source.peek()
        line = source.line
        yield line, source.take_value()
        if source.take(",]", "a comma or the end of the array") == "]":
            return


def _read_object(source: JsonSource, key: str) -> Iterator[Item]:
    """Read the array under a key; the other values are checked and forgotten."""
    is_found = False
    for name in read_keys(source):
        if name != key:
            source.take_value()
        else:
            is_found = True
            yield from read_elements(source)
    if not is_found:
        message = f"found no key {key!r}, expected it with an array; choose another format"
        raise CorpusError(message, path=source.path, line=1)
    expect_end(source)


def read_values(source: JsonSource) -> Iterator[Item]:
    """Read values that stand one after the other; the first one must be there."""
    is_first = True
    while is_first or source.peek() in ("{", "["):
        is_first = False
        source.peek()
        line = source.line
        yield line, source.take_value()
    expect_end(source)


def read_keys(source: JsonSource) -> Iterator[str]:
    """Stream the keys of an object; the value of each has to be taken before the next."""
    source.take("{", "an object")
    is_open = source.peek() != "}"
    if not is_open:
        source.take("}", "the end of the object")
    while is_open:
        if source.peek() != '"':
            raise source.error("expected a key in quotes")
        name = str(source.take_value())
        source.take(":", "a colon")
        yield name
        is_open = source.take(",}", "the end of the object or a comma") == ","


def expect_end(source: JsonSource) -> None:
    """Make sure that nothing follows the value of a file."""
    if source.peek():
        raise source.error("expected nothing", where=" behind the end of the value")


def take_note(
    items: Iterator[Item], source: JsonSource, problems: Optional[ReadErrors]
) -> Iterator[Item]:
    """Pass items on; note where the file breaks off, and items with half a character."""
    while True:
        try:
            item = next(items, None)
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
            return
        if item is None:
            return
        try:
            if source.may_have_halves:
                check_strings(item[1], source.path, item[0])
        except CorpusError as error:
            skip_or_raise(error, DOCUMENT, problems)
        else:
            yield item


def _scan_line(file: IO[bytes]) -> Tuple[bytes, bytes]:
    """Return the first characters and the last one of the next line that is not blank, without
    holding it; nothing at the end of the file."""
    first, last = b"", b""
    while piece := file.readline(_CHUNK):
        bare = piece.removeprefix(_BOM_BYTES).strip()
        first = first or bare[:_CUT]
        last = bare[-1:] or last
        if first and piece.endswith(b"\n"):
            break
    return first, last


def decode_line(raw: bytes, path: Path, number: int) -> Any:
    """Return the value of a line.

    RAISES (CorpusError): Not UTF-8, no JSON, more than one value, or half a character in it.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"found byte 0x{raw[error.start]:02x} at column {error.start + 1}, {TO_UTF8}"
        raise CorpusError(message, path=path, line=number) from error
    text = (text.removeprefix(_BOM) if number == 1 else text).strip(" \t\r\n")
    try:
        value, end = decode_at(text, 0)
    except (ValueError, RecursionError) as error:
        raise explain(error, text, 0, path, number) from error
    if end < len(text):
        message = f"found {text[end : end + 20]!r} behind the end of the value, expected nothing"
        raise CorpusError(f"{message}; {WHOLE}", path=path, line=number)
    if HALF_ESCAPED.search(text):
        check_strings(value, path, number)
    return value


def explain(error: Exception, text: str, start: int, path: Path, line: int) -> CorpusError:
    """Make an error of what the decoder says.

    start (int): The offset in the text that `line` is the line of.
    """
    if isinstance(error, json.JSONDecodeError):
        line += text.count("\n", start, error.pos)
        found = text[error.pos : error.pos + 20]
        place = repr(found) if found else "the end"
        message = f"found {place} where JSON cannot go on ({error.msg})"
    elif isinstance(error, RecursionError):
        message = "found JSON nested too deeply, expected a document"
    else:
        message = f"found a value that cannot be read ({error}), expected JSON"
    return CorpusError(f"{message}; {WHOLE}", path=path, line=line)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _refuse_repeated(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """Make an object. Python would keep the last of two values under one key without a word."""
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: Dict[str, Any] = {}
        for key, item in pairs:
            if key in seen and seen[key] != item:
                raise ValueError(f"key {key[:40]!r} with two values in one object")
            seen[key] = item
    return value


decode_at = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated
).raw_decode


def check_strings(value: Any, path: Path, line: int) -> None:
    """Refuse half characters anywhere in a value."""
    pending: List[Any] = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            check_text(value, path, line)
        elif isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
