"""What stands in the infons of BioC: concept ids, attributes, borders. Reading and writing.

- **Concept ids** are, of the infons of the first group that has any: `concept_id.N` (one whole
  identifier each); `identifier`; those named like a terminology (`MESH`, `OMIM`, `NCBI Gene`, …);
  `normalized_id`. They are split as in PubTator, and as there OMIM's have a prefix, others none.
  Infons of a later group are attributes.
- **Attributes** are the other infons of annotations but `type`, the label; sorted by name.
- What does not come back from such infons is kept as JSON in infons `bioner.…`.
"""

import json
from functools import lru_cache
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.formats.concept_ids import join_concept_ids, split_concept_ids
from spacy_bioner.errors import CorpusError

SECTIONS_KEY = "bioner.sections"
SENTENCES_KEY = "bioner.sentence_starts"
LABEL_KEY = "type"
_ATTRIBUTES_KEY = "bioner.attributes"
_WHOLE, _JOINED = "concept_id.", "identifier"
_TERMINOLOGIES = frozenset(
    (
        *("mesh", "omim", "chebi", "umls", "cui", "uniprot", "hgnc", "cellosaurus", "go id"),
        *("gene id", "geneid", "ncbi gene", "ncbi geneid", "ncbi homologene", "species id"),
        *("taxonomy", "ncbi taxonomy", "ncbi taxid", "tmvar", "dbsnp", "rsid"),
    )
)
_GROUPS: Tuple[Callable[[str], bool], ...] = (
    lambda key: key.startswith(_WHOLE),
    lambda key: key == _JOINED,
    lambda key: key.lower().replace("_", " ") in _TERMINOLOGIES,
    lambda key: key == "normalized_id",
)
_NO_GROUP = len(_GROUPS)
_OURS = frozenset((LABEL_KEY, _ATTRIBUTES_KEY))
Attributes = Tuple[Tuple[str, str], ...]
Section = Tuple[str, int, int]


def as_texts(infons: Mapping[str, Optional[str]]) -> Dict[str, str]:
    """Return infons with an empty text in place of none."""
    return {key: value or "" for key, value in infons.items()}


def read_infons(infons: Mapping[str, str]) -> Tuple[Tuple[str, ...], Attributes]:
    """Read concept ids and attributes from the infons of an annotation.

    RAISES (CorpusError): An unreadable infon of ours.
    """
    ids: List[str] = []
    used = set(_OURS)
    for group in range(_NO_GROUP):
        for key in (key for key in infons if _group_of(key) == group):
            # What names no concept ("-1") is used up, too.
            used.add(key)
            ids.extend(_split(key, infons[key]))
        if ids:
            break
    plain = sorted((key, value) for key, value in infons.items() if key not in used)
    return tuple(ids), (*plain, *_read_attributes(infons))


def write_infons(ids: Sequence[str], attributes: Attributes) -> Dict[str, str]:
    """Return the infons from which `read_infons` reads the same."""
    infons: Dict[str, str] = {}
    joined = join_concept_ids(ids)
    if ids and joined is not None:
        infons[_JOINED] = joined
    else:
        infons.update((f"{_WHOLE}{number}", one) for number, one in enumerate(ids, start=1))
    group = min(map(_group_of, infons), default=_NO_GROUP - 1)
    names = [name for name, _ in attributes]
    is_free = all(_group_of(name) > group and name not in _OURS for name in names)
    if is_free and names == sorted(set(names)):
        return {**infons, **dict(attributes)}
    return {**infons, _ATTRIBUTES_KEY: json.dumps(attributes, ensure_ascii=False)}


def read_sections(value: str, length: int) -> Tuple[Section, ...]:
    """Read the sections of a document as (name, start_char, end_char).

    length (int): Of the document's text.
    RAISES (CorpusError): Anything but such a list.
    """
    rows = _read_rows(value, SECTIONS_KEY, (str, int, int))
    if not all(0 <= start <= end <= length for _, start, end in rows):
        raise _unreadable(value, SECTIONS_KEY)
    return tuple((name, start, end) for name, start, end in rows)


def read_starts(value: str, length: int) -> Tuple[int, ...]:
    """Read the offsets of a document's sentences.

    length (int): Of the document's text.
    RAISES (CorpusError): Anything but such a list.
    """
    rows = _read_rows(value, SENTENCES_KEY, (int,))
    if not all(0 <= start <= length for (start,) in rows):
        raise _unreadable(value, SENTENCES_KEY)
    return tuple(start for (start,) in rows)


@lru_cache(maxsize=1024)
def _group_of(key: str) -> int:
    return next((rank for rank, fits in enumerate(_GROUPS) if fits(key)), _NO_GROUP)


def _split(key: str, value: str) -> Tuple[str, ...]:
    if key.startswith(_WHOLE):
        return (value,)
    ids = split_concept_ids(value)
    if key.lower() == "omim":
        return tuple(one if one.upper().startswith("OMIM:") else f"OMIM:{one}" for one in ids)
    return ids


def _read_attributes(infons: Mapping[str, str]) -> Attributes:
    value = infons.get(_ATTRIBUTES_KEY)
    if value is None:
        return ()
    return tuple((name, text) for name, text in _read_rows(value, _ATTRIBUTES_KEY, (str, str)))


def _read_rows(value: str, key: str, types: Tuple[type, ...]) -> List[Any]:
    """Read a list of lists with items of the types given."""
    try:
        rows = json.loads(value)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        raise _unreadable(value, key)
    for row in rows:
        if not isinstance(row, list) or tuple(type(item) for item in row) != types:
            raise _unreadable(value, key)
    if any("\ud800" <= mark <= "\udfff" for mark in json.dumps(rows, ensure_ascii=False)):
        raise _unreadable(value, key)
    return rows


def _unreadable(value: str, key: str) -> CorpusError:
    message = f"found {value[:40]!r} as infon `{key}`, expected what this program writes there"
    return CorpusError(message)
