"""Docs on disk: DocBins that keep gold spans, sentence starts and user data, one file or shards."""

import re
import struct
import zlib
from itertools import islice
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Set

from spacy.attrs import ENT_ID, ENT_KB_ID, ENT_TYPE, ORTH, SPACY
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from srsly import msgpack

from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike, check_is_file
from spacy_bioner.files.outputs import is_debris
from spacy_bioner.files.replacing import replacing, replacing_folder

# HEAD is left out: with it a DocBin derives sentence starts from parses, which a corpus of
# entities does not have.
ATTRIBUTES = ("ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID", "SENT_START")
SHARD_SIZE = 500
SHARD = re.compile(r"part-\d+\.spacy")
_SPAN = struct.Struct(">QQQllll")
_PACK = msgpack.Packer(use_bin_type=True).pack
# What spaCy raises on a file that is no DocBin, or a damaged one: it checks little itself.
DAMAGE = (
    zlib.error,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)
_STRINGS = (ORTH, ENT_TYPE, ENT_KB_ID, ENT_ID)


def write_docbin(docs: Iterable[Doc], path: PathLike) -> int:
    """Write Docs with their user data to one file, replacing it only when all of them are written.

    A DocBin is compressed as a whole, so all of it is in memory: see `write_shards`.
    RETURNS (int): The number of Docs.
    """
    doc_bin = _pack(docs)
    with replacing(path) as temporary:
        temporary.write_bytes(doc_bin.to_bytes())
    return len(doc_bin)


def write_shards(docs: Iterable[Doc], folder: PathLike, *, size: int = SHARD_SIZE) -> int:
    """Write Docs to FOLDER/part-00000.spacy and so on; the folder appears when all are written.

    size (int): Docs in a file; no more than these are in memory at a time.
    RETURNS (int): The number of Docs.
    RAISES (CorpusError): Where the folder has files that are not such shards: they would be lost.
    """
    folder = Path(folder)
    check_is_replaceable(folder, "part-*.spacy", "audit.json")
    count = 0
    remaining = iter(docs)
    with replacing_folder(folder) as temporary:
        temporary.mkdir(parents=True)
        for number in range(100_000):
            doc_bin = _pack(islice(remaining, size))
            if number and not len(doc_bin):
                break
            (temporary / f"part-{number:05}.spacy").write_bytes(doc_bin.to_bytes())
            count += len(doc_bin)
    return count


def check_is_replaceable(folder: Path, *patterns: str) -> None:
    """Make sure that a folder is absent, or has only files that we wrote.

    RAISES (CorpusError): Where something else is in it, or a file has its name.
    """
    if folder.is_file():
        raise CorpusError("found a file, expected the name of an output folder", path=folder)
    if not folder.is_dir():
        return
    others = [
        path
        for path in sorted(folder.iterdir())
        if not is_debris(path) and not any(map(path.match, patterns))
    ]
    if others:
        message = (
            f"found {others[0].name} in the output folder, expected a new or empty folder, or an "
            "earlier output; name another folder"
        )
        raise CorpusError(message, path=folder)


def list_docbins(path: PathLike) -> List[Path]:
    """List the .spacy files that a path stands for: itself, or those in a folder by name."""
    path = Path(path)
    return sorted(path.rglob("*.spacy")) if path.is_dir() else [path]


def read_docbin(path: PathLike, vocab: Vocab) -> Iterator[Doc]:
    """Stream the Docs of a DocBin file.

    RAISES (CorpusError): No such file, or not a DocBin.
    """
    path = check_is_file(path)
    try:
        doc_bin = DocBin(store_user_data=True).from_bytes(path.read_bytes())
    except DAMAGE as error:
        raise damaged(path, error) from error
    docs = doc_bin.get_docs(vocab)
    while True:
        try:
            doc = next(docs, None)
        except DAMAGE as error:
            raise damaged(path, error) from error
        if doc is None:
            return
        yield doc


def damaged(path: PathLike, error: Exception) -> CorpusError:
    """Describe what the reading of a DocBin ran into."""
    message = f"found no DocBin ({error}), expected a .spacy file of `bioner convert`"
    return CorpusError(message, path=path, line=1)


class _Packer(DocBin):
    """A DocBin that collects the strings of whole columns instead of asking token by token."""

    def __init__(self) -> None:
        super().__init__(attrs=ATTRIBUTES, store_user_data=True)
        self._known: Set[int] = set()

    def add(self, doc: Doc) -> None:
        """Add a Doc, as DocBin does it."""
        columns = doc.to_array(list(self.attrs)).reshape(len(doc), len(self.attrs))
        self.tokens.append(columns)
        spaces = doc.to_array(SPACY).reshape(len(doc), 1)
        self.spaces.append(spaces.astype(bool))
        self.flags.append({"has_unknown_spaces": doc.has_unknown_spaces})
        self.cats.append(doc.cats)
        self.user_data.append(_PACK(doc.user_data))
        self.span_groups.append(pack_span_groups(doc))
        places = [self.attrs.index(name) for name in _STRINGS]
        keys = set(map(int, columns[:, places].ravel()))
        for group in doc.spans.values():
            for span in group:
                keys |= {span.label, span.kb_id, span.id}
        lookup = doc.vocab.strings
        for key in keys - self._known:
            if key in lookup:  # type: ignore[operator]
                self.strings.add(lookup[key])
        self._known |= keys


def pack_span_groups(doc: Doc) -> bytes:
    """Return what `doc.spans.to_bytes()` gives, faster.

    srsly looks through the entry points of all installed packages for each message that it packs;
    with small documents that takes most of a conversion's time.
    """
    if not len(doc.spans):
        return doc.spans.to_bytes()
    groups: Dict[bytes, List[str]] = {}
    for key, group in doc.spans.items():
        spans = [
            _SPAN.pack(s.id, s.kb_id, s.label, s.start, s.end, s.start_char, s.end_char)
            for s in group
        ]
        data = _PACK({"name": group.name, "attrs": group.attrs, "spans": spans})
        groups.setdefault(data, []).append(key)
    return _PACK(groups)


def _pack(docs: Iterable[Doc]) -> DocBin:
    doc_bin = _Packer()
    for doc in docs:
        doc_bin.add(doc)
    return doc_bin
