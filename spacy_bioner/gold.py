"""Gold mentions on a Doc: the only reader and writer of the rows that hold them.

The offsets as the corpus gives them are in `doc.user_data["bioner_gold"]`, as rows of start_char,
end_char, label and list of concept ids (the lists come back from a DocBin as tuples). These are
plain data, so they survive bytes, a DocBin and other processes. Where a Doc has no such rows, its
entities are gold.
"""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from spacy_bioner.blanks import trim
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention

GOLD_KEY = "bioner_gold"
ID_KEY = "bioner_id"
# The rest of a record: see `corpora.formats.docbin`.
RECORD_KEY = "bioner_record"
# Set in training on several corpora: the name of a Doc's corpus, and the labels that it annotates.
DATASET_KEY = "bioner_dataset"
ANNOTATED_KEY = "bioner_annotated"
# The span group of all gold mentions that have tokens.
SPANS_KEY = "gold"
# What corpora write where a mention has no concept.
NO_CONCEPT = frozenset(("", "-", "-1", "none", "null", "cui-less"))

# What stands before an identifier and adds nothing where a label says what is identified: corpora
# and tables of one terminology write it or leave it out. "OMIM:" tells an id from others of a
# label.
DROPPED_PREFIXES = {"mesh", "msh", "ncbigene", "entrezgene", "geneid", "gene", "ncbitaxon"}
DROPPED_PREFIXES |= {"taxonomy", "taxid", "tax", "icd10cm", "icd-10-cm", "icd10"}
_RENAMED_PREFIXES = {"mim": "OMIM", "omim": "OMIM"}

MentionKey = Tuple[int, int, str]
"""First character, end and label of a mention."""


@dataclass(frozen=True)
class GoldMention:
    """A gold mention and what it names.

    key (MentionKey): First character, end and label.
    surface (str): Its text.
    concept_ids (Tuple[str, ...]): Empty where the corpus has none.
    """

    key: MentionKey
    surface: str
    concept_ids: Tuple[str, ...] = ()


def normalize_concept_id(concept_id: str) -> str:
    """Return the one form in which ids are compared, whoever wrote them.

    "MESH:D003920" is "D003920", "NCBIGene:348" is "348", "MIM:143100" is "OMIM:143100"; all other
    ids are as they are. Parts of an id that needs several concepts ("A+B") have it each.
    """
    if ":" not in concept_id:
        return concept_id
    return "+".join(map(_normalize_part, concept_id.split("+")))


def has_gold_rows(doc: Doc) -> bool:
    """Tell whether a Doc carries the corpus' own offsets, be it those of no mention."""
    return GOLD_KEY in doc.user_data


def write_gold(doc: Doc, mentions: Iterable[Mention]) -> None:
    """Put gold mentions on a Doc, with the corpus' own character offsets."""
    doc.user_data[GOLD_KEY] = [
        [mention.start_char, mention.end_char, mention.label, list(mention.concept_ids)]
        for mention in mentions
    ]


def gold_mentions(doc: Doc) -> Tuple[Mention, ...]:
    """Return the gold mentions with the corpus' own character offsets, without duplicates and lost.

    RETURNS (Tuple[Mention, ...]): Empty when the Doc was not made by `align`.
    RAISES (CorpusError): A row that is no start, end, label and list of ids.
    """
    return tuple(_read_row(row) for row in doc.user_data.get(GOLD_KEY, ()))


def relabel_gold(doc: Doc, label_map: Mapping[str, str]) -> None:
    """Rename labels of gold rows; those without a new name stay, and so does a Doc without rows."""
    if has_gold_rows(doc):
        mentions = gold_mentions(doc)
        write_gold(doc, (m.labeled(label_map.get(m.label, m.label)) for m in mentions))


def list_gold(doc: Doc) -> Optional[List[MentionKey]]:
    """Return the gold mentions of a Doc: the corpus' own offsets where it carries them, otherwise
    `doc.ents`.

    doc (Doc): A gold Doc, with or without `doc.user_data["bioner_gold"]`.
    RETURNS (Optional[List[MentionKey]]): In the corpus' order; None for a Doc that has neither.
    """
    if has_gold_rows(doc):
        return [key for key, _ in _trimmed_rows(doc)]
    return list_predicted(doc) if doc.has_annotation("ENT_IOB") else None


def list_gold_mentions(doc: Doc) -> List[GoldMention]:
    """Return the gold mentions of a Doc with their concepts, each once; none without annotation."""
    text = doc.text
    rows: List[Tuple[MentionKey, Sequence[str]]] = _trimmed_rows(doc)
    if not has_gold_rows(doc):
        rows = [(key, ()) for key in list_gold(doc) or ()]
    # A mention that stands twice has the ids of both.
    known: Dict[MentionKey, List[str]] = {}
    for key, ids in rows:
        known.setdefault(key, []).extend(i for i in ids if i.casefold() not in NO_CONCEPT)
    return [
        GoldMention(key, text[key[0] : key[1]], tuple(dict.fromkeys(ids)))
        for key, ids in known.items()
    ]


def list_predicted(doc: Doc, *, spans_key: Optional[str] = None) -> List[MentionKey]:
    """Return the mentions that a pipeline found.

    doc (Doc): A Doc that went through the pipeline.
    spans_key (Optional[str]): Take them from this span group; None takes `doc.ents`.
    RETURNS (List[MentionKey]): In the Doc's order; empty when there is no such span group.
    """
    text = doc.text
    return [make_key(text, span) for span in read_spans(doc, spans_key)]


def read_spans(doc: Doc, spans_key: Optional[str]) -> Sequence[Span]:
    """Return a span group, empty where the Doc has none of the name; of None, `doc.ents`."""
    return doc.ents if spans_key is None else list(doc.spans.get(spans_key, ()))


def make_key(text: str, span: Span) -> MentionKey:
    """Return the key of a span of a Doc with such a text."""
    return trim_mention(text, (span.start_char, span.end_char, span.label_))


def trim_mention(text: str, mention: MentionKey) -> MentionKey:
    """Leave out what shows nothing at the borders of a mention."""
    start, end, label = mention
    return (*trim(text, start, end), label)


def _normalize_part(part: str) -> str:
    prefix, colon, rest = part.partition(":")
    known = prefix.strip().casefold()
    if colon and known in DROPPED_PREFIXES and rest.strip():
        return rest.strip()
    return f"{_RENAMED_PREFIXES[known]}:{rest.strip()}" if known in _RENAMED_PREFIXES else part


def _read_row(row: Sequence[Any]) -> Mention:
    try:
        start, end, label, ids = row
    except (TypeError, ValueError):
        raise _refuse(row) from None
    are_ids = isinstance(ids, (list, tuple)) and all(isinstance(part, str) for part in ids)
    are_offsets = hasattr(start, "__index__") and hasattr(end, "__index__")
    if not (are_offsets and isinstance(label, str) and are_ids):
        raise _refuse(row)
    return Mention(start, end, label, concept_ids=tuple(ids))


def _refuse(row: object) -> CorpusError:
    return CorpusError(
        f"found a gold row {row!r:.80}, expected [start, end, label, [concept id, …]]; convert "
        "the corpus again"
    )


def _trimmed_rows(doc: Doc) -> List[Tuple[MentionKey, Sequence[str]]]:
    text = doc.text
    return [
        (trim_mention(text, (m.start_char, m.end_char, m.label)), m.concept_ids)
        for m in gold_mentions(doc)
    ]
