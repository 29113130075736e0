"""BioC JSON through the library `bioc`, one document at a time.

A file is a collection, `{"documents": [...]}` (PubTator's export calls the list "PubTator3"), a
list of documents, one document, or one on each line. What may be left out in a published file
(infons, sentences, relations) may be left out. Further plain values of a document count as its
infons. See `records` for how a document becomes a Record.
"""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.formats.bioc.documents import CARRIES, SURROGATE, make_document
from spacy_bioner.corpora.formats.bioc.records import Decoded, make_records, require_bioc
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.containers import stream_documents
from spacy_bioner.corpora.formats.json_files.shapes import find_documents
from spacy_bioner.corpora.formats.read_errors import ANNOTATION, ReadErrors, skip_or_raise
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file, check_text
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record

__all__ = ["CARRIES", "FORMAT", "read_bioc_json", "write_bioc_json"]

MAX_OFFSET = 999_999_999
_LISTS = ("documents", "PubTator3")
_KEYS = frozenset(("id", "passages", *_LISTS))
_DOCUMENT_KEYS = frozenset(("id", "infons", "passages", "annotations", "relations", "bioctype"))


def read_bioc_json(
    path: PathLike, *, individual_mentions: bool = False, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents of a BioC JSON file.

    individual_mentions (bool): Keep the parts of coordinations that BC5CDR annotates as well.
    problems (Optional[ReadErrors]): Takes note of annotations and documents that cannot be read,
        which are then left out, and of a broken end of the file.
    YIELDS (Record): Mentions have the line on which their document starts.
    RAISES (CorpusError): Malformed JSON or BioC; no document at all.
    """
    require_bioc(path)
    path = check_is_file(path)
    yield from make_records(
        _read_documents(path, problems),
        _decode,
        path,
        individual_mentions=individual_mentions,
        problems=problems,
    )


def write_bioc_json(records: Iterable[Record], path: PathLike) -> int:
    """Write records as BioC JSON, each document on a line, replacing the file at the end only.

    RETURNS (int): The number of documents.
    RAISES (CorpusError): A text with half a character.
    """
    require_bioc(path)
    from bioc import biocjson

    count = 0
    head = '{"bioctype": "BioCCollection", "source": "spacy-bioner", "date": "", "key": "", '
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head + '"version": "1.0", "infons": {}, "documents": [')
        for count, record in enumerate(records, start=1):
            document = biocjson.toJSON(make_document(record, path, forbidden=SURROGATE))
            file.write(",\n" if count > 1 else "\n")
            file.write(json.dumps(document, ensure_ascii=False))
        file.write("\n]}\n")
    return count


def _read_documents(path: Path, problems: Optional[ReadErrors]) -> Iterator[Tuple[int, Any]]:
    container = find_documents(path)
    for line, item in stream_documents(path, container, problems=problems):
        if container.kind == "values" and isinstance(item, dict) and not _KEYS & set(item):
            message = "found no key 'documents', expected it with an array; choose another format"
            raise CorpusError(message, path=path, line=line)
        # The service of PubMed Central gives a list of collections.
        for document in _documents_in(item):
            yield line, document


def _documents_in(item: Any) -> List[Any]:
    key = next((key for key in _LISTS if isinstance(item, dict) and key in item), None)
    if key is None or "passages" in item:
        return [item]
    documents = item[key]
    return documents if isinstance(documents, list) else [documents]


def _decode(item: Any, path: Path, line: int, problems: Optional[ReadErrors]) -> Decoded:
    """Check a document, leave out its relations and malformed annotations, and decode it."""
    from bioc import biocjson

    cleaner = _Cleaner(path, line, problems)
    document = biocjson.fromJSON(cleaner.document(item), bioctype="BioCDocument")
    return Decoded(document, (line,), cleaner.relations)


class _Cleaner:
    """Makes the objects that the library expects, or says what is wrong with those found."""

    def __init__(self, path: Path, line: int, problems: Optional[ReadErrors]) -> None:
        self.path = path
        self.line = line
        self.problems = problems
        self.relations = 0

    def document(self, item: Any) -> Dict[str, Any]:
        self._check_object(item, "a document")
        if isinstance(item.get("id"), bool) or not isinstance(item.get("id"), (str, int)):
            raise self._error("a document without a text or number as `id`")
        if "passages" not in item:
            raise self._error("a document without `passages`")
        more = {
            key: value
            for key, value in item.items()
            if key not in _DOCUMENT_KEYS and isinstance(value, (str, int, float))
        }
        return {
            "id": self._text(str(item["id"])),
            "infons": {**self._infons(more), **self._infons(item.get("infons"))},
            "passages": [self._passage(one) for one in self._list(item, "passages")],
            **self._inside(item),
        }

    def _passage(self, item: Any) -> Dict[str, Any]:
        sentences = self._list(item, "sentences")
        return {**self._node(item), "sentences": [self._node(one) for one in sentences]}

    def _node(self, item: Any) -> Dict[str, Any]:
        self._check_object(item, "a passage or sentence")
        offset = _as_offset(item.get("offset"))
        if offset is None:
            raise self._error(f"offset {str(item.get('offset'))[:40]!r}", "a number")
        return {
            "offset": offset,
            "infons": self._infons(item.get("infons")),
            "text": self._optional(item, "text"),
            **self._inside(item),
        }

    def _inside(self, item: Any) -> Dict[str, Any]:
        self.relations += len(self._list(item, "relations"))
        annotations = []
        for one in self._list(item, "annotations"):
            fault = _find_annotation_fault(one)
            if fault:
                skip_or_raise(self._error(*fault), ANNOTATION, self.problems)
            else:
                annotations.append(self._annotation(one))
        return {"annotations": annotations, "relations": []}

    def _annotation(self, item: Any) -> Dict[str, Any]:
        places = item.get("locations") or []
        return {
            "id": self._text(str(item.get("id", ""))),
            "infons": self._infons(item.get("infons")),
            "text": self._optional(item, "text"),
            "locations": [
                {name: _as_offset(place[name]) for name in ("offset", "length")} for place in places
            ],
        }

    def _infons(self, item: Any) -> Dict[str, str]:
        if item is None:
            return {}
        self._check_object(item, "infons")
        return {self._text(key): self._text(_as_text(value)) for key, value in item.items()}

    def _list(self, item: Any, key: str) -> List[Any]:
        self._check_object(item, "a passage")
        value = item.get(key)
        if value is not None and not isinstance(value, list):
            raise self._error(f"`{key}` that is no list", "one")
        return value or []

    def _optional(self, item: Dict[str, Any], key: str) -> str:
        value = item.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error(f"`{key}` that is no text", "one")
        return self._text(value or "")

    def _check_object(self, item: Any, what: str) -> None:
        if not isinstance(item, dict):
            raise self._error(f"{_as_text(item)[:40]!r} as {what}", "an object")

    def _text(self, text: str) -> str:
        return check_text(text, self.path, self.line)

    def _error(self, found: str, expected: str = "one") -> CorpusError:
        message = f"found {found} in the document that starts here, expected {expected}"
        return CorpusError(message, path=self.path, line=self.line)


def _find_annotation_fault(item: Any) -> Optional[Tuple[str, str]]:
    """Say what is wrong with an annotation: what was found, what was expected."""
    if not isinstance(item, dict):
        return f"{_as_text(item)[:40]!r} as an annotation", "an object"
    for key, kind in (("infons", dict), ("locations", list), ("text", str)):
        if not isinstance(item.get(key), (kind, type(None))):
            return f"an annotation with {_as_text(item[key])[:40]!r} as `{key}`", "another kind"
    for place in item.get("locations") or []:
        for name in ("offset", "length"):
            value = place.get(name) if isinstance(place, dict) else None
            if _as_offset(value) is None:
                return f"an annotation with {name} {_as_text(value)[:40]!r}", "a number"
    return None


def _as_offset(value: Any) -> Optional[int]:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= MAX_OFFSET else None


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


FORMAT = Format(
    "bioc_json",
    "BioC JSON",
    read_bioc_json,
    write_bioc_json,
    carried=CARRIES,
    endings=(".bioc.json",),
    options=frozenset(("individual_mentions",)),
)
