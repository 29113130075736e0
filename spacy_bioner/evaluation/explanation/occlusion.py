"""Which words an entity hangs on: what is left of it when they are covered.

Occlusion asks nothing of a system but its scores (Zeiler and Fergus, 2014), so it explains any
pipeline, whatever runs it. `compare_deletions` checks explanations of any kind: covering the words
that one names first has to cost more than covering others.
"""

import random
from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.words import COVERED_KEY
from spacy_bioner.blanks import is_blank

Score = Callable[[Sequence[Doc]], Sequence[float]]
"""How sure a system is of one entity in each of some Docs of the same tokens, 0 to 1. They are
fresh: nothing is annotated but sentence borders."""

N_DRAWS = 10
INVISIBLE = "\u200b"


@dataclass(frozen=True)
class Deletion:
    """What is left of an entity's score when words are covered.

    whole (float): With none covered.
    top (float): With the words covered that an explanation names first.
    drawn (float): With as many words covered at random: the mean of several draws.
    """

    whole: float
    top: float
    drawn: float


def cover(
    doc: Doc,
    places: Sequence[int],
    occluder: str,
    *,
    hidden: Sequence[int] = (),
    sent_starts: Optional[Sequence[bool]] = None,
) -> Doc:
    """Make a Doc of the same tokens, some of them covered.

    places (Sequence[int]): The tokens.
    occluder (str): What stands there instead: a word that says nothing.
    hidden (Sequence[int]): Tokens that show nothing any more: the others of a covered word.
    sent_starts (Optional[Sequence[bool]]): Keep these sentence borders; else those of the Doc,
        where it has any.
    """
    covered = set(places)
    words = [occluder if token.i in covered else token.text for token in doc]
    for place in hidden:
        words[place] = INVISIBLE
    spaces = [bool(token.whitespace_) for token in doc]
    if sent_starts is None and doc.has_annotation("SENT_START"):
        sent_starts = [bool(token.is_sent_start) for token in doc]
    starts: Optional[List[Union[bool, int, None]]] = list(sent_starts) if sent_starts else None
    made = Doc(doc.vocab, words=words, spaces=spaces, sent_starts=starts)
    # A text that spells an encoder's mask is text; these words are to be masks.
    made.user_data[COVERED_KEY] = sorted(covered)
    return made


def occlude(
    doc: Doc,
    score: Score,
    occluder: str,
    *,
    words: Optional[Sequence[Tuple[int, int]]] = None,
    sent_starts: Optional[Sequence[bool]] = None,
) -> np.ndarray:
    """Return what each word adds to a score: what the score loses when it is covered.

    words (Optional[Sequence[Tuple[int, int]]]): The tokens of each, as half-open spans; None takes
        each token that is no white space or the like for one.
    RETURNS (np.ndarray): float64, shape (tokens,), with a word's value at its first token; 0 for
        the others.
    """
    if words is None:
        words = [(token.i, token.i + 1) for token in doc if not is_blank(token.text)]
    variants = [
        cover(doc, [start], occluder, hidden=range(start + 1, end), sent_starts=sent_starts)
        for start, end in words
    ]
    whole, *left = score([cover(doc, [], occluder, sent_starts=sent_starts), *variants])
    values = np.zeros(len(doc))
    values[[start for start, _ in words]] = whole - np.array(left, dtype=np.float64)
    return values


def compare_deletions(
    doc: Doc,
    values: np.ndarray,
    score: Score,
    occluder: str,
    *,
    n_words: int = 1,
    among: Optional[Sequence[int]] = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    sent_starts: Optional[Sequence[bool]] = None,
) -> Optional[Deletion]:
    """Cover the words that an explanation puts first, and random ones.

    values (np.ndarray): What each token adds, shape (tokens,).
    n_words (int): How many are covered.
    among (Optional[Sequence[int]]): Take them from these tokens; None takes all that are no white
        space.
    RETURNS (Optional[Deletion]): None where there are no more tokens than would be covered.
    """
    given = range(len(doc)) if among is None else among
    places = [place for place in given if not is_blank(doc[place].text)]
    if len(places) <= n_words:
        return None
    ranked = sorted(places, key=lambda place: (-values[place], place))
    generator = random.Random(f"{seed} {doc.text}")
    chosen: List[List[int]] = [[], ranked[:n_words]]
    chosen += [generator.sample(places, n_words) for _ in range(n_draws)]
    variants = [cover(doc, items, occluder, sent_starts=sent_starts) for items in chosen]
    whole, top, *drawn = score(variants)
    return Deletion(float(whole), float(top), float(np.mean(drawn)))
