"""Damage to files: of their bytes, lines, fields and structure, and of their encoding."""

import json
import random
import re
import zlib
from typing import Any, Callable, List, Sequence, Tuple

Mutation = Callable[[bytes, random.Random], bytes]
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
WORD = re.compile(rb"[^\s,|\"]+")
SEPARATOR = re.compile(rb"[\t ,;|]+")
TAG = re.compile(rb"<[^<>]*>")
SNIPPETS = (
    b"\0", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\n", b"\n\n", b"\t", b"\t\t", b" ", b"\x0b", b"\x0c",
    b"\x1a", b"\x1b[31m", b"\x85", b"\xc2\x85", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xe2\x80\x8b",
    b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"e\xcc\x81", b"\xef\xbf\xbd", b'"',
    b"'", b"\\", b"\\u0000", b"\\ud800", b"\\n", b",", b";", b"|", b"|t|", b"|a|", b"{", b"}", b"[",
    b"]", b":", b"#", b"-DOCSTART-", b"O", b"B-", b"I-X", b"E-D", b"<", b">", b"&amp;", b"&x;",
    b"<!-- -->", b"]]>", b"null", b"NaN", b"Infinity", b"1e999", b"T1", b"R1", b"A1", b"||", b'c="',
)  # fmt: skip
NUMBERS = (
    b"0", b"-1", b"1", b"2147483648", b"-9223372036854775809", b"18446744073709551616", b"1e400",
    b"3.5", b"0x10", b"007", b"1_000", b"\xd9\xa3", b"\xc2\xb2", b"", b"NaN", b"9" * 5_000, b"+5",
    b" 5", b"1,2", b"true",
)  # fmt: skip
VALUES: Tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", "0", "\ud800", "\0",
    [], {}, [[]], [None], {"": None}, [1, 2, "X"], {"start": 0, "end": 3, "label": "X"},
    "a\nb\r\nc", [0, 10**9, "Disease"], [-5, 3, "Disease"], [3, 1, "Disease"],
    ["0", "3", "Disease"], "é" * 3_000,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "latin-1",
             "shift_jis", "cp037", "utf-7")  # fmt: skip
DEPTH = 100_000


def mutate(data: bytes, other: bytes, source: random.Random) -> bytes:
    """Damage a file one to four times.

    other (bytes): Another file, of which pieces may get into it.
    """
    for _ in range(source.choice((1, 1, 2, 4))):
        if source.random() < 0.07:
            data = _splice(data, other, source)
        elif data[:1] == b"\x78" and source.random() < 0.8:
            data = _mutate_packed(data, source)
        else:
            data = source.choice(_choose(data, source))(data, source)
    return data


def _choose(data: bytes, source: random.Random) -> Sequence[Mutation]:
    head = data.lstrip()[:1]
    if head in (b"{", b"[") and source.random() < 0.5:
        return (_change_json,)
    if head == b"<" and source.random() < 0.4:
        return (_change_markup,)
    return ANY


def _mutate_packed(data: bytes, source: random.Random) -> bytes:
    """Damage what is in a zlib stream: damage outside of it is found by its checksum."""
    try:
        inside = zlib.decompress(data)
    except zlib.error:
        return data
    return zlib.compress(source.choice(BYTES)(inside, source))


def _splice(data: bytes, other: bytes, source: random.Random) -> bytes:
    if source.random() < 0.5:
        return data + other
    return data[: source.randint(0, len(data))] + other[source.randint(0, len(other)) :]


def _truncate(data: bytes, source: random.Random) -> bytes:
    return data[: source.randint(0, len(data))]


def _cut(data: bytes, source: random.Random) -> bytes:
    start, end = _range(data, source)
    return data[:start] + data[end:]


def _repeat(data: bytes, source: random.Random) -> bytes:
    start, end = _range(data, source)
    return data[:end] + data[start:end] * source.choice((1, 1, 3, 50)) + data[end:]


def _set(data: bytes, source: random.Random) -> bytes:
    place = source.randint(0, len(data))
    return data[:place] + bytes([source.randint(0, 255)]) + data[place + 1 :]


def _insert(data: bytes, source: random.Random) -> bytes:
    place = source.randint(0, len(data))
    return data[:place] + source.choice(SNIPPETS) + data[place:]


def _swap(data: bytes, source: random.Random) -> bytes:
    a, b, c = sorted(source.randint(0, len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _change_lines(data: bytes, source: random.Random) -> bytes:
    lines = data.split(b"\n")
    first, second = source.randrange(len(lines)), source.randrange(len(lines))
    kind = source.randrange(7)
    if kind == 0:
        del lines[first]
    elif kind == 1:
        lines.insert(second, lines[first])
    elif kind == 2:
        lines[first], lines[second] = lines[second], lines[first]
    elif kind == 3:
        lines[first] = lines[first] + b"\r"
    elif kind == 4:
        lines.insert(first, source.choice((b"", b" ", b"\t", b"\r", b"#", b"\xef\xbb\xbf")))
    elif kind == 5:
        source.shuffle(lines)
    else:
        lines[first : first + 2] = [b"".join(lines[first : first + 2])]
    return b"\n".join(lines)


def _end_lines(data: bytes, source: random.Random) -> bytes:
    return data.replace(b"\n", source.choice((b"\r\n", b"\r", b"\n\n", b"\xe2\x80\xa8", b"\x0b")))


def _change_number(data: bytes, source: random.Random) -> bytes:
    return _replace_one(data, NUMBER, source.choice(NUMBERS), source)


def _shift_number(data: bytes, source: random.Random) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    match = source.choice(found)
    try:
        number = int(match[0]) + source.choice((-3, -1, 1, 5))
    except ValueError:
        return data
    return data[: match.start()] + str(number).encode() + data[match.end() :]


def _change_word(data: bytes, source: random.Random) -> bytes:
    found = WORD.findall(data)
    new = source.choice((*SNIPPETS, *found[:200], b"x" * 20_000))
    return _replace_one(data, WORD, new, source)


def _change_separator(data: bytes, source: random.Random) -> bytes:
    new = source.choice((b"\t", b" ", b",", b";", b"|", b"", b"\t\t"))
    if source.random() < 0.3:
        return data.replace(b"\t", new)
    return _replace_one(data, SEPARATOR, new, source)


def _encode(data: bytes, source: random.Random) -> bytes:
    text = data.decode("utf-8", errors="replace")
    return text.encode(source.choice(ENCODINGS), errors="replace")


def _change_json(data: bytes, source: random.Random) -> bytes:
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if source.random() < 0.03:
        return source.choice(("[" * DEPTH, '{"a":' * DEPTH, '{"text": ' + "[" * DEPTH)).encode()
    try:
        return _dump(_change_value(json.loads(text), source), source)
    except (ValueError, RecursionError):
        pass
    lines = text.split("\n")
    place = source.randrange(len(lines))
    try:
        changed = _dump(_change_value(json.loads(lines[place]), source), None)
    except (ValueError, RecursionError):
        return data
    parts = [line.encode("utf-8", "surrogatepass") for line in lines]
    return b"\n".join([*parts[:place], changed, *parts[place + 1 :]])


def _change_value(value: Any, source: random.Random) -> Any:
    """Change something somewhere in a JSON value, mostly deep inside."""
    if isinstance(value, dict) and value and source.random() < 0.85:
        return _change_object(dict(value), source)
    if isinstance(value, list) and value and source.random() < 0.85:
        changed, place = list(value), source.randrange(len(value))
        kind = source.random()
        if kind < 0.1:
            del changed[place]
        elif kind < 0.2:
            changed.insert(place, changed[source.randrange(len(changed))])
        else:
            changed[place] = _change_value(changed[place], source)
        return changed
    if isinstance(value, int) and source.random() < 0.4:
        return value + source.choice((-100, -1, 1, 7, 10**6))
    if isinstance(value, str) and source.random() < 0.3:
        place = source.randint(0, len(value))
        return value[:place] + source.choice(("\n", "\0", "\U0001f600", "\t", "")) + value[place:]
    if source.random() < 0.15:
        return source.choice(([value], {"x": value}, str(value)))
    return source.choice(VALUES)


def _change_object(value: dict, source: random.Random) -> dict:
    key = source.choice(list(value))
    kind = source.random()
    if kind < 0.12:
        del value[key]
    elif kind < 0.2:
        value[source.choice((key.upper(), key + "s", "", "text", "label", "id"))] = value.pop(key)
    elif kind < 0.25:
        other = source.choice(list(value))
        value[key], value[other] = value[other], value[key]
    else:
        value[key] = _change_value(value[key], source)
    return value


def _dump(value: Any, source: Any) -> bytes:
    indent = source.choice((None, None, 2)) if source else None
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace")


def _change_markup(data: bytes, source: random.Random) -> bytes:
    if source.random() < 0.1:
        kind = source.choice((b'<!ENTITY a "b">', b'<!ENTITY a SYSTEM "file:///etc/hosts">'))
        return b"<!DOCTYPE collection [" + kind + b"]>" + data.replace(b"</text>", b"&a;</text>", 1)
    found = TAG.findall(data)
    new = (b"", b"<x>", b"</x>", b"<text/>", b"<infon>", b'<location offset="a"/>', *found[:200])
    return _replace_one(data, TAG, source.choice(new), source)


def _replace_one(
    data: bytes, pattern: "re.Pattern[bytes]", new: bytes, source: random.Random
) -> bytes:
    found = list(pattern.finditer(data))
    if not found:
        return data + new
    match = source.choice(found)
    return data[: match.start()] + new + data[match.end() :]


def _range(data: bytes, source: random.Random) -> Tuple[int, int]:
    start = source.randint(0, len(data))
    return start, min(len(data), start + source.choice((1, 2, 8, 60, 400)))


BYTES: List[Mutation] = [_truncate, _cut, _repeat, _set, _insert, _swap]
ANY: List[Mutation] = [
    *BYTES, _change_lines, _change_lines, _change_lines, _end_lines, _change_number, _change_number,
    _shift_number, _shift_number, _change_word, _change_word, _change_separator, _encode,
]  # fmt: skip
