"""BioC XML through the library `bioc`, one document at a time.

A file is checked by expat before anything else sees it: entities that a file declares or does not
know are refused, as is any encoding but UTF-8, so nothing is expanded and nothing is fetched. The
`<!DOCTYPE collection SYSTEM 'BioC.dtd'>` of published files is skipped. What is not part of BioC
(unknown elements, repeated or missing ones) is refused as well, since the library passes over it.
See `records` for how a document becomes a Record.
"""

import re
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple
from xml.parsers import expat

from spacy_bioner.corpora.formats.bioc.documents import CARRIES, NOT_XML, make_document
from spacy_bioner.corpora.formats.bioc.records import Decoded, make_records, require_bioc
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.read_errors import ANNOTATION, ReadErrors, skip_or_raise
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record

__all__ = ["CARRIES", "FORMAT", "read_bioc_xml", "write_bioc_xml"]

CHUNK_SIZE = 65_536
MAX_PROLOG = 1_000_000
MAX_DIGITS = 9
_ROOT = re.compile(r"<(?![?!])([\w:.-]+)")
_NUMBER = re.compile(rf"\s*\d{{1,{MAX_DIGITS}}}\s*", re.ASCII)
_CHILDREN: Dict[str, FrozenSet[str]] = {
    "document": frozenset(("id", "infon", "passage", "annotation", "relation")),
    "passage": frozenset(("infon", "offset", "text", "sentence", "annotation", "relation")),
    "sentence": frozenset(("infon", "offset", "text", "annotation", "relation")),
    "annotation": frozenset(("infon", "location", "text")),
}
_SINGLE = ("id", "offset", "text")
_REQUIRED = {"document": "id", "passage": "offset", "sentence": "offset"}


def is_bioc_xml(head: str) -> bool:
    """Tell whether a text starts as XML with a collection does."""
    root = _ROOT.search(head)
    return head.startswith("<") and root is not None and root[1] == "collection"


def read_bioc_xml(
    path: PathLike, *, individual_mentions: bool = False, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents of a BioC XML file.

    individual_mentions (bool): Keep the parts of coordinations that BC5CDR annotates as well.
    problems (Optional[ReadErrors]): Takes note of annotations and documents that cannot be read,
        which are then left out, and of a broken end of the file.
    YIELDS (Record): Lines of mentions are those of their elements.
    RAISES (CorpusError): Malformed XML or BioC, an entity, another encoding; no document at all.
    """
    require_bioc(path)
    path = check_is_file(path)
    yield from make_records(
        _read_documents(path),
        _decode,
        path,
        individual_mentions=individual_mentions,
        problems=problems,
    )


def write_bioc_xml(records: Iterable[Record], path: PathLike) -> int:
    """Write records as BioC XML, each document on a line, replacing the file at the end only.

    RETURNS (int): The number of documents.
    RAISES (CorpusError): Characters that XML does not have (controls, half a character).
    """
    require_bioc(path)
    from bioc import BioCCollection
    from bioc.biocxml import BioCXMLDocumentWriter

    count = 0
    collection = BioCCollection()
    collection.source, collection.date, collection.key = "spacy-bioner", "", ""
    with replacing(path) as temporary, temporary.open("wb") as file:
        writer = BioCXMLDocumentWriter(file, encoding="UTF-8")
        try:
            writer.write_collection_info(collection)
            for record in records:
                count += 1
                writer.write_document(make_document(record, path, forbidden=NOT_XML))
        finally:
            writer.close()
    return count


class _Guard:
    """Lets only XML through that declares no entity and is encoded as UTF-8."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pending = b""
        self.has_root = False
        self.seen = 0
        # The encoding is set, not read from the file: expat and lxml then see the same characters.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.XmlDeclHandler = self._check_declaration
        self.parser.EntityDeclHandler = self._refuse_declared
        self.parser.SkippedEntityHandler = self._refuse_unknown
        self.parser.StartElementHandler = self._check_root

    def check(self, chunk: bytes, *, is_last: bool) -> Tuple[bytes, Optional[CorpusError]]:
        """Return what of the file may be parsed, with this chunk, and the error behind it."""
        error: Optional[CorpusError] = None
        self.pending += chunk
        try:
            self.parser.Parse(chunk, is_last)
        except expat.ExpatError as malformed:
            reason = expat.ErrorString(malformed.code)
            message = f"found malformed XML ({reason}), expected a whole BioC collection"
            error = CorpusError(message, path=self.path, line=malformed.lineno)
            end = max(self.parser.ErrorByteIndex - self.seen, 0)
            self.pending = self.pending[: len(self.pending) - len(chunk) + end]
        if not self.has_root and error is None and len(self.pending) > MAX_PROLOG:
            raise self._error(f"found no element in {MAX_PROLOG} bytes, expected <collection>")
        self.seen += len(chunk)
        if not self.has_root:
            # Declarations stand before the root: nothing is parsed until all were seen.
            return b"", error
        checked, self.pending = self.pending, b""
        return checked, error

    def _check_declaration(self, version: str, encoding: Optional[str], standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            message = f"found encoding {encoding!r}, expected UTF-8; convert the file first"
            raise self._error(message)

    def _refuse_declared(self, name: str, *_: object) -> None:
        message = f"found a declaration of the entity {name!r}, expected none"
        raise self._error(f"{message}; entities are not expanded: write out the characters")

    def _refuse_unknown(self, name: str, is_parameter: bool) -> None:
        message = f"found the unknown entity {name!r}, expected characters; write them out"
        raise self._error(message)

    def _check_root(self, name: str, attributes: Dict[str, str]) -> None:
        if name != "collection":
            raise self._error(f"found <{name[:40]}> as the root, expected <collection>")
        self.has_root = True
        self.parser.StartElementHandler = None

    def _error(self, message: str) -> CorpusError:
        return CorpusError(message, path=self.path, line=self.parser.CurrentLineNumber)


def _read_documents(path: Path) -> Iterator[Tuple[int, Any]]:
    """Yield the <document> elements of a file with their lines, freeing each behind it."""
    from lxml import etree

    guard = _Guard(path)
    parser = etree.XMLPullParser(
        events=("end",),
        tag="document",
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    with path.open("rb") as file:
        _refuse_wide(file.read(4), path)
        file.seek(0)
        error: Optional[CorpusError] = None
        chunk = b"-"
        while chunk and error is None:
            chunk = file.read(CHUNK_SIZE)
            checked, error = guard.check(chunk, is_last=not chunk)
            try:
                parser.feed(checked)
            except etree.XMLSyntaxError as limit:
                line = max(limit.lineno or 1, 1)
                error = error or CorpusError(f"found {limit}, expected BioC", path=path, line=line)
            yield from _take_documents(parser)
    if error is not None:
        raise error


def _refuse_wide(head: bytes, path: Path) -> None:
    if b"\0" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "found UTF-16 or UTF-32 text, expected UTF-8; convert the file first"
        raise CorpusError(message, path=path, line=1)


def _take_documents(parser: Any) -> Iterator[Tuple[int, Any]]:
    for _, element in parser.read_events():
        parent = element.getparent()
        if parent is None or parent.getparent() is not None:
            continue
        yield element.sourceline or 1, element
        element.clear(keep_tail=True)
        while element.getprevious() is not None:
            del parent[0]


def _decode(element: Any, path: Path, line: int, problems: Optional[ReadErrors]) -> Decoded:
    """Check a <document>, leave out its relations and malformed annotations, and decode it."""
    from bioc import biocxml
    from lxml import etree

    relations = list(element.iter("relation"))
    for item in relations:
        item.getparent().remove(item)
    for annotation in list(element.iter("annotation")):
        fault = _find_annotation_fault(annotation)
        if fault:
            error = CorpusError(fault, path=path, line=annotation.sourceline or line)
            skip_or_raise(error, ANNOTATION, problems)
            annotation.getparent().remove(annotation)
        else:
            annotation.set("id", annotation.get("id", ""))
    for parent in element.iter("document", "passage", "sentence"):
        _check_structure(parent, path)
    lines = [annotation.sourceline or line for annotation in _in_order(element)]
    source = etree.tostring(element, encoding="unicode", with_tail=False)
    document = biocxml.loads(f"<collection>{source}</collection>").documents[0]
    return Decoded(document, lines, len(relations))


def _check_structure(parent: Any, path: Path) -> None:
    fault = _find_child_fault(parent)
    tag = parent.tag
    required = _REQUIRED[tag]
    value = parent.findtext(required)
    if not fault and value is None:
        fault = f"found <{tag}> without <{required}>, expected one"
    elif not fault and required == "offset" and not _NUMBER.fullmatch(value):
        fault = f"found offset {value[:40]!r} of <{tag}>, expected a number"
    if fault:
        raise CorpusError(fault, path=path, line=parent.sourceline or 1)


def _find_annotation_fault(annotation: Any) -> str:
    fault = _find_child_fault(annotation)
    for place in annotation.iter("location"):
        for name in ("offset", "length"):
            value = place.get(name, "")
            if not fault and not _NUMBER.fullmatch(value):
                fault = f"found {name} {value[:40]!r} in <location>, expected a number"
    return fault


def _find_child_fault(parent: Any) -> str:
    """Say what of the direct children of an element is not BioC; empty when all is."""
    seen: List[str] = []
    for child in parent:
        if child.tag not in _CHILDREN[parent.tag]:
            return f"found <{str(child.tag)[:40]}> in <{parent.tag}>, expected another element"
        if child.tag in _SINGLE and child.tag in seen:
            return f"found a second <{child.tag}> in <{parent.tag}>, expected one"
        if child.tag == "infon" and child.get("key") is None:
            return f"found <infon> in <{parent.tag}> without `key`, expected one"
        if child.tag in ("infon", *_SINGLE, "location") and len(child):
            return f"found <{str(child[0].tag)[:40]}> in <{child.tag}>, expected text"
        seen.append(child.tag)
    return ""


def _in_order(document: Any) -> Iterator[Any]:
    """Yield annotations in order: a passage's sentences, the passage, the document."""
    for passage in document.findall("passage"):
        for sentence in passage.findall("sentence"):
            yield from sentence.findall("annotation")
        yield from passage.findall("annotation")
    yield from document.findall("annotation")


FORMAT = Format(
    "bioc_xml",
    "BioC XML",
    read_bioc_xml,
    write_bioc_xml,
    aliases=("bioc",),
    carried=CARRIES,
    endings=(".bioc.xml", ".xml"),
    looks_like=is_bioc_xml,
    options=frozenset(("individual_mentions",)),
)
