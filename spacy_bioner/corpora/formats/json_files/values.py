"""One JSON value: decoding it, with errors that name file and line."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import check_text

WHOLE = "check that the file is whole and its JSON well-formed"
TO_UTF8 = "expected UTF-8 text; convert the file to UTF-8 first"
# An escape in the source of a value that may be half of a character.
HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_BOM = "\ufeff"


def decode_line(raw: bytes, path: Path, number: int) -> Any:
    """Give the value of a line.

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
