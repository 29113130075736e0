"""Label Studio's JSON export, and its short forms (JSON-MIN, CSV, TSV).

A task has its text in "data" and a list of annotations, each by one annotator. By default the first
that was not cancelled counts; the number of others is in `reading_notes["annotations_skipped"]`. A
task without one that counts is no gold: it is left out, and counted in
`reading_notes["rejected_skipped"]` of the task before it, or the first one. Regions that are no
text spans are counted in `reading_notes["regions_skipped"]`, relations in
`reading_notes["relations_skipped"]`; predictions are not gold and not read. A region with several
labels is several mentions.

Older versions count offsets in UTF-16 units, newer ones in characters: they differ behind an emoji.
The text of a region tells (see `offsets.units`).
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from spacy_bioner.corpora.formats.capabilities import (
    DUPLICATES,
    LINE_BREAKS,
    MENTIONS,
    META,
    OVERLAPS,
)
from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.fields.span_documents import read_span_document
from spacy_bioner.corpora.formats.json_files.shapes import read_documents
from spacy_bioner.corpora.formats.offsets.units import read_in_characters
from spacy_bioner.corpora.formats.read_errors import ReadErrors, note_skipped, read_each
from spacy_bioner.corpora.formats.reading_notes import note_counts
from spacy_bioner.corpora.formats.standoff.span_table import is_table, read_span_table
from spacy_bioner.errors import CorpusError
from spacy_bioner.files.lines import PathLike
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Mention, Record

SKIPPED_KEY = "rejected_skipped"
_ID_KEYS = ("document_id", "doc_id", "pmid")
# What the short form says of the work on a task.
_WORK_KEYS = frozenset(("annotator", "annotation_id", "created_at", "updated_at", "lead_time"))


def read_label_studio(
    path: PathLike,
    *,
    text_key: Optional[str] = None,
    annotation: Union[str, int] = "first",
    offsets: Optional[str] = None,
    problems: Optional[ReadErrors] = None,
) -> Iterator[Record]:
    """Stream the tasks; the id is `data.document_id` where there is one, else the task's.

    text_key (Optional[str]): The field of "data" with the text; None takes "text", or the only
        field that is a text.
    annotation (Union[str, int]): Which annotation of a task counts: "first" (that was not
        cancelled), "all", or its number from 0.
    offsets (Optional[str]): What offsets count; None finds it.
    RAISES (CorpusError): Malformed JSON, or a task without a text.
    """
    path = Path(path)
    if annotation not in ("first", "all") and not isinstance(annotation, int):
        message = f"found annotation {annotation!r}, expected first, all, or a number from 0"
        raise CorpusError(message, path=path)
    if is_table(path):
        if text_key is not None or annotation != "first":
            message = "found a table, expected JSON for a text key or a choice of annotations"
            raise CorpusError(message, path=path, line=1)
        yield from read_span_table(path, offsets=offsets, problems=problems)
        return
    seen: Counter[str] = Counter()

    def read(noted: Optional[ReadErrors]) -> Iterator[Record]:
        seen.clear()
        return note_skipped(_read(path, text_key, annotation, noted, seen), SKIPPED_KEY)

    records = read_in_characters(read, offsets, path=path, problems=problems)
    is_empty = True
    for record in records:
        is_empty = False
        yield record
    if is_empty:
        raise CorpusError(_explain_nothing(seen), path=path, line=1)


def write_label_studio(records: Iterable[Record], path: PathLike) -> int:
    """Write tasks that Label Studio can import, offsets in characters, for a labeling config with
    `<Labels name="label" toName="text">`. RETURNS (int): The number of tasks.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[")
        for record in records:
            task = json.dumps(_to_task(record), ensure_ascii=False)
            file.write(f"{',' if count else ''}\n{task}")
            count += 1
        file.write("\n]\n")
    return count


def _explain_nothing(seen: "Counter[str]") -> str:
    """Say why a file has no task to read."""
    if not seen["tasks"]:
        return "found no task, expected objects with data"
    found = f"found {seen['tasks']:,} task" + ("s" if seen["tasks"] > 1 else "")
    if not seen["predictions"]:
        return f"{found}, but no task has an annotation that counts; expected one at least"
    return (
        f"{found}, {seen['predictions']:,} with predictions, but no task has an annotation that "
        "counts; predictions are not read: accept them as annotations, and export again"
    )


def _read(
    path: Path,
    text_key: Optional[str],
    annotation: Union[str, int],
    problems: Optional[ReadErrors],
    seen: "Counter[str]",
) -> Iterator[Optional[Record]]:
    def read(task: Fields, number: str) -> Optional[Record]:
        seen["tasks"] += 1
        seen["predictions"] += bool(task.value.get("predictions"))
        return _to_record(task, text_key, annotation, number, problems)

    return read_documents(path, read, problems, what="task")


def _to_record(
    task: Fields,
    text_key: Optional[str],
    annotation: Union[str, int],
    number: str,
    problems: Optional[ReadErrors],
) -> Optional[Record]:
    if "data" not in task.value:
        return _read_short(task, text_key, number, problems)
    data = task.inner(task.value["data"], "task's data")
    key = _find_text(data, text_key)
    text = data.text(key)
    counts: Dict[str, int] = {}
    chosen, counts["annotations_skipped"] = _choose(task, annotation)
    if not chosen:
        return None
    regions = [region for item in chosen for region in item.objects("result", "region")]
    spans = [region for region in regions if region.value.get("type") == "labels"]
    relations = sum(region.value.get("type") == "relation" for region in regions)
    counts["relations_skipped"] = relations
    counts["regions_skipped"] = len(regions) - len(spans) - relations
    values = [span.value.get("value") for span in spans]
    read = read_each(
        values, lambda value: list(_read_region(task.inner(value, "region"))), problems
    )
    mentions = [mention for found in read for mention in found]
    own_id = next((data.name(name) for name in _ID_KEYS if name in data.value), "")
    return Record(
        own_id or task.name("id") or number,
        text,
        tuple(mentions),
        meta=_read_meta(data, key),
        reading_notes=note_counts(counts),
    )


def _read_short(
    task: Fields, text_key: Optional[str], number: str, problems: Optional[ReadErrors]
) -> Optional[Record]:
    value = {key: item for key, item in task.value.items() if key not in _WORK_KEYS}
    if text_key is not None or "text" not in value:
        value["text"] = value.pop(_find_text(task, text_key), None)
    return read_span_document(task.inner(value, "task"), number, problems)


def _find_text(data: Fields, text_key: Optional[str]) -> str:
    if text_key is not None:
        return text_key
    if "text" in data.value:
        return "text"
    texts = [key for key, value in data.value.items() if isinstance(value, str)]
    if len(texts) != 1:
        found = ", ".join(sorted(data.value)[:10]) or "nothing"
        raise data.error(
            f"found the fields {found}, expected one named 'text'; name it (--text-key)"
        )
    return texts[0]


def _choose(task: Fields, annotation: Union[str, int]) -> Tuple[List[Fields], int]:
    """Return the annotations that count, and the number of others."""
    # "completions" is the name in versions before 1.0.
    key = "annotations" if "annotations" in task.value else "completions"
    annotations = task.objects(key, "annotation")
    chosen = [item for item in annotations if not item.value.get("was_cancelled")]
    if annotation == "first":
        chosen = chosen[:1]
    elif isinstance(annotation, int):
        chosen = annotations[annotation : annotation + 1]
    return chosen, len(annotations) - len(chosen)


def _read_meta(data: Fields, text_key: str) -> Dict[str, str]:
    own = (text_key, "meta", *_ID_KEYS)
    others = {key: value for key, value in data.value.items() if key not in own}
    return {**data.meta(others), **data.meta(data.value.get("meta") or {})}


def _read_region(value: Fields) -> Iterator[Mention]:
    start, end = value.get("start", int), value.get("end", int)
    claimed = value.text("text", "")
    for label in value.texts(value.get("labels", list), "labels"):
        yield Mention(start, end, label, claimed, line=value.line)


def _to_task(record: Record) -> Dict[str, Any]:
    data: Dict[str, Any] = {"text": record.text, "document_id": record.id}
    if record.meta:
        data["meta"] = record.meta
    result = [
        {
            "id": f"m{index}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": mention.start_char,
                "end": mention.end_char,
                "text": record.text[mention.start_char : mention.end_char],
                "labels": [mention.label],
            },
        }
        for index, mention in enumerate(record.mentions, start=1)
    ]
    return {"data": data, "annotations": [{"result": result}]}


FORMAT = Format(
    "label_studio",
    "Label Studio's JSON export",
    read_label_studio,
    write_label_studio,
    carried=frozenset((MENTIONS, OVERLAPS, DUPLICATES, LINE_BREAKS, META)),
    file_ending=".json",
    options=frozenset(("offsets", "text_key", "annotation")),
)
