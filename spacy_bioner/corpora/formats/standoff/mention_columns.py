"""The columns of a table of mentions, told by the names in its header."""

import re
from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

_NAMES: Dict[str, Tuple[str, ...]] = {
    "document": (
        *("documentid", "docid", "document", "doc", "pmid", "pmcid", "filename", "file"),
        *("articleid", "abstractid", "noteid", "textid", "sentenceid", "id"),
    ),
    "label": (
        *("entitytype", "label", "type", "category", "class", "entitylabel", "entityclass"),
        *("semantictype", "mentiontype", "enttype", "tag", "ner"),
    ),
    "start": (
        *("start", "startchar", "startoffset", "begin", "beginoffset", "startspan", "off0"),
        *("offsetstart", "startindex", "startpos", "startposition", "charstart", "spanstart"),
    ),
    "end": (
        *("end", "endchar", "endoffset", "stop", "endspan", "off1", "offsetend", "endindex"),
        *("endpos", "endposition", "charend", "spanend"),
    ),
    "spans": ("spans", "span", "offsets", "offset", "locations", "location", "positions"),
    "surface": (
        *("mention", "mentiontext", "entity", "entitytext", "entityname", "surface", "term"),
        *("spantext", "name", "span", "word"),
    ),
    "concepts": (
        *("conceptid", "conceptids", "identifier", "identifiers", "mesh", "meshid", "cui"),
        *("code", "normalizedid", "normid", "ncbitax", "kbid", "dbid"),
    ),
    "text": ("documenttext", "fulltext", "sentence", "passage", "context", "abstract", "body"),
}
_EITHER = "text"


# DrugProt's rows, which have no header: 12488248, T1, CHEMICAL, 1305, 1316, tacrolimus.
_ROW = (r"\S+", r"T\d+", r"\S+", r"\d+", r"\d+", r".+")


@dataclass(frozen=True)
class StandoffColumns:
    """Positions, from 0.

    label, document, start, end, spans, surface, concepts, text (Optional[int]): Each None where
        the table has none; offsets stand in `spans`, or in `start` and `end`.
    either (Optional[int]): A column that may hold mentions or whole texts.
    """

    label: int
    document: Optional[int] = None
    start: Optional[int] = None
    end: Optional[int] = None
    spans: Optional[int] = None
    surface: Optional[int] = None
    concepts: Optional[int] = None
    text: Optional[int] = None
    either: Optional[int] = None


def find_row_columns(row: Sequence[str]) -> Optional[StandoffColumns]:
    """Tell what the columns of a table without a header are; None for another table."""
    fits = (re.fullmatch(form, cell.strip(), re.I) for form, cell in zip(_ROW, row))
    if len(row) != len(_ROW) or not all(fits):
        return None
    return StandoffColumns(label=2, document=0, start=3, end=4, surface=5)


def find_standoff_columns(header: Sequence[str]) -> Optional[StandoffColumns]:
    """Tell what the columns are; None for a table that is none of mentions.

    header (Sequence[str]): The names, in capitals or not.
    """
    names = [re.sub(r"[\W_]", "", cell.lower()) for cell in header]
    found: Dict[str, int] = {}
    for role, usual in _NAMES.items():
        if role == "spans" and {"start", "end"} <= found.keys():
            continue
        place = next(
            (names.index(n) for n in usual if n in names and names.index(n) not in found.values()),
            None,
        )
        if place is not None:
            found[role] = place
    has_offsets = "spans" in found or {"start", "end"} <= found.keys()
    either = names.index(_EITHER) if _EITHER in names else None
    if "label" not in found or not has_offsets:
        return None
    if "document" not in found and "text" not in found and either is None:
        return None
    return StandoffColumns(**found, either=either)
