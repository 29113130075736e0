"""UIMA CAS JSON (draft 0.4), as INCEpTION and WebAnno export a document: read only.

    {"%TYPES": {}, "%FEATURE_STRUCTURES": [{"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaString": "…"},
     {"%ID": 2, "%TYPE": "….ner.type.NamedEntity", "begin": 8, "end": 15, "value": "Chemical"}]}

Mentions are the named entities, and the stretches of layers of one's own: the label is their
"value", "label" or only text feature, else the name of the layer; other features are attributes.
Tokens and sentences are read as such; stretches of other layers (lemmas, parts of speech, …) are
named in the account as not read. Java counts offsets in UTF-16 code units (see `offsets.units`).
"""

from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Set, Tuple

from spacy_bioner.corpora.formats.declaration import Format
from spacy_bioner.corpora.formats.json_files.fields.checked import Fields
from spacy_bioner.corpora.formats.json_files.fields.span_fields import as_offset
from spacy_bioner.corpora.formats.json_files.shapes import read_in_any_unit
from spacy_bioner.corpora.formats.offsets.units import OffsetTable
from spacy_bioner.corpora.formats.read_errors import ReadErrors, read_each
from spacy_bioner.corpora.formats.reading_notes import note_unread
from spacy_bioner.files.lines import PathLike
from spacy_bioner.records import Mention, Record

_STRUCTURES = "%FEATURE_STRUCTURES"
_LABEL_FEATURES = ("value", "label")
_OWN_LAYERS = ("webanno.custom.", "custom.")
# What every document has, and what marks no text.
_FRAME: FrozenSet[str] = frozenset(
    ("Sofa", "DocumentMetaData", "DocumentAnnotation", "TagsetDescription", "Token", "Sentence")
)


def read_uima_cas(
    path: PathLike, *, offsets: Optional[str] = None, problems: Optional[ReadErrors] = None
) -> Iterator[Record]:
    """Stream the documents of a file: one, in an export; its id is the title that it names.

    offsets (Optional[str]): What offsets count; None finds it.
    RAISES (CorpusError): Malformed JSON; a document without a text, a stretch without offsets.
    """
    return read_in_any_unit(path, _to_record, offsets, problems, expected="feature structures")


def _to_record(fields: Fields, number: str, problems: Optional[ReadErrors]) -> Record:
    structures = _list_structures(fields)
    text = next((s.text("sofaString") for s in structures if "sofaString" in s.value), None)
    if text is None:
        raise fields.error("found no feature structure with a sofaString, expected the text in one")
    titles = (s.name("documentTitle") for s in structures if s.value.get("documentTitle"))
    spans = [structure for structure in structures if _is_mention(structure)]
    mentions = read_each(spans, _read_mention, problems)
    words = [_read_place(s) for s in structures if _short_type(s) == "Token"]
    starts = [_read_place(s)[0] for s in structures if _short_type(s) == "Sentence"]
    table = OffsetTable(text)
    is_plain = all(table.translate(end, "utf-16") == end for _, end in words)
    unread: Set[str] = {
        _short_type(s) for s in structures if "begin" in s.value and not _is_mention(s)
    }
    return Record(
        next(titles, f"{fields.path.stem}-{number}"),
        text,
        tuple(mentions),
        # Their offsets would have to be translated as those of mentions are.
        words=tuple(word for word in sorted(words) if text[slice(*word)].strip())
        if is_plain
        else (),
        sentence_starts=tuple(sorted(starts)) if is_plain else (),
        reading_notes=note_unread(sorted(unread - _FRAME)),
    )


def _list_structures(fields: Fields) -> List[Fields]:
    value = fields.value.get(_STRUCTURES)
    # In earlier drafts they stand under their ids.
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise fields.error(f"found no list as {_STRUCTURES!r} of a document, expected one")
    return [fields.inner(item, "feature structure") for item in items]


def _short_type(structure: Fields) -> str:
    return structure.text("%TYPE", "").rpartition(".")[2]


def _is_mention(structure: Fields) -> bool:
    name = structure.text("%TYPE", "")
    return _short_type(structure) == "NamedEntity" or (
        name.startswith(_OWN_LAYERS) and "begin" in structure.value
    )


def _read_mention(structure: Fields) -> Mention:
    start, end = _read_place(structure)
    features = {
        key: item
        for key, item in structure.value.items()
        if key[:1] not in ("%", "@", "^") and key not in ("begin", "end")
    }
    plain = {k: v for k, v in features.items() if isinstance(v, (str, int, float)) and v != ""}
    label_key = _find_label(plain)
    label = str(plain.pop(label_key)) if label_key else _short_type(structure)
    identifier = structure.text("identifier", "") if "identifier" in plain else ""
    plain.pop("identifier", None)
    return Mention(
        start,
        end,
        label,
        concept_ids=(identifier,) if identifier else (),
        line=structure.line,
        attributes=tuple(structure.meta(plain).items()),
    )


def _find_label(features: Dict[str, Any]) -> str:
    texts = [key for key, value in features.items() if isinstance(value, str)]
    named = [key for key in _LABEL_FEATURES if key in texts]
    if named:
        return named[0]
    others = [key for key in texts if key != "identifier"]
    return others[0] if len(others) == 1 else ""


def _read_place(structure: Fields) -> Tuple[int, int]:
    # UIMA leaves out features that are 0.
    start = as_offset(structure.value.get("begin", 0))
    end = as_offset(structure.value.get("end", 0))
    if start is None or end is None:
        shown = structure.value.get("begin"), structure.value.get("end")
        raise structure.error(f"found offsets {shown[0]!r} and {shown[1]!r}, expected numbers")
    return start, end


FORMAT = Format(
    "uima_cas",
    "UIMA CAS JSON, as INCEpTION exports it",
    read_uima_cas,
    aliases=("inception",),
    options=frozenset(("offsets",)),
)
