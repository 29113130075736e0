"""The heads of sections: how they are written, and what is true of all that stands below them."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

import srsly

from spacy_bioner.errors import ConfigError
from spacy_bioner.ledger import CONTEXT_VALUES

MAX_HEAD_WORDS = 7
_KEYS = ("heads", "sets")
_FILE = Path(__file__).parent / "data" / "sections.yaml"
_WORD = re.compile(r"[^\W_]+|[&+]")
_SAME = {"&": "and", "+": "and", "hx": "history"}
_LABEL = re.compile(r"[^\W_]+(?:_[^\W_]+)*")


@dataclass(frozen=True)
class SectionTable:
    """The heads that are known.

    labels (Mapping[str, str]): The label of a section by its head, as `normal_head` writes it.
    values (Mapping[str, Tuple[str, ...]]): What is true of all in a section, by label; those of
        which nothing is are not in it.
    """

    labels: Mapping[str, str]
    values: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def load_section_table() -> SectionTable:
    """Return the heads that come with the package."""
    return read_section_table(_FILE)


def read_section_table(path: Path) -> SectionTable:
    """Read heads of sections.

    path (Path): A YAML file: for each label `heads`, a list, and, where something is true of all in
        such a section, `sets`, a list of values.
    RAISES (ConfigError): Anything else, with the file and the label.
    """
    return parse_section_table(load_yaml(path), place=str(path))


def parse_section_table(
    data: Any, *, place: str, base: SectionTable = SectionTable({})
) -> SectionTable:
    """Return heads of sections as a table, those of another one included.

    data (Any): As in the file that `read_section_table` takes.
    place (str): Where it comes from, for messages.
    base (SectionTable): Its heads count where the data does not name them, and what its sections
        say where they have no `sets`.
    RAISES (ConfigError): For data that is no such table, with the place and the label.
    """
    if not isinstance(data, dict) or not (data or base.labels):
        raise ConfigError(f"{place}: found no labels of sections, expected LABEL: {{heads: […]}}")
    labels: Dict[str, str] = {}
    values: Dict[str, Tuple[str, ...]] = {**base.values}
    for label, entry in data.items():
        where = f"{place}: section {label!r}"
        heads, sets = _read_entry(label, entry, where)
        if sets is not None:
            values[label] = tuple(sets)
        for head in heads:
            key = normal_head(head)
            if not 0 < len(key.split()) <= MAX_HEAD_WORDS:
                raise ConfigError(f"{where}: found head {head!r}, expected 1 to 7 words")
            if labels.setdefault(key, label) != label:
                raise ConfigError(f"{where}: found head {head!r}, which {labels[key]} has as well")
    return SectionTable({**base.labels, **labels}, values)


def normal_head(text: str) -> str:
    """Return a head as the table has it: words in small letters, one blank between them."""
    words = (word.casefold() for word in _WORD.findall(text))
    return " ".join(_SAME.get(word, word) for word in words)


def load_yaml(path: Path) -> Any:
    """Read a YAML file.

    RAISES (ConfigError): It is not there, or no YAML.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: found no such file")
    try:
        return srsly.read_yaml(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: found no YAML: {error}") from None


def check_list(value: Any, known: Iterable[str], place: str) -> List[str]:
    """Check that a value is a list of texts.

    known (Iterable[str]): Those that may stand in it; empty for any.
    RAISES (ConfigError): It is not, with the place.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigError(f"{place}: found {value!r:.60}, expected a list of texts")
    allowed = tuple(known)
    for item in value if allowed else ():
        if item not in allowed:
            raise ConfigError(f"{place}: found {item!r}, expected one of {', '.join(allowed)}")
    return value


def check_keys(entry: Any, keys: Iterable[str], place: str) -> Dict[str, Any]:
    """Check that a value is a mapping with certain keys.

    RAISES (ConfigError): It is not, with the place.
    """
    expected = tuple(keys)
    if not isinstance(entry, dict):
        raise ConfigError(f"{place}: found {entry!r:.60}, expected keys {', '.join(expected)}")
    for key in entry:
        if key not in expected:
            raise ConfigError(f"{place}: found key {key!r}, expected {', '.join(expected)}")
    return entry


def _read_entry(label: Any, entry: Any, place: str) -> Tuple[List[str], Optional[List[str]]]:
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise ConfigError(f"{place}: expected words joined by underscores")
    fields = check_keys(entry, _KEYS, place)
    heads = check_list(fields.get("heads"), (), f"{place}, heads")
    if "sets" not in fields:
        return heads, None
    return heads, check_list(fields["sets"], CONTEXT_VALUES, f"{place}, sets")
