"""PubTator: title and abstract lines, then one tab-separated line per mention.

    227508|t|Naloxone reverses the antihypertensive effect of clonidine.
    227508|a|In unanesthetized, …
    227508	0	8	Naloxone	Chemical	D009270

Offsets count characters of the title, one separator and the abstract. A mention has 5 columns
(no identifier), 6, or 7 (BC5CDR names the members of a coordination in the last one). Lines whose
second column is no number, such as `227508	CID	D008750	D007022`, are relations.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from spacy_bioner.corpora.files import PathLike, read_lines, replacing
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

RELATIONS_KEY = "relations_skipped"
_HEADER = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_SEPARATORS = re.compile(r"[|;,]")
_TAXON = re.compile(r"\(tax:\d+\)", re.IGNORECASE)
# BioRED writes a sequence variant as kind|change|position|…: the bars belong to the identifier.
_VARIANT = re.compile(r"[a-z]?\|[A-Z]\w*\||[a-z]\|[A-Z]{3,}\d")
_NO_CONCEPT = frozenset(("", "-", "-1"))
_MENTION_FORM = "id<TAB>start<TAB>end<TAB>text<TAB>type[<TAB>concept ids[<TAB>parts]]"
_LINE_BREAKS = str.maketrans("\n\r\t", "   ")


@dataclass
class _Document:
    id: str
    title: str
    line: int
    abstract: Optional[str] = None
    mentions: List[Mention] = field(default_factory=list)
    meta: Dict[str, str] = field(default_factory=dict)
    relations: int = 0


def read_pubtator(path: PathLike) -> Iterator[Record]:
    """Stream the documents of a PubTator file, in its order; repeated identifiers are kept.

    path (Union[str, Path]): A UTF-8 file.
    YIELDS (Record): Text is title, one space and abstract (the title alone when the abstract is
        empty). `meta["relations_skipped"]` counts relation lines. Columns that concept ids do not
        reproduce are in `meta` under the mention's line, so that `write_pubtator` repeats them.
    RAISES (CorpusError): A malformed line, with its number; a file without any document.
    """
    path = Path(path)
    document: Optional[_Document] = None
    found = 0
    for number, line in read_lines(path):
        if not line.strip():
            continue
        header = _HEADER.fullmatch(line)
        if header and header[2] == "t":
            if document:
                yield _to_record(document)
            document = _Document(header[1].strip(), header[3], number)
            found += 1
        elif document is None:
            raise CorpusError(
                f"found {_shorten(line)}, expected a title line `id|t|title`",
                path=path,
                line=number,
            )
        elif header:
            _add_abstract(document, header, path, number)
        else:
            _add_row(document, line.split("\t"), path, number)
    if document:
        yield _to_record(document)
    if not found:
        raise CorpusError("found no document, expected lines `id|t|title`", path=path)


def write_pubtator(records: Iterable[Record], path: PathLike) -> int:
    """Write records as PubTator, replacing the file only when all of them are written.

    A record without title and abstract sections goes into the title line as a whole. Line breaks
    and tabs become single spaces, which keeps offsets valid; the cover of a discontinuous mention
    is written, because the format has no fragments.

    RETURNS (int): The number of documents.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write("\n".join(_format_record(record)))
            file.write("\n\n")
            count += 1
    return count


def split_concept_ids(column: str) -> Tuple[str, ...]:
    """Split the identifier column of a mention.

    Separators are `|`, `;` and `,`. `A+B` stays one identifier: NCBI-disease writes one concept
    that needs both so. `(Tax:9606)` behind a gene is dropped; "-1", "-" and "" name no concept.
    """
    column = column.strip()
    if _VARIANT.match(column):
        return (column,)
    parts = (_TAXON.sub("", part).strip() for part in _SEPARATORS.split(column))
    return tuple(part for part in parts if part not in _NO_CONCEPT)


def _add_abstract(document: _Document, header: "re.Match[str]", path: Path, line: int) -> None:
    _check_id(document, header[1].strip(), path, line)
    if document.abstract is not None:
        message = f"found a second abstract of document {document.id}, expected at most one"
        raise CorpusError(message, path=path, line=line)
    document.abstract = header[3]


def _add_row(document: _Document, columns: List[str], path: Path, line: int) -> None:
    _check_id(document, columns[0].strip(), path, line)
    if len(columns) in (4, 5) and not _is_number(columns[1]):
        document.relations += 1
        return
    if len(columns) not in (5, 6, 7):
        message = f"found {len(columns)} columns, expected 5 to 7: {_MENTION_FORM}"
        raise CorpusError(message, path=path, line=line)
    for name, value in (("start", columns[1]), ("end", columns[2])):
        if not _is_number(value):
            message = f"found {name} offset {_shorten(value)}, expected a number: {_MENTION_FORM}"
            raise CorpusError(message, path=path, line=line)
    ids = columns[5] if len(columns) > 5 else ""
    mention = Mention(
        start_char=int(columns[1]),
        end_char=int(columns[2]),
        label=columns[4].strip(),
        text=columns[3],
        concept_ids=split_concept_ids(ids),
        line=line,
    )
    document.mentions.append(mention)
    if len(columns) > 5 and ids != "|".join(mention.concept_ids):
        document.meta[_meta_key(line, 6)] = ids
    if len(columns) > 6:
        document.meta[_meta_key(line, 7)] = columns[6]


def _check_id(document: _Document, found: str, path: Path, line: int) -> None:
    if found != document.id:
        message = (
            f"found a line of document {_shorten(found)}, expected one of document {document.id} "
            f"(its title is line {document.line})"
        )
        raise CorpusError(message, path=path, line=line)


def _is_number(value: str) -> bool:
    return value.strip().isascii() and value.strip().isdigit()


def _shorten(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")


def _meta_key(line: int, column: int) -> str:
    return f"line{line}.column{column}"


def _to_record(document: _Document) -> Record:
    title, abstract = document.title, document.abstract or ""
    text = f"{title} {abstract}" if abstract else title
    body_start = len(text) - len(abstract)
    meta = dict(document.meta)
    if document.relations:
        meta[RELATIONS_KEY] = str(document.relations)
    return Record(
        id=document.id,
        text=text,
        mentions=tuple(document.mentions),
        sections=(("title", 0, len(title)), ("abstract", body_start, len(text))),
        meta=meta,
    )


def _format_record(record: Record) -> Iterator[str]:
    title, abstract = _split_text(record)
    yield f"{record.id}|t|{title.translate(_LINE_BREAKS)}"
    yield f"{record.id}|a|{abstract.translate(_LINE_BREAKS)}"
    for mention in record.mentions:
        yield _format_mention(record, mention)


def _format_mention(record: Record, mention: Mention) -> str:
    surface = mention.text or record.text[mention.start_char : mention.end_char]
    ids = "|".join(mention.concept_ids)
    parts: Optional[str] = None
    if mention.line is not None:
        ids = record.meta.get(_meta_key(mention.line, 6), ids)
        parts = record.meta.get(_meta_key(mention.line, 7))
    columns = [
        record.id,
        str(mention.start_char),
        str(mention.end_char),
        surface.translate(_LINE_BREAKS),
        mention.label,
    ]
    if ids or parts is not None:
        columns.append(ids)
    if parts is not None:
        columns.append(parts)
    return "\t".join(columns)


def _split_text(record: Record) -> Tuple[str, str]:
    borders = {name: (start, end) for name, start, end in record.sections}
    if "title" in borders and "abstract" in borders:
        title_end, body_start = borders["title"][1], borders["abstract"][0]
        if body_start == title_end + 1 and borders["title"][0] == 0:
            return record.text[:title_end], record.text[body_start:]
    return record.text, ""
