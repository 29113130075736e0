"""Documents and entities as Arrow tables, and Parquet files of texts; needs pyarrow."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Union

from spacy_bioner.apps.annotation.documents import AnnotatedDocument, Entity, LeftOut
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.extras import require
from spacy_bioner.files.replacing import replacing
from spacy_bioner.records import Record

if TYPE_CHECKING:
    import pyarrow

DOCUMENT, ENTITY = "document", "entity"
ROWS = 1_000


def require_pyarrow(who: str, path: Optional[Path] = None) -> None:
    """Make sure that pyarrow is there. RAISES (MissingExtraError): Where it is not."""
    require("pyarrow", extra="tables", who=who, path=path)


def make_table(documents: Iterable[AnnotatedDocument], per: str = DOCUMENT) -> "pyarrow.Table":
    """Make a table of documents, or of their entities.

    per (str): What a row is: a "document" with a list of entities, or an "entity" with the id of
        its document in the column `document`.
    RAISES (ConfigError): For another.
    RAISES (MissingExtraError): Without pyarrow.
    """
    if per not in (DOCUMENT, ENTITY):
        raise ConfigError(f"found a row per {per!r}, expected {DOCUMENT!r} or {ENTITY!r}")
    require_pyarrow("a table")
    import pyarrow

    entity = [
        ("start", pyarrow.int64()),
        ("end", pyarrow.int64()),
        ("label", pyarrow.string()),
        ("text", pyarrow.string()),
        ("confidence", pyarrow.float64()),
        ("source", pyarrow.string()),
        ("concept_ids", pyarrow.list_(pyarrow.string())),
    ]
    if per == ENTITY:
        rows = [
            {"document": document.id, **_make_row(found)}
            for document in documents
            for found in document.entities
        ]
        return pyarrow.Table.from_pylist(
            rows, schema=pyarrow.schema([("document", pyarrow.string()), *entity])
        )
    schema = pyarrow.schema(
        [
            ("id", pyarrow.string()),
            ("text", pyarrow.string()),
            ("entities", pyarrow.list_(pyarrow.struct(entity))),
        ]
    )
    rows = [
        {"id": item.id, "text": item.text, "entities": list(map(_make_row, item.entities))}
        for item in documents
    ]
    return pyarrow.Table.from_pylist(rows, schema=schema)


def write_parquet(documents: Iterable[AnnotatedDocument], path: Path) -> None:
    """Write a table with a row a document, whole or not at all."""
    table = make_table(documents)
    from pyarrow import parquet

    with replacing(path) as temporary:
        parquet.write_table(table, temporary)


def read_parquet(
    path: Path, text_column: Optional[str] = None, id_column: Optional[str] = None
) -> Iterator[Union[Record, LeftOut]]:
    """Stream the texts of a Parquet file; rows without a text are left out.

    text_column (Optional[str]): None is "text".
    id_column (Optional[str]): None is "id" where there is such a column; else rows are numbered.
    RAISES (CorpusError): No such column, or none of texts; a damaged file.
    RAISES (MissingExtraError): Without pyarrow.
    """
    require_pyarrow("a Parquet file", path)
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            text, name = _find_columns(file.schema_arrow, path, text_column, id_column)
            columns = [text] if name is None else [text, name]
            number = 0
            for batch in file.iter_batches(ROWS, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    given = None if name is None else row[name]
                    identifier = str(number if given is None else given)
                    if row[text] is None:
                        message = f"row {number}: found no text in column {text!r}, expected one"
                        yield LeftOut(f"{path}: {message}", identifier)
                    else:
                        yield Record(identifier, row[text])
    except pyarrow.ArrowException as error:
        message = f"found no Parquet file ({str(error)[:200]}), expected one; fetch it again"
        raise CorpusError(message, path=path) from error


def _find_columns(
    schema: Any, path: Path, text_column: Optional[str], id_column: Optional[str]
) -> List[Optional[str]]:
    import pyarrow

    text, name = text_column or "text", id_column or "id"
    for column in (text, *([id_column] if id_column else [])):
        if schema.names.count(column) != 1:
            found = ", ".join(schema.names)[:200] or "none"
            message = f"found the columns {found}, expected one named {column!r}; name the column"
            raise CorpusError(message, path=path)
    kind = schema.field(text).type
    if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
        raise CorpusError(f"found {kind} in column {text!r}, expected texts", path=path)
    return [text, name if name in schema.names else None]


def _make_row(entity: Entity) -> Dict[str, Any]:
    return {
        "start": entity.start_char,
        "end": entity.end_char,
        "label": entity.label,
        "text": entity.text,
        "confidence": entity.confidence,
        "source": entity.source or None,
        "concept_ids": list(entity.concept_ids),
    }
