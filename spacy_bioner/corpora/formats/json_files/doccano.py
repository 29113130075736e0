"""doccano's exports of sequence labeling, as JSON Lines or an array.

    {"id": 1, "text": "Naloxone reverses …", "label": [[0, 8, "Chemical"]]}

The list of spans is called "label" or "labels" in one version, and "entities", with "start_offset"
and "end_offset", in another. Relations are counted in `reading_notes["relations_skipped"]`, labels
of the whole document in `reading_notes["document_labels_skipped"]`. Other fields become
`Record.meta`.
"""

import json
from typing import Any, Dict, Iterable, Iterator, Optional

from spacy_bioner.corpora.formats.capabilities import (
    DUPLICATES,
    LINE_BREAKS,
    MENTIONS,
    META,
    OVERLAPS,
)
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.jsonl import read_jsonl
from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record


def read_doccano(
    path: PathLike, *, offsets: Optional[str] = None, problems: Optional[ReadErrors] = None
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
            if record.meta:
                data["meta"] = record.meta
            file.write(json.dumps(data, ensure_ascii=False) + "\n")
            count += 1
    return count


FORMAT = Format(
    "doccano",
    "doccano's JSON Lines",
    read_doccano,
    write_doccano,
    carried=frozenset((MENTIONS, OVERLAPS, DUPLICATES, LINE_BREAKS, META)),
    file_ending=".jsonl",
    # One reader reads both: files of one project may look like the one or the other.
    part_of="jsonl",
    options=frozenset(("offsets",)),
)
