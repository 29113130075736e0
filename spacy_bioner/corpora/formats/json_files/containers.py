"""Where the documents of a JSON file are: on its lines, in an array, in an array within an object.

Objects are walked key by key, and of an array only the first element is held, so that a file of any
size is looked at in little memory. Files without a list of documents are one document themselves,
or several values one after the other. An object of documents by their names is a list as well.
Lists beside the first whose documents look alike ("train", "test") are read along with it.
"""

from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

from spacy_bioner.corpora.formats.json_files.reader import (
    Item,
    JsonSource,
    expect_end,
    json_kind,
    read_elements,
    read_keys,
    read_values,
    stream_items,
    stream_json,
    stream_lines,
    take_note,
)
from spacy_bioner.corpora.formats.read_errors import FILE, ReadErrors, skip_or_raise
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file

_SMALL = 1 << 20
_DEPTH = 4
# Keys of one document whose parts have texts of their own.
_PARTS = frozenset(("passages", "paragraphs", "tracks"))
RankDocument = Callable[[Any], int]


@dataclass(frozen=True)
class Container:
    """How a file holds its documents.

    kind (str): "lines", "array", "values" (one value, or several), "list" (an array in an object)
        or "map" (an object of documents).
    keys (Tuple[str, ...]): The keys from the outermost object to the list or map.
    """

    kind: str
    keys: Tuple[str, ...] = ()


def find_container(
    path: PathLike, rank: RankDocument, *, problems: Optional[ReadErrors] = None
) -> Container:
    """Find the documents of a file.

    rank (Callable[[Any], int]): Gives 0 for a value that is no document, 1 for a bare text, 2 for
        one with annotation.
    RAISES (CorpusError): No such file; what is no JSON, where nobody takes note.
    """
    path = check_is_file(path)
    kind = json_kind(path)
    if kind == "lines":
        return Container("lines")
    if kind == "array":
        first = [value for _, value in islice(stream_items(path, problems=problems), 2)]
        # ["text", {…}] over several lines is one document.
        is_one = bool(first) and isinstance(first[0], str) and rank(first) > 0
        return Container("values" if is_one else "array")
    if path.stat().st_size <= _SMALL:
        whole = next(stream_json(path, problems=problems), (1, None))[1]
        if _is_whole(whole, rank):
            return Container("values")
    with path.open("rb") as file:
        source = JsonSource(file, path)
        try:
            found, _ = _walk(source, rank, ()) if source.peek() == "{" else (None, {})
        except CorpusError as error:
            skip_or_raise(error, FILE, problems)
            found = None
    return found or Container("values")


def stream_documents(
    path: PathLike, container: Container, *, problems: Optional[ReadErrors] = None
) -> Iterator[Item]:
    """Stream the documents; those of a map without an id get their name as one.

    Otherwise like `reader.stream_json`.
    """
    path = Path(path)
    if container.kind == "lines":
        yield from stream_lines(path, problems=problems)
    elif container.kind == "array":
        yield from stream_items(path, problems=problems)
    elif container.kind == "values":
        with path.open("rb") as file:
            source = JsonSource(file, path)
            yield from take_note(read_values(source), source, problems)
    else:
        with path.open("rb") as file:
            source = JsonSource(file, path)
            yield from take_note(_read_at(source, container), source, problems)


def read_beside(path: PathLike, container: Container) -> Dict[str, Any]:
    """Return what stands beside the list of documents in its objects, such as names of labels."""
    found: Dict[str, Any] = {}
    if container.kind == "list":
        with Path(path).open("rb") as file:
            _read_beside(JsonSource(file, Path(path)), container.keys, found)
    return found


def _is_whole(value: Any, rank: RankDocument) -> bool:
    """Tell whether an object is a document itself: nothing in it is more of one."""
    own = rank(value)
    if own != 1 or not isinstance(value, dict):
        return own > 0
    lists = [item for item in value.values() if isinstance(item, list) and item]
    return not any(isinstance(item[0], dict) and rank(item[0]) > 1 for item in lists)


def _walk(
    source: JsonSource, rank: RankDocument, keys: Tuple[str, ...]
) -> Tuple[Optional[Container], Dict[str, Any]]:
    """Look for a list of documents in an object. RETURNS: It, and else the values that are small,
    with the first element of each array."""
    seen: Dict[str, Any] = {}
    members = 0
    for key in read_keys(source):
        following = source.peek()
        if following == "[":
            elements = read_elements(source)
            first = next((value for _, value in elements if value is not None), None)
            is_part = key in _PARTS and rank({key: [first]}) > 0
            if not is_part and rank(first) > rank(seen):
                return Container("list", (*keys, key)), seen
            seen[key] = [] if first is None else [first]
            for _ in elements:
                pass
        elif following == "{" and len(keys) < _DEPTH:
            found, inner = _walk(source, rank, (*keys, key))
            if found:
                return found, seen
            members += rank(inner) > 1
            seen[key] = inner
        else:
            seen[key] = source.take_value()
    if members and members == len(seen):
        return Container("map", keys), seen
    return None, seen


def _read_at(source: JsonSource, container: Container) -> Iterator[Item]:
    yield from _descend(source, container, container.keys)
    expect_end(source)


def _descend(source: JsonSource, container: Container, keys: Tuple[str, ...]) -> Iterator[Item]:
    if not keys and container.kind == "list":
        yield from read_elements(source)
        return
    first: Any = None
    for name in read_keys(source):
        source.peek()
        line = source.line
        if not keys:
            value = source.take_value()
            yield line, {"id": name, **value} if isinstance(value, dict) else value
        elif name == keys[0]:
            for item in _descend(source, container, keys[1:]):
                first = item[1] if first is None else first
                yield item
        elif container.kind == "list" and first is not None:
            yield from _read_alike(source, keys[1:], first)
        else:
            source.take_value()


def _read_alike(source: JsonSource, keys: Tuple[str, ...], first: Any) -> Iterator[Item]:
    """Stream a list beside that of the documents if it is made as that one is: another split."""
    if not keys and source.peek() == "[":
        elements = read_elements(source)
        head = next(elements, None)
        rest = elements if head is None else chain([head], elements)
        are_alike = head is not None and _are_alike(head[1], first)
        yield from (item for item in rest if are_alike)
        return
    line = source.line
    value = source.take_value()
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list) and value and _are_alike(value[0], first):
        yield from ((line, item) for item in value)


def _are_alike(value: Any, first: Any) -> bool:
    """Tell whether two values have most of their keys in common, or are lists that begin alike.

    Of texts that come before those with annotation, the keys are a part of theirs.
    """
    if isinstance(value, dict) and isinstance(first, dict):
        both = len(value.keys() & first.keys())
        return both == len(first) or 2 * both > len(value.keys() | first.keys())
    are_lists = isinstance(value, list) and isinstance(first, list) and value and first
    return bool(are_lists) and [type(v) for v in value] == [type(v) for v in first]


def _read_beside(source: JsonSource, keys: Tuple[str, ...], found: Dict[str, Any]) -> None:
    for name in read_keys(source):
        if name != keys[0]:
            found[name] = source.take_value()
        elif len(keys) > 1:
            _read_beside(source, keys[1:], found)
        else:
            for _ in read_elements(source):
                pass
