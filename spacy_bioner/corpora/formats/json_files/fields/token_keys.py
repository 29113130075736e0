"""The names under which JSON files keep words with tags, and words with stretches of words.

Known to write so: the datasets library, GLiNER, SciERC and DyGIE++, SpERT, W2NER, and the data of
the Kaggle competition on personal data.
"""

from typing import Any, Dict, Iterator, List, Optional, Tuple

TOKEN_KEYS = ("tokens", "words", "tokenized_text", "token", "word", "sentence", "text", "sent")
TAG_KEYS = (
    "ner_tags",
    "ner_labels",
    "ner",
    "tags",
    "labels",
    "bio_tags",
    "iob_tags",
    "ner_tag",
    "entity_tags",
    "tag",
    "label",
    "entities",
    "targets",
)
# How many of these names say by themselves that there is a tag for each word.
_CERTAIN = 5


def find_tags(value: Dict[str, Any]) -> Optional[Tuple[str, str]]:
    """Find words and as many tags; None without. RETURNS: The keys of both."""
    pairs = [
        (token_key, tag_key)
        for token_key in TOKEN_KEYS
        for tag_key in TAG_KEYS
        if token_key != tag_key
        and _is_list_of(value.get(token_key), (str,))
        and _is_list_of(value.get(tag_key), (str, int))
    ]
    even = [pair for pair in pairs if len(value[pair[0]]) == len(value[pair[1]])]
    # In a damaged document the numbers differ, which its reader says.
    uneven = [pair for pair in pairs if pair[1] in TAG_KEYS[:_CERTAIN]]
    return next(iter([*even, *uneven]), None)


def find_token_spans(value: Dict[str, Any]) -> Optional[str]:
    """Name who writes words with stretches of words so; None for nobody.

    RETURNS (Optional[str]): "gliner", "scierc", "spert" or "w2ner".
    """
    spans = value.get("ner")
    if _is_list_of(value.get("tokenized_text"), (str,)) and _is_list_of(spans, (list,)):
        return "gliner"
    sentences = value.get("sentences")
    if sentences and _is_list_of(sentences, (list,)) and _is_list_of(spans, (list,)):
        return "scierc" if _is_list_of(sentences[0], (str,)) else None
    if _is_list_of(value.get("sentence"), (str,)) and _is_list_of(spans, (dict,)):
        return "w2ner" if not spans or "index" in spans[0] else None
    entities = value.get("entities")
    if _is_list_of(value.get("tokens"), (str,)) and _is_list_of(entities, (dict,)):
        is_spert = not entities or {"start", "end", "type"} <= set(entities[0])
        return "spert" if is_spert and not isinstance(value.get("text"), str) else None
    return None


def is_row(value: Dict[str, Any]) -> bool:
    """Tell whether an object is a row as the datasets server wraps it."""
    row = value.get("row")
    return "row_idx" in value and isinstance(row, dict) and find_tags(row) is not None


def is_table_of_columns(value: Dict[str, Any]) -> bool:
    """Tell whether an object holds a list of words and of tags for each of many sentences."""
    return bool(_list_columns(value))


def iter_rows(value: Any) -> Iterator[Any]:
    """Stream the documents in a value: rows of the datasets server and columns are taken apart."""
    if isinstance(value, dict) and is_row(value):
        yield value["row"]
        return
    columns = _list_columns(value)
    if not columns:
        yield value
        return
    beside = {key: item for key, item in value.items() if key not in columns}
    for row in zip(*columns.values()):
        yield {**beside, **dict(zip(columns, row))}


def _list_columns(value: Any) -> Dict[str, List[Any]]:
    """Return the columns of a table whose cells are lists of words and tags; else none."""
    if not isinstance(value, dict):
        return {}
    words = _first_column(value, TOKEN_KEYS, (str,))
    if not words or not _first_column(value, TAG_KEYS, (str, int)):
        return {}
    return {k: v for k, v in value.items() if isinstance(v, list) and len(v) == len(words)}


def _first_column(
    value: Dict[str, Any], keys: Tuple[str, ...], kinds: Tuple[type, ...]
) -> List[Any]:
    """Return the first list of lists of some kind under some keys."""
    for column in map(value.get, keys):
        if isinstance(column, list) and column and _is_list_of(column[0], kinds):
            return column
    return []


def _is_list_of(value: Any, kinds: Tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(item, kinds) for item in value)
