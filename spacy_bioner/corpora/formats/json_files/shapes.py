"""Which format is a JSON file? Told by the keys and values of its first documents, read as JSON.

How a file is laid out (a document on each line, an array, an object with an array under some key)
says nothing about its format: see `containers`.
"""

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, TypeVar

from spacy_bioner.corpora.formats.json_files.containers import (
    Container,
    find_container,
    stream_documents,
)
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields, describe
from spacy_bioner.corpora.formats.json_files.fields.span_keys import (
    find_span_keys,
    find_text,
    get_at,
    has_place,
    looks_like_spans,
)
from spacy_bioner.corpora.formats.json_files.fields.token_keys import (
    find_tags,
    find_token_spans,
    is_row,
    is_table_of_columns,
)
from spacy_bioner.corpora.formats.json_files.reader import Item
from spacy_bioner.corpora.formats.offsets.units import read_in_characters
from spacy_bioner.corpora.formats.read_errors import DOCUMENT, ReadErrors, at_least_one, read_each
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Record

T = TypeVar("T")

SAMPLE = 20
_BIOC_LISTS = ("documents", "PubTator3")
_TASK_LISTS = ("annotations", "completions", "predictions")


def detect_json(path: PathLike) -> str:
    """Tell the format of a JSON file.

    RETURNS (str): A name in `formats.registry.FORMATS`.
    RAISES (CorpusError): No JSON, or documents of no format that is known, with their keys.
    """
    path = Path(path)
    problems = _FirstError()
    container = find_container(path, rank_document, problems=problems)
    documents: List[Any] = []
    for _, value in stream_documents(path, container, problems=problems):
        documents.append(value)
        if len(documents) == SAMPLE:
            break
    if not documents and problems.error is not None:
        raise problems.error
    names = [recognize(value) for value in documents]
    telling = [name for value, name in zip(documents, names) if name and not is_bare_text(value)]
    name = next(iter([*telling, *filter(None, names)]), "")
    if not name:
        raise CorpusError(_explain(documents), path=path, line=1)
    return name


def find_documents(path: PathLike) -> Container:
    """Find where the documents of a JSON file are; what is wrong with it, its reader tells."""
    return find_container(path, rank_document, problems=ReadErrors())


def read_documents(
    path: Path,
    read: Callable[[Fields, str], T],
    problems: Optional[ReadErrors],
    *,
    container: Optional[Container] = None,
    what: str = "document",
) -> Iterator[T]:
    """Read the documents of a file one by one; a malformed one is left out where somebody takes
    note.

    read (Callable[[Fields, str], T]): Gets a document and its number, from "1".
    container (Optional[Container]): Where they are, if that is known.
    what (str): What they are, for messages.
    """

    def read_one(item: Tuple[int, Item]) -> T:
        number, (line, value) = item
        return read(Fields(value, path, line, what), str(number))

    documents = stream_documents(path, container or find_documents(path), problems=problems)
    return read_each(enumerate(documents, start=1), read_one, problems, unit=DOCUMENT)


def read_in_any_unit(
    path: PathLike,
    to_record: Callable[[Fields, str, Optional[ReadErrors]], Record],
    offsets: Optional[str],
    problems: Optional[ReadErrors],
    *,
    expected: str,
) -> Iterator[Record]:
    """Stream the documents of a file, with offsets in characters; see `read_in_characters`.

    to_record (Callable[[Fields, str, Optional[ReadErrors]], Record]): Gets a document, its number,
        and who takes note of what cannot be read.
    expected (str): What a file without any document should have had.
    RAISES (CorpusError): For a file without any.
    """
    path = Path(path)

    def read(noted: Optional[ReadErrors]) -> Iterator[Record]:
        return read_documents(path, lambda fields, name: to_record(fields, name, noted), noted)

    records = read_in_characters(read, offsets, path=path, problems=problems)
    error = CorpusError(f"found no document, expected {expected}", path=path, line=1)
    yield from at_least_one(records, error)


def recognize(value: Any) -> str:
    """Name the format of one document; empty for what is none."""
    return next((name for name, fits in _SHAPES if fits(value)), "")


def rank_document(value: Any) -> int:
    """Tell what a value is: 2 for a document with annotation, 1 for a bare text, 0 for something
    else, such as an annotation that repeats its text."""
    if not recognize(value) or (isinstance(value, dict) and has_place(value)):
        return 0
    return 1 if is_bare_text(value) else 2


def is_bare_text(value: Any) -> bool:
    """Tell whether a document is a text and nothing that could be annotation."""
    return recognize(value) == "jsonl" and isinstance(value, dict) and not find_span_keys(value)


class _FirstError(ReadErrors):
    """Keeps the first error itself."""

    error: Optional[CorpusError] = None

    def add(self, error: CorpusError, unit: str) -> None:
        self.error = self.error or error
        super().add(error, unit)


def _is_tuple(value: Any) -> bool:
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[0], str):
        return False
    return isinstance(value[1], dict) or looks_like_spans(value[1])


def _is_uima_cas(value: Any) -> bool:
    return isinstance(value, dict) and "%FEATURE_STRUCTURES" in value


def _is_bioc(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    firsts = [_first(value, key) for key in _BIOC_LISTS]
    if any("passages" in first and not _is_bigbio(first) for first in firsts):
        return True
    if any(value.get(key) == [] for key in _BIOC_LISTS):
        return True
    return isinstance(value.get("passages"), list) and not _is_bigbio(value)


def _is_bigbio(value: Any) -> bool:
    passage = _first(value, "passages")
    is_empty = isinstance(value, dict) and value.get("passages") == [] and "entities" in value
    return is_empty or ("offsets" in passage and "offset" not in passage)


def _is_presidio(value: Any) -> bool:
    if not isinstance(get_at(value, ("full_text",)), str):
        return False
    return value.get("spans") == [] or "start_position" in _first(value, "spans")


def _is_label_studio(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("data"), dict):
        return any(isinstance(value.get(key), list) for key in _TASK_LISTS)
    # The short form names the annotator, or gives every region a list of labels.
    keys = [key for key, item in value.items() if isinstance(item, list)]
    regions = [_first(value, key) for key in keys]
    has_regions = any(has_place(region) and "labels" in region for region in regions)
    return "text" in value and ("annotator" in value or "annotation_id" in value or has_regions)


def _is_spacy_v2(value: Any) -> bool:
    paragraph = _first(value, "paragraphs")
    return "sentences" in paragraph or ("raw" in paragraph and "entities" in paragraph)


def _is_europepmc(value: Any) -> bool:
    annotation = _first(value, "annotations")
    return "exact" in annotation and not has_place(annotation) and find_text(value) is None


def _is_pubannotation(value: Any) -> bool:
    if not isinstance(get_at(value, ("text",)), str):
        return False
    tracks = value.get("tracks")
    return isinstance(value.get("denotations"), list) or isinstance(tracks, list)


def _is_tokens(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if is_row(value) or is_table_of_columns(value):
        return True
    if find_token_spans(value) is not None:
        return True
    annotated = any(get_at(value, path) for path in find_span_keys(value))
    return find_tags(value) is not None and not (find_text(value) and annotated)


def _is_doccano(value: Any) -> bool:
    if not isinstance(value, dict) or not any(
        isinstance(value.get(key), str) for key in ("text", "data")
    ):
        return False
    for key in ("label", "labels", "entities"):
        items = value.get(key)
        if isinstance(items, list):
            is_rows = all(isinstance(item, list) for item in items)
            return is_rows or "start_offset" in _first(value, key)
    return False


def _is_jsonl(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("responses"), dict) and find_text(value) == ("fields", "text"):
        return True
    text = find_text(value)
    if text is None:
        # A number in its place: the reader says so.
        is_damaged = isinstance(value.get("text"), (int, float))
        return is_damaged and bool(find_span_keys(value))
    return text == ("text",) or bool(find_span_keys(value))


def _first(value: Any, key: str) -> Dict[str, Any]:
    """Return the first object in a list under a key, else an empty one."""
    items = value.get(key) if isinstance(value, dict) else None
    item = items[0] if isinstance(items, list) and items else None
    return item if isinstance(item, dict) else {}


def _explain(documents: List[Any]) -> str:
    """Say why nothing of a JSON file is known."""
    hint = "(see `bioner convert --help`); name it with --from"
    objects = [item for item in documents if isinstance(item, dict)]
    if not objects:
        found = describe(documents[0]) if documents else "an empty list"
        return f"found {found}, expected a format that is known, with objects for documents {hint}"
    within = [_first(item, key) for item in objects for key in item]
    shown = ", ".join(list(objects[0])[:10]) or "none"
    if any(has_place(item) or find_span_keys(item) for item in (*objects, *within)):
        message = f"found annotations without their text (keys: {shown})"
        return f"{message}, expected a format that is known, with the text in the file {hint}"
    return f"found JSON with the keys {shown}, expected a format that is known {hint}"


_SHAPES: Tuple[Tuple[str, Callable[[Any], bool]], ...] = (
    ("jsonl", _is_tuple),
    ("uima_cas", _is_uima_cas),
    ("bigbio", _is_bigbio),
    ("bioc_json", _is_bioc),
    ("presidio", _is_presidio),
    ("label_studio", _is_label_studio),
    ("spacy_v2", _is_spacy_v2),
    ("europepmc", _is_europepmc),
    ("jsonl", _is_pubannotation),
    ("json_tokens", _is_tokens),
    ("doccano", _is_doccano),
    ("jsonl", _is_jsonl),
)
