"""Tags of words in lists, as JSON files have them: their scheme, and the stretches that they mark.

Tags are prefixed in any scheme ("B-Disease"), or bare labels ("Disease"), of which equal neighbours
are one mention. Numbers are places in a list of names, which the file must have.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy_bioner.corpora.formats.tagged.scheme_detection import TagSurvey
from spacy_bioner.tags import OUTSIDE, TokenSpan, parse_tag, repair, tags_to_spans

MISSING = frozenset(("-", "", None))
_NAME_KEYS = ("names", "label_names", "tag_names", "label_list", "id2label", "label2id", "classes")
_PREFIXES = frozenset("BIELSU")


@dataclass
class TagLists:
    """Looks at all tags of a file, then reads them.

    kinds (Counter[str]): How many tags are "outside", "prefixed", "bare".
    """

    kinds: Counter[str] = field(default_factory=Counter)
    _survey: TagSurvey = field(default_factory=TagSurvey)
    _scheme: str = ""
    _is_bare: bool = False

    def add(self, tags: Sequence[str]) -> None:
        """Look at the tags of one more document."""
        kinds = list(map(_kind_of, tags))
        self.kinds.update(kinds)
        known = (tag for tag, kind in zip(tags, kinds) if kind in ("outside", "prefixed"))
        self._survey.add(["", *known, ""])

    def settle(self, *, lenient: bool = False) -> None:
        """Choose the scheme.

        RAISES (LabelError): Prefixes that no single scheme has.
        """
        self._is_bare = self.kinds["bare"] > self.kinds["prefixed"]
        self._scheme = "IO" if self._is_bare else self._survey.choose_scheme(lenient=lenient)

    def read(self, tags: Sequence[str]) -> Tuple[List[TokenSpan], int]:
        """Return the stretches of words, and how many tags had to be repaired.

        RAISES (LabelError): A tag that is none.
        """
        if self._is_bare:
            tags = [tag if tag == OUTSIDE else f"I-{tag}" for tag in tags]
        for tag in set(tags):
            parse_tag(tag)
        repaired, changed = repair(list(tags), self._scheme)
        return list(tags_to_spans(repaired)), changed


def find_names(beside: Mapping[str, Any], tag_key: str) -> Optional[Dict[int, str]]:
    """Find the names of numbered tags beside the documents, or in one; None without."""
    described = _find_feature(beside.get("features"), tag_key)
    candidates = [_find_deep(described, "names"), beside.get(f"{tag_key}_names")]
    candidates += [beside.get(key) for key in _NAME_KEYS]
    return next((names for names in map(_as_names, candidates) if names), None)


def _find_feature(features: Any, tag_key: str) -> Any:
    if isinstance(features, dict):
        return features.get(tag_key)
    items = features if isinstance(features, list) else []
    return next((x for x in items if isinstance(x, dict) and x.get("name") == tag_key), None)


def _find_deep(value: Any, key: str) -> Any:
    if not isinstance(value, dict):
        return None
    if key in value:
        return value[key]
    found = (_find_deep(item, key) for item in value.values())
    return next((item for item in found if item is not None), None)


def _as_names(value: Any) -> Optional[Dict[int, str]]:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return dict(enumerate(value))
    if not isinstance(value, dict) or not value:
        return None
    if all(isinstance(item, int) for item in value.values()):
        return {number: str(name) for name, number in value.items()}
    if all(key.isdecimal() and isinstance(item, str) for key, item in value.items()):
        return {int(key): item for key, item in value.items()}
    return None


def _kind_of(tag: str) -> str:
    if tag == OUTSIDE:
        return "outside"
    return "prefixed" if tag[:1] in _PREFIXES and tag[1:2] in ("", "-") else "bare"
