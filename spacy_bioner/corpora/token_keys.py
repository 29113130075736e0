"""The names under which JSON files keep words with tags, and words with stretches of words.

Known to write so: the datasets library, GLiNER, SciERC and DyGIE++, SpERT, W2NER, and the data of
the Kaggle competition on personal data.
"""

from typing import Any, Dict, Optional, Tuple

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


def _is_list_of(value: Any, kinds: Tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(item, kinds) for item in value)
