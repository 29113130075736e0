"""Cues: words that say something of the entities near them, from a table that anyone can extend.

After Chapman et al., "A simple algorithm for identifying negated findings and diseases in
discharge summaries", Journal of Biomedical Informatics 34 (2001), 301–310, and Harkema et al.,
"ConText: an algorithm for determining negation, experiencer, and temporal status from clinical
reports", ibid. 42 (2009), 839–851. The cues are in `data/cues.yaml`, with the form of the table.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from spacy_bioner.errors import ConfigError
from spacy_bioner.knowledge.context.heads import check_keys, check_list, load_yaml
from spacy_bioner.ledger import CONTEXT_VALUES

CUE_VALUES = (*CONTEXT_VALUES, "other")
FORWARD, BACKWARD, BOTH, TERMINATE, PSEUDO = "forward", "backward", "both", "terminate", "pseudo"
DIRECTIONS = (FORWARD, BACKWARD, BOTH, TERMINATE, PSEUDO)
START, END, NUMBER, YEAR = "<start>", "<end>", "<number>", "<year>"
MAX_CUE_WORDS = 12
MAX_CUES = 200_000

_FILE = Path(__file__).parent / "data" / "cues.yaml"
_KEYS = ("rule", "sets", "direction", "cues", "reach", "who")
_TABLE_KEYS = ("words", "groups")
_NAME = re.compile(r"\{(\w+)\}")
TOKEN = re.compile(r"[^\W_]+(?:['’](?!s\b)[^\W_]+)?|['’]s\b|[^\w\s]|_")
_PIECE = re.compile(rf"<(?:start|end|number|year)>|{TOKEN.pattern}")

Node = Dict[str, Any]
"""A step of the search tree: what follows by word, and under "" the cues that end here."""


@dataclass(frozen=True)
class Cue:
    """Words and what they say.

    words (Tuple[str, ...]): In small letters, or a kind such as "<number>".
    sets (Tuple[str, ...]): The values that it sets, ends, or is no cue of.
    direction (str): "forward", "backward", "both", "terminate" or "pseudo".
    rule (str): Name of its group.
    reach (int): How many words it reaches at most; 0 for no limit.
    who (str): Whose statement it is; empty where it does not say.
    """

    words: Tuple[str, ...]
    sets: Tuple[str, ...]
    direction: str
    rule: str
    reach: int = 0
    who: str = ""


@dataclass(frozen=True)
class CueTable:
    """Cues, with a tree to search them by.

    words (Mapping[str, Tuple[str, ...]]): The lists that groups name.
    cues (Tuple[Cue, ...]): All cues; of two with the same words for one value, the first counts.
    tree (Node): What follows each word.
    """

    words: Mapping[str, Tuple[str, ...]]
    cues: Tuple[Cue, ...]
    tree: Node


@lru_cache(maxsize=1)
def load_cue_table() -> CueTable:
    """Return the cues that come with the package."""
    return read_cue_table(_FILE)


def read_cue_table(path: Path) -> CueTable:
    """Read cues from a YAML file with `words` and `groups`.

    RAISES (ConfigError): Anything else, with the file, the group and the value.
    """
    data = check_keys(load_yaml(path), _TABLE_KEYS, str(path))
    words = check_keys(data.get("words", {}), data.get("words", {}), f"{path}, words")
    lists = {
        name: tuple(check_list(some, (), f"{path}, words {name}")) for name, some in words.items()
    }
    return parse_cues(data.get("groups"), place=str(path), base=CueTable(lists, (), {}))


def parse_cues(groups: Any, *, place: str, base: CueTable) -> CueTable:
    """Return groups of cues as a table, those of another one included.

    groups (Any): As under `groups` in the file.
    place (str): Where they come from, for messages.
    base (CueTable): Its lists can be named, and its cues count where these groups have no cue of
        the same words and value.
    RAISES (ConfigError): For groups in another form, with the place, the group and the value.
    """
    if not isinstance(groups, list):
        raise ConfigError(f"{place}: found {groups!r:.60}, expected a list of groups of cues")
    cues: List[Cue] = []
    for number, group in enumerate(groups, 1):
        where = f"{place}: group {number}"
        for cue in _parse_group(group, base.words, where):
            cues.append(cue)
            if len(cues) > MAX_CUES:
                raise ConfigError(f"{where}: found more than {MAX_CUES:,} cues; shorten its lists")
    known = (*cues, *base.cues)
    return CueTable(base.words, known, _grow(known))


def split_words(text: str) -> List[str]:
    """Return the words of a cue or a text, as they are compared."""
    return [normal_word(piece) for piece in _PIECE.findall(text)]


def normal_word(word: str) -> str:
    """Return a word as cues have it."""
    return word.casefold().replace("’", "'")


def _parse_group(group: Any, lists: Mapping[str, Sequence[str]], place: str) -> Iterator[Cue]:
    fields = check_keys(group, _KEYS, place)
    rule = fields.get("rule", "cue of the user")
    sets = check_list(fields.get("sets"), CUE_VALUES, f"{place}, sets")
    (direction,) = check_list([fields.get("direction")], DIRECTIONS, f"{place}, direction")
    reach, who = fields.get("reach", 0), fields.get("who", "")
    if not (isinstance(rule, str) and isinstance(who, str)):
        raise ConfigError(f"{place}: found rule {rule!r} and who {who!r}, expected texts")
    if not sets or not isinstance(reach, int) or isinstance(reach, bool) or reach < 0:
        raise ConfigError(f"{place}: found sets {sets} and reach {reach!r}, expected values and a "
                          "number of words, 0 for no limit")  # fmt: skip
    for pattern in check_list(fields.get("cues"), (), f"{place}, cues"):
        for text, filled in _fill(pattern, lists, f"{place}, cue {pattern!r}"):
            words = tuple(split_words(text))
            if not 0 < len(words) <= MAX_CUE_WORDS:
                raise ConfigError(
                    f"{place}, cue {pattern!r}: found {len(words)} words, expected 1 to "
                    f"{MAX_CUE_WORDS}"
                )
            named = _NAME.fullmatch(who)
            yield Cue(
                words,
                tuple(sets),
                direction,
                rule,
                reach,
                filled.get(named.group(1), "") if named else who,
            )


def _fill(
    pattern: str, lists: Mapping[str, Sequence[str]], place: str
) -> Iterator[Tuple[str, Dict[str, str]]]:
    """Put each combination of words in the place of the names in a pattern."""
    names = _NAME.findall(pattern)
    for name in names:
        if name not in lists:
            raise ConfigError(f"{place}: found {{{name}}}, expected one of {', '.join(lists)}")
    for words in product(*(lists[name] for name in names)):
        pieces = _NAME.split(pattern)
        pieces[1::2] = words
        yield "".join(pieces), dict(zip(names, words))


def _grow(cues: Iterable[Cue]) -> Node:
    tree: Node = {}
    for cue in cues:
        node = tree
        for word in cue.words:
            node = node.setdefault(word, {})
        here = node.setdefault("", [])
        taken = {value for other in here for value in other.sets}
        if not taken.issuperset(cue.sets):
            here.append(cue)
    return tree
