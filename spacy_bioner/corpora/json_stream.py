"""JSON as a stream: the elements of an array one by one, or a value on each line.

No element that was yielded holds half a character (a lone surrogate).
"""

import codecs
import json
import re
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.files import PathLike, check_is_file, check_text
from spacy_bioner.corpora.problems import DOCUMENT, FILE, Problems, skip_or_raise
from spacy_bioner.errors import CorpusError

Item = Tuple[int, Any]
_CHUNK = 1 << 16
_BOM = "\ufeff"
_BOM_BYTES = codecs.BOM_UTF8
_WHOLE = "check that the file is whole and its JSON well-formed"
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
# How near to the end of the text an error must be for more text to mend it: a pair of \uXXXX.
_CUT = 16


def json_kind(path: PathLike) -> str:
    """Tell the form of a JSON file: "lines" (a value on each), "array" or "object".

    An array that opens with a string is a line too: ["text", {"entities": …}]. Only the first
    characters of the first two lines are looked at; a file that is no JSON counts as lines.
    RAISES (CorpusError): No such file, a folder, an archive.
    """
    with check_is_file(path).open("rb") as file:
        first, last = _scan_line(file)
        while first[:1] == b"" and last != b"":
            first, last = _scan_line(file)
        if first[:1] == b"[":
            return "lines" if first[1:].lstrip()[:1] == b'"' else "array"
        if first[:1] != b"{":
            return "lines"
        following, end = _scan_line(file)
        while following == b"" and end != b"":
            following, end = _scan_line(file)
    # Within one value nothing but these may follow a brace, and an object needs one of those before
    # it. A file of one object is an object.
    if following == b"" or following[:1] in b",]}":
        return "object"
    is_value = last == b"}" or (following[:1] == b"{" and last not in b"[:,{")
    return "lines" if is_value else "object"


def stream_lines(path: PathLike, *, problems: Optional[Problems] = None) -> Iterator[Item]:
    """Stream a file with a JSON value on each line; blank lines are left out.

    problems (Optional[Problems]): Takes note of lines that are no JSON, as documents.
    YIELDS (Tuple[int, Any]): The number of the line, from 1, and the value.
    RAISES (CorpusError): With its line, one that is no JSON or not UTF-8.
    """
    path = check_is_file(path)
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                value = _decode_line(raw, path, number)
            except CorpusError as error:
                skip_or_raise(error, DOCUMENT, problems)
                continue
            if value:
                yield number, value[0]


def stream_items(
    path: PathLike,
    *,
    key: Optional[str] = None,
    problems: Optional[Problems] = None,
    others: Optional[Dict[str, Any]] = None,
) -> Iterator[Item]:
    """Stream the elements of an array without holding the file.

    key (Optional[str]): The file is an object, and the array the value of this key of it; None: the
        file is the array.
    problems (Optional[Problems]): Takes note where the file breaks off or cannot be read further
        (as a file), and of elements with half a character (as documents).
    others (Optional[Dict[str, Any]]): Takes the other values of the object, as they are met.
    YIELDS (Tuple[int, Any]): The line where the element starts, from 1, and the element.
    RAISES (CorpusError): With the line, where the file is not such JSON or not UTF-8.
    """
    path = check_is_file(path)
    with path.open("rb") as file:
        text = _JsonText(path, file)
        items = _read_array(text) if key is None else _read_object(text, key, others)
        yield from _take_note(items, text, problems)


def stream_json(path: PathLike, *, problems: Optional[Problems] = None) -> Iterator[Item]:
    """Stream the documents of a file in any form: lines, an array, or one object.

    Otherwise like `stream_lines` and `stream_items`.
    """
    kind = json_kind(path)
    if kind == "lines":
        yield from stream_lines(path, problems=problems)
    elif kind == "array":
        yield from stream_items(path, problems=problems)
    else:
        with check_is_file(path).open("rb") as file:
            text = _JsonText(Path(path), file)
            yield from _take_note(_read_whole(text), text, problems)


class _JsonText:
    """The text of a file from a position on; grows on request, forgets what was read."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.line = 1
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._is_whole = False
        self._grow()
        self._text = self._text.removeprefix(_BOM)

    def peek(self) -> str:
        """Skip white space and give the next character, without taking it; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._move(match.end())
            if self._at < len(self._text) or self._is_whole:
                return self._text[self._at : self._at + 1]
            self._grow()

    def take(self, expected: str) -> str:
        """Take the next character, which must be one of some."""
        found = self.peek()
        if not found or found not in expected:
            raise self.error(self._at, "expected " + " or ".join(map(repr, expected)))
        self._move(self._at + 1)
        return found

    def take_value(self) -> Any:
        """Take the next value. Text is added by doubling, so that the time is linear in it."""
        self.peek()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _CUT
                if not is_cut or self._is_whole:
                    raise self.error(error.pos, f"expected JSON ({error.msg})") from error
            except (ValueError, RecursionError) as error:
                raise CorpusError(_explain(error), path=self.path, line=self.line) from error
            else:
                # More digits could follow.
                if end < len(self._text) or self._is_whole:
                    break
            self._grow()
        self.has_halves = _SURROGATE_ESCAPE.search(self._text, self._at, end) is not None
        self._move(end)
        return value

    def error(self, position: int, expected: str) -> CorpusError:
        """Make an error that shows what stands at a position."""
        found = self._text[position : position + 20]
        line = self.line + self._text.count("\n", self._at, position)
        place = repr(found) if found else "the end of the file"
        return CorpusError(f"found {place}, {expected}; {_WHOLE}", path=self.path, line=line)

    def unexpected(self, expected: str) -> CorpusError:
        """Make an error that shows what comes next."""
        return self.error(self._at, expected)

    def _move(self, position: int) -> None:
        self.line += self._text.count("\n", self._at, position)
        self._at = position

    def _grow(self) -> None:
        self._text = self._text[self._at :]
        self._at = 0
        raw = self._file.read(max(_CHUNK, len(self._text)))
        self._is_whole = not raw
        try:
            self._text += self._decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].count(b"\n") + self._text.count("\n")
            message = (
                f"found byte 0x{error.object[error.start]:02x}, expected UTF-8 text; "
                "convert the file to UTF-8 first"
            )
            raise CorpusError(message, path=self.path, line=self.line + before) from error


def _read_array(text: _JsonText) -> Iterator[Item]:
    """Read a file that is an array."""
    text.take("[")
    yield from _read_elements(text)
    _expect_end(text)


def _read_object(text: _JsonText, key: str, others: Optional[Dict[str, Any]]) -> Iterator[Item]:
    """Read a file that is an object with an array."""
    text.take("{")
    names: List[str] = []
    while text.peek() != "}" or names:
        if text.peek() != '"':
            raise text.unexpected("expected a name in quotation marks")
        name = text.take_value()
        names.append(name)
        text.take(":")
        if name != key:
            value = text.take_value()
            if others is not None:
                others[name] = value
        elif text.peek() == "[":
            text.take("[")
            yield from _read_elements(text)
        else:
            raise text.unexpected(f"expected the list of {key!r}")
        if text.take(",}") == "}":
            break
    else:
        text.take("}")
    if key not in names:
        found = ", ".join(map(repr, names[:8])) or "no key"
        message = f"found {found}, expected {key!r} with a list; choose another format"
        raise CorpusError(message, path=text.path, line=1)
    _expect_end(text)


def _read_whole(text: _JsonText) -> Iterator[Item]:
    """Read a file that is one value."""
    text.peek()
    line = text.line
    value = text.take_value()
    _expect_end(text)
    yield line, value


def _read_elements(text: _JsonText) -> Iterator[Item]:
    """Read the elements of an array behind its bracket, and the closing one."""
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        text.peek()
        line = text.line
        yield line, text.take_value()
        if text.take(",]") == "]":
            return


def _expect_end(text: _JsonText) -> None:
    if text.peek():
        raise text.unexpected("expected the end of the file")


def _take_note(
    items: Iterator[Item], text: _JsonText, problems: Optional[Problems]
) -> Iterator[Item]:
    while True:
        try:
            item = next(items, None)
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
            return
        if item is None:
            return
        try:
            if text.has_halves:
                _check_strings(item[1], text.path, item[0])
        except CorpusError as error:
            skip_or_raise(error, DOCUMENT, problems)
            continue
        yield item


def _decode_line(raw: bytes, path: Path, number: int) -> List[Any]:
    """Give the value of a line as a list of one; an empty list for a blank line."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = (
            f"found byte 0x{raw[error.start]:02x} at column {error.start + 1}, expected UTF-8 "
            "text; convert the file to UTF-8 first"
        )
        raise CorpusError(message, path=path, line=number) from error
    text = (text.removeprefix(_BOM) if number == 1 else text).strip(" \t\r\n")
    if not text:
        return []
    try:
        value, end = _decode(text, 0)
    except json.JSONDecodeError as error:
        found = repr(text[error.pos : error.pos + 20]) if error.pos < len(text) else "its end"
        message = f"found {found} in the line, expected JSON ({error.msg}); {_WHOLE}"
        raise CorpusError(message, path=path, line=number) from error
    except (ValueError, RecursionError) as error:
        raise CorpusError(_explain(error), path=path, line=number) from error
    if end < len(text):
        message = f"found {text[end : end + 20]!r} behind the value of the line, expected its end"
        raise CorpusError(message, path=path, line=number)
    if _SURROGATE_ESCAPE.search(text):
        _check_strings(value, path, number)
    return [value]


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"found JSON nested too deeply, expected a document; {_WHOLE}"
    return f"found a number that is none ({error}), expected finite ones; {_WHOLE}"


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode


def _check_strings(value: Any, path: Path, line: int) -> None:
    """Refuse half characters anywhere in a value."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            check_text(value, path, line)
        elif isinstance(value, dict):
            pending += value.keys()
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _scan_line(file: IO[bytes]) -> Tuple[bytes, bytes]:
    """Read a line without holding it. RETURNS: Its first characters, and its last one (a line end
    for a blank line), without the white space around it; two empty ones at the end of the file."""
    first, last = b"", b""
    while piece := file.readline(_CHUNK):
        bare = piece.removeprefix(_BOM_BYTES).strip()
        first = first or bare[:_CUT]
        last = bare[-1:] or last
        if piece.endswith(b"\n"):
            return first, last or b"\n"
    return first, last
