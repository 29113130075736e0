"""How much of a pipeline's score is left when its input is disturbed.

An attack on the text changes gold documents, mentions and their offsets included, before the
pipeline sees them. An attack on the embeddings comes as a callable that annotates documents under
it, because only the component knows its embeddings.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.matching import compare_docs, score_mentions
from spacy_bioner.evaluation.scores import Counts, Scores

CLEAN = "clean"
ChangeText = Callable[[Doc], Optional[Doc]]
"""Gives a gold Doc in a disturbed form with its gold, or None where nothing can be changed."""
AttackEmbeddings = Callable[[Sequence[Doc], float], List[Doc]]
"""Annotates the texts of gold Docs under an attack of a given epsilon."""


@dataclass(frozen=True)
class Outcome:
    """What a pipeline scores under one attack.

    attack (str): Its name; "clean" for none.
    strength (Optional[float]): Epsilon of an attack on embeddings; None for text.
    counts (Counts): Strict, all types together.
    n_docs (int): Documents.
    n_changed (int): Documents whose text the attack changed.
    """

    attack: str
    strength: Optional[float]
    counts: Counts
    n_docs: int
    n_changed: int = 0

    def to_json(self) -> Dict[str, Any]:
        """Give everything as plain data."""
        return {
            "attack": self.attack,
            "strength": self.strength,
            "tp": self.counts.tp,
            "fp": self.counts.fp,
            "fn": self.counts.fn,
            "f_score": self.counts.f_score,
            "n_docs": self.n_docs,
            "n_changed": self.n_changed,
        }


@dataclass(frozen=True)
class Robustness:
    """The outcomes of one pipeline.

    name (str): The pipeline.
    clean (Outcome): Without an attack.
    text (Tuple[Outcome, ...]): Under each attack on the text.
    curve (Tuple[Outcome, ...]): Under the attack on embeddings, by rising epsilon.
    """

    name: str
    clean: Outcome
    text: Tuple[Outcome, ...] = ()
    curve: Tuple[Outcome, ...] = field(default=())

    def to_json(self) -> Dict[str, Any]:
        """Give everything as plain data."""
        return {
            "name": self.name,
            "clean": self.clean.to_json(),
            "text": [outcome.to_json() for outcome in self.text],
            "curve": [outcome.to_json() for outcome in self.curve],
        }


def score_clean(nlp: Language, gold: Sequence[Doc]) -> Outcome:
    """Score a pipeline on gold documents as they are."""
    return Outcome(CLEAN, None, _run(nlp, gold).micro, len(gold))


def score_changed_text(
    nlp: Language, gold: Sequence[Doc], name: str, change: ChangeText
) -> Outcome:
    """Score a pipeline on documents in a disturbed form; those that cannot be changed stay."""
    changed = [change(doc) for doc in gold]
    n_changed = sum(doc is not None for doc in changed)
    docs = [doc if new is None else new for doc, new in zip(gold, changed)]
    return Outcome(name, None, _run(nlp, docs).micro, len(docs), n_changed)


def score_attacked(
    attack: AttackEmbeddings, gold: Sequence[Doc], epsilon: float, *, name: str
) -> Outcome:
    """Score what is found under an attack on the embeddings."""
    found = attack(gold, epsilon)
    pairs = zip(gold, found, strict=True)
    scores = score_mentions(compare_docs(left, right) for left, right in pairs)
    return Outcome(name, epsilon, scores.micro, len(gold))


def find_epsilon(
    f_score_at: Callable[[float], float],
    target: float,
    *,
    low: float = 1e-4,
    high: float = 64.0,
    steps: int = 8,
) -> Optional[float]:
    """Look for the epsilon at which F1 has fallen to a target, by halving on the log scale.

    f_score_at (Callable[[float], float]): F1 under an epsilon; it is taken to fall as this rises.
    target (float): The F1 to come down to.
    low, high (float): Where to look.
    steps (int): How often the stretch is halved.
    RETURNS (Optional[float]): The end of the last stretch at which F1 is at most the target; None
        where it is above the target even at `high`.
    RAISES ConfigError: For a stretch that is none.
    """
    if not 0 < low < high:
        raise ConfigError(f"found the stretch {low:g} to {high:g}, expected 0 < low < high")
    if f_score_at(high) > target:
        return None
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if f_score_at(middle) > target:
            low = middle
        else:
            high = middle
    return high


def recovered_share(clean: Counts, attacked: Counts, defended: Counts) -> Optional[float]:
    """Give the share of the points lost under an attack that another system does not lose.

    clean, attacked (Counts): Of the system without a defence.
    defended (Counts): Of the other one under the attack.
    RETURNS (Optional[float]): 1 where it stands where the first stood without attack; None where
        nothing was lost.
    """
    scores = [counts.f_score or 0.0 for counts in (clean, attacked, defended)]
    lost = scores[0] - scores[1]
    return (scores[2] - scores[1]) / lost if lost > 0 else None


def _run(nlp: Language, gold: Sequence[Doc]) -> Scores:
    found = nlp.pipe(doc.text for doc in gold)
    return score_mentions(compare_docs(left, right) for left, right in zip(gold, found))
