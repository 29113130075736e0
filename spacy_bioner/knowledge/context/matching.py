"""Find the cues in a sentence: the longest from the left, none within an entity or a compound."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple

from spacy_bioner.knowledge.context.cues import (
    END,
    NUMBER,
    PSEUDO,
    START,
    TOKEN,
    YEAR,
    Cue,
    CueTable,
    Node,
    normal_word,
)

_STOPS = frozenset(".,;:!?)]") | {"and", "but", "or"}
_NUMBERS = frozenset(
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
     "twelve", "several", "few", "many", "couple")
)  # fmt: skip


@dataclass(frozen=True)
class CueSentence:
    """The words of a sentence and the entities among them; all positions count words.

    words (List[str]): As cues have them.
    offsets (List[Tuple[int, int]]): Where each stands in the text.
    entities (List[Tuple[int, int]]): First word of each entity, and that behind it; by position.
    covered (List[int]): How many words before each position, the end included, are in an entity
        or a term.
    n_words (List[int]): How many of those before each position are no punctuation.
    """

    words: List[str]
    offsets: List[Tuple[int, int]]
    entities: List[Tuple[int, int]]
    covered: List[int]
    n_words: List[int]


@dataclass(frozen=True)
class CueMatch:
    """A cue at words of a sentence: its first, and the one behind it."""

    start: int
    end: int
    cue: Cue


def read_sentence(
    text: str,
    start: int,
    end: int,
    entities: Iterable[Tuple[int, int]],
    terms: Iterable[Tuple[int, int]] = (),
) -> CueSentence:
    """Split a stretch of a text into words, and find its entities among them.

    entities (Iterable[Tuple[int, int]]): Their offsets, ascending.
    terms (Iterable[Tuple[int, int]]): Further stretches without cues.
    """
    tokens = list(TOKEN.finditer(text, start, end))
    offsets = [token.span() for token in tokens]
    words = [normal_word(token.group()) for token in tokens]
    starts, ends = [first for first, _ in offsets], [last for _, last in offsets]
    placed = [(bisect_right(ends, first), bisect_left(starts, last)) for first, last in entities]
    others = [(bisect_right(ends, first), bisect_left(starts, last)) for first, last in terms]
    # How many more stretches start than end at each word.
    change = [0] * (len(words) + 1)
    for first, behind in (*placed, *others):
        change[first] += 1
        change[max(first, behind)] -= 1
    inside = [int(depth > 0) for depth in accumulate(change[:-1])]
    n_words = [0, *accumulate(int(word[0].isalnum()) for word in words)]
    return CueSentence(words, offsets, placed, [0, *accumulate(inside)], n_words)


def match_cues(text: str, sentence: CueSentence, table: CueTable) -> Dict[str, List[CueMatch]]:
    """Find the cues of a sentence.

    RETURNS (Dict[str, List[CueMatch]]): By value; in their order, without overlap.
    """
    found = [
        match
        for match in _match_all(sentence.words, table.tree)
        if match.cue.direction == PSEUDO or _is_free(text, sentence, match)
    ]
    # Of two at the same words, that which asks for a place as well.
    found.sort(
        key=lambda match: (
            match.start,
            -match.end,
            match.cue.direction != PSEUDO,
            -len(match.cue.words),
        )
    )
    chosen: Dict[str, List[CueMatch]] = {}
    for match in found:
        for value in match.cue.sets:
            same = chosen.setdefault(value, [])
            if not same or match.start >= same[-1].end:
                same.append(match)
    return chosen


def _match_all(words: Sequence[str], tree: Node) -> Iterator[CueMatch]:
    for start, word in enumerate(words):
        if word in tree or word.isdecimal() or word in _NUMBERS:
            yield from _walk(words, start, start, tree)
    if words and START in tree:
        yield from _walk(words, 0, 0, tree[START])


def _walk(words: Sequence[str], start: int, place: int, node: Node) -> Iterator[CueMatch]:
    """Follow the tree from a word on; a cue is at most twelve words deep."""
    for cue in node.get("", ()):
        yield CueMatch(start, place, cue)
    at_end = place == len(words) or words[place] in _STOPS
    if at_end and END in node:
        yield from _walk(words, start, place, node[END])
    if place == len(words):
        return
    word = words[place]
    if word in node:
        yield from _walk(words, start, place + 1, node[word])
    if NUMBER in node and (word.isdecimal() or word in _NUMBERS):
        yield from _walk(words, start, place + 1, node[NUMBER])
    if YEAR in node and len(word) == 4 and word.isdecimal() and word[:2] in ("19", "20"):
        yield from _walk(words, start, place + 1, node[YEAR])


def _is_free(text: str, sentence: CueSentence, match: CueMatch) -> bool:
    """Tell whether words are a cue, and not part of an entity or a compound ("no-reflow")."""
    start, end = match.start, match.end
    if start == end or sentence.covered[end] > sentence.covered[start]:
        return False
    before, behind = sentence.offsets[start][0], sentence.offsets[end - 1][1]
    if text[behind : behind + 1] in ("-", "‐", "‑") and text[behind + 1 : behind + 2].isalnum():
        return False
    if text[max(0, before - 1) : before] in ("-", "‐", "‑") and before > 1:
        # "HIV-negative" is one where HIV is an entity, "triple-negative" is none.
        is_joined = text[before - 2].isalnum() and start > 1
        if is_joined and sentence.covered[start - 1] == sentence.covered[start - 2]:
            return False
    word = text[before:behind]
    if word == "NO":
        # Nitric oxide, where nothing else is in capitals.
        following = sentence.offsets[end : end + 1]
        return not following or text[slice(*following[0])].isupper()
    return True
