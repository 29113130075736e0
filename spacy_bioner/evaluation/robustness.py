"""How much of a pipeline's score is left when its input is disturbed.

An attack on the text changes gold documents, mentions and their offsets included, before the
pipeline sees them. An attack on the embeddings comes as a callable that annotates documents under
it, because only the component knows its embeddings.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from spacy_bioner.errors import ConfigError
from spacy_bioner.evaluation.bootstrap.intervals import Interval, bootstrap_scores, count_documents
from spacy_bioner.evaluation.matching import compare_docs
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import ID_KEY
from spacy_bioner.spans import overlaps

CLEAN = "clean"
N_EXAMPLES = 12
ChangeText = Callable[[Doc], Optional[Doc]]
"""Returns a gold Doc in a disturbed form with its gold, or None where nothing can be changed."""
AttackEmbeddings = Callable[[Sequence[Doc], float], List[Doc]]
"""Annotates the texts of gold Docs under an attack of a given epsilon."""


@dataclass(frozen=True)
class Lost:
    """A gold mention that is found without an attack and lost under it.

    before, after (str): Its text, the same under an attack on embeddings.
    found (str): What lies there instead, as "text (label)"; empty for nothing.
    """

    document: str
    label: str
    before: str
    after: str
    found: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a pipeline scores under one attack.

    attack (str): Its name; "clean" for none.
    strength (Optional[float]): Epsilon of an attack on embeddings; None for text.
    counts (Counts): Strict, all types together.
    n_docs (int): Documents.
    n_changed (int): Documents whose text the attack changed.
    examples (Tuple[Lost, ...]): Some of the mentions that are lost.
    interval (Optional[Interval]): Of F1, a bootstrap over documents.
    """

    attack: str
    strength: Optional[float]
    counts: Counts
    n_docs: int
    n_changed: int = 0
    examples: Tuple[Lost, ...] = ()
    interval: Optional[Interval] = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Outcome":
        """Read what `to_json` wrote."""
        counts = Counts(data["tp"], data["fp"], data["fn"])
        examples = tuple(Lost(**row) for row in data.get("examples", ()))
        about = (data["attack"], data["strength"], counts, data["n_docs"], data["n_changed"])
        interval = data.get("interval") and Interval(**data["interval"])
        return cls(*about, examples, interval)

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "attack": self.attack,
            "strength": self.strength,
            "tp": self.counts.tp,
            "fp": self.counts.fp,
            "fn": self.counts.fn,
            "f_score": self.counts.f_score,
            "n_docs": self.n_docs,
            "n_changed": self.n_changed,
            "examples": [asdict(item) for item in self.examples],
            "interval": self.interval and self.interval.to_json(),
        }


@dataclass(frozen=True)
class Robustness:
    """The outcomes of one pipeline.

    name (str): The pipeline.
    clean (Outcome): Without an attack.
    text (Tuple[Outcome, ...]): Under each attack on the text.
    curve (Tuple[Outcome, ...]): Under the attack on embeddings, by rising epsilon.
    fingerprint (str): What tells the pipeline from others, whatever they are called.
    """

    name: str
    clean: Outcome
    text: Tuple[Outcome, ...] = ()
    curve: Tuple[Outcome, ...] = field(default=())
    fingerprint: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Robustness":
        """Read what `to_json` wrote."""
        text, curve = (tuple(map(Outcome.from_json, data[key])) for key in ("text", "curve"))
        clean = Outcome.from_json(data["clean"])
        return cls(data["name"], clean, text, curve, data.get("fingerprint", ""))

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "clean": self.clean.to_json(),
            "text": [outcome.to_json() for outcome in self.text],
            "curve": [outcome.to_json() for outcome in self.curve],
        }


def annotate(nlp: Language, gold: Sequence[Doc]) -> List[Doc]:
    """Run a pipeline over the texts of gold documents."""
    return list(nlp.pipe(doc.text for doc in gold))


def score_clean(gold: Sequence[Doc], found: Sequence[Doc]) -> Outcome:
    """Score what a pipeline finds in gold documents as they are."""
    counts, interval = _score(gold, found)
    return Outcome(CLEAN, None, counts, len(gold), interval=interval)


def score_changed_text(
    nlp: Language,
    gold: Sequence[Doc],
    name: str,
    change: ChangeText,
    *,
    clean: Sequence[Doc] = (),
) -> Outcome:
    """Score a pipeline on documents in a disturbed form; those that cannot be changed stay.

    clean (Sequence[Doc]): What it finds without the attack, for examples of what is lost.
    """
    changed = [change(doc) for doc in gold]
    n_changed = sum(doc is not None for doc in changed)
    docs = [doc if new is None else new for doc, new in zip(gold, changed)]
    found = annotate(nlp, docs)
    examples = find_lost(gold, clean, docs, found) if clean else ()
    counts, interval = _score(docs, found)
    return Outcome(name, None, counts, len(docs), n_changed, examples, interval)


def score_attacked(
    attack: AttackEmbeddings,
    gold: Sequence[Doc],
    epsilon: float,
    *,
    name: str,
    clean: Sequence[Doc] = (),
) -> Outcome:
    """Score what is found under an attack on the embeddings; see `score_changed_text`."""
    found = attack(gold, epsilon)
    examples = find_lost(gold, clean, gold, found) if clean else ()
    counts, interval = _score(gold, found)
    return Outcome(name, epsilon, counts, len(gold), 0, examples, interval)


def find_lost(
    gold: Sequence[Doc],
    clean: Sequence[Doc],
    changed: Sequence[Doc],
    found: Sequence[Doc],
    *,
    limit: int = N_EXAMPLES,
) -> Tuple[Lost, ...]:
    """List mentions that were found before and are not any more, at most one of a document.

    gold, clean (Sequence[Doc]): The documents, and what was found in them.
    changed, found (Sequence[Doc]): The same under attack. Attacks keep the order of mentions;
        documents in which they do not are left out.
    """
    lost: List[Lost] = []
    for number, docs in enumerate(zip(gold, clean, changed, found, strict=True), 1):
        if len(lost) == limit:
            break
        before, after = compare_docs(*docs[:2]), compare_docs(*docs[2:])
        pairs = list(zip(before.gold or (), after.gold or ()))
        same = len(before.gold or ()) == len(after.gold or ())
        if not same or any(left[2] != right[2] for left, right in pairs):
            continue
        for left, right in pairs:
            if left in before.predicted and right not in after.predicted:
                inside = [item for item in after.predicted if overlaps(item[:2], right[:2])]
                names = ", ".join(f"{docs[2].text[a:b]} ({label})" for a, b, label in inside)
                texts = docs[0].text[left[0] : left[1]], docs[2].text[right[0] : right[1]]
                name = str(docs[0].user_data.get(ID_KEY, number))
                lost.append(Lost(name, left[2], *texts, names))
                break
    return tuple(lost)


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
    RAISES (ConfigError): For a stretch that is none.
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
    """Return the share of the points lost under an attack that another system does not lose.

    clean, attacked (Counts): Of the system without a defense.
    defended (Counts): Of the other one under the attack.
    RETURNS (Optional[float]): 1 where it stands where the first stood without attack; None where
        nothing was lost.
    """
    scores = [counts.f_score or 0.0 for counts in (clean, attacked, defended)]
    lost = scores[0] - scores[1]
    return (scores[2] - scores[1]) / lost if lost > 0 else None


def _score(gold: Sequence[Doc], found: Sequence[Doc]) -> Tuple[Counts, Interval]:
    pairs = zip(gold, found, strict=True)
    documents = count_documents(compare_docs(left, right) for left, right in pairs)
    return sum(documents, Counts()), bootstrap_scores(documents).f_score
