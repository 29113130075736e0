"""doccano's exports of sequence labeling, as JSON Lines or an array.

    {"id": 1, "text": "Naloxone reverses …", "label": [[0, 8, "Chemical"]]}

The list of spans is called "label" or "labels" in one version, and "entities", with "start_offset"
and "end_offset", in another. Relations are counted in `meta["relations_skipped"]`, labels of the
whole document in `meta["document_labels_skipped"]`. Other fields become `Record.meta`.
"""

import json
from typing import Any, Dict, FrozenSet, Iterable, Iterator, Optional

from spacy_bioner.corpora.formats.capabilities import (
    DUPLICATES,
    LINE_BREAKS,
    MENTIONS,
    META,
    OVERLAPS,
    own_meta,
)
from spacy_bioner.corpora.formats.json_files.jsonl import read_jsonl
from spacy_bioner.corpora.formats.read_errors import Problems
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record

CARRIES: FrozenSet[str] = frozenset((MENTIONS, OVERLAPS, DUPLICATES, LINE_BREAKS, META))


def read_doccano(
    path: PathLike, *, offsets: Optional[str] = None, problems: Optional[Problems] = None
) -> Iterator[Record]:
    """Stream the documents; those without an "id" are numbered.

    offsets (Optional[str]): What offsets count; doccano can be set to count grapheme clusters.
    RAISES (CorpusError): Malformed JSON, or an object that is no document.
    """
    yield from read_jsonl(path, offsets=offsets, problems=problems)


def write_doccano(records: Iterable[Record], path: PathLike) -> int:
    """Write one document a line. RETURNS (int): Their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            data: Dict[str, Any] = {
                "id": record.id,
                "text": record.text,
                "label": [[m.start_char, m.end_char, m.label] for m in record.mentions],
            }
            meta = own_meta(record.meta)
            if meta:
                data["meta"] = meta
            file.write(json.dumps(data, ensure_ascii=False) + "\n")
            count += 1
    return count
