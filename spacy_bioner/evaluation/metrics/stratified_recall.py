"""Recall of gold mentions by what makes them easy or hard: new, long, rare, or short forms.

A system that knows its training data by heart has a fine recall on what it has seen. Gold mentions
are split as in the seen/synonym/concept division of Kim and Kang (2022), "How do your biomedical
named entity recognition models generalize to novel entities?": by surface and by concept id.
Only recall can be split so: a false positive belongs to no gold mention.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc

from spacy_bioner.errors import CorpusError
from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.evaluation.scores import Metric
from spacy_bioner.gold import GoldMention, list_gold_mentions
from spacy_bioner.knowledge.definitions import is_short_form

SEEN, SYNONYM, UNSEEN_CONCEPT, UNSEEN_SURFACE = (
    "seen in training",
    "synonym of a seen concept",
    "unseen concept",
    "unseen, without a concept id",
)
NOVELTY = (SEEN, SYNONYM, UNSEEN_CONCEPT, UNSEEN_SURFACE)
LENGTHS = ("1 word", "2 words", "3 words", "4 words or more")
FREQUENCIES = ("not in training", "once", "2 to 9 times", "10 times or more")
FORMS = ("short form", "other")


@dataclass(frozen=True)
class Stratum:
    """Gold mentions of one kind, and how many of them were found.

    division (str): "novelty", "length", "frequency" or "form".
    """

    division: str
    name: str
    found: int
    gold: int

    @property
    def recall(self) -> Optional[float]:
        """Share of the gold mentions that were found, 0 to 1; None where there is none."""
        return self.found / self.gold if self.gold else None

    @property
    def metric(self) -> Metric:
        """The share that the recall is."""
        return Metric(self.division, self.name)


class TrainingMentions:
    """What a system could have learned by heart.

    mentions (Iterable[GoldMention]): All of the training data's.
    """

    def __init__(self, mentions: Iterable[GoldMention]) -> None:
        self.surfaces: Counter[Tuple[str, str]] = Counter()
        self.concepts: Set[str] = set()
        for mention in mentions:
            self.surfaces[_fold(mention.surface), mention.key[2]] += 1
            self.concepts.update(mention.concept_ids)

    def novelty(self, mention: GoldMention) -> str:
        """Say how new a mention is; one of `NOVELTY`.

        A mention with several concepts counts as a synonym where any of them was seen.
        """
        if (_fold(mention.surface), mention.key[2]) in self.surfaces:
            return SEEN
        if not mention.concept_ids:
            return UNSEEN_SURFACE
        return UNSEEN_CONCEPT if self.concepts.isdisjoint(mention.concept_ids) else SYNONYM

    def frequency(self, mention: GoldMention) -> str:
        """Say how often a mention's surface has its label in training; one of `FREQUENCIES`."""
        number = self.surfaces[_fold(mention.surface), mention.key[2]]
        return FREQUENCIES[(number > 0) + (number > 1) + (number > 9)]


def split_document(
    pair: Tuple[Doc, Doc], compared: Comparison, train: Optional[TrainingMentions] = None
) -> List[Stratum]:
    """Count the gold mentions of each kind in one document, and those that were found, strictly.

    pair (Tuple[Doc, Doc]): Gold Doc and the system's.
    compared (Comparison): What `compare_docs` returns for the pair.
    train (Optional[TrainingMentions]): Without it, there is no novelty and no frequency.
    RETURNS (List[Stratum]): Every kind of every division, those without gold mentions too.
    RAISES (CorpusError): When texts differ.
    """
    if pair[0].text != pair[1].text:
        raise CorpusError(
            "gold and predicted document differ in their white space; run the pipeline over "
            "the gold document's own text"
        )
    divisions: Dict[str, Tuple[Sequence[str], Callable[[GoldMention], str]]] = {
        "length": (LENGTHS, _length),
        "form": (FORMS, _form),
    }
    if train is not None:
        divisions = {
            "novelty": (NOVELTY, train.novelty),
            "frequency": (FREQUENCIES, train.frequency),
            **divisions,
        }
    gold: Counter[Tuple[str, str]] = Counter()
    found: Counter[Tuple[str, str]] = Counter()
    # Mentions of labels that the corpus does not annotate are not among these.
    counted, hit = set(compared.gold or ()), set(compared.predicted)
    for mention in list_gold_mentions(pair[0]):
        if mention.key not in counted:
            continue
        for division, (_, choose) in divisions.items():
            cell = (division, choose(mention))
            gold[cell] += 1
            found[cell] += mention.key in hit
    return [
        Stratum(division, name, found[division, name], gold[division, name])
        for division, (names, _) in divisions.items()
        for name in names
    ]


def sum_strata(documents: Sequence[Sequence[Stratum]]) -> List[Stratum]:
    """Add up the strata of documents, which are of the same kinds in the same order."""
    return [
        Stratum(
            rows[0].division,
            rows[0].name,
            sum(row.found for row in rows),
            sum(row.gold for row in rows),
        )
        for rows in zip(*documents)
    ]


def _fold(surface: str) -> str:
    return " ".join(surface.split()).casefold()


def _length(mention: GoldMention) -> str:
    return LENGTHS[min(max(len(mention.surface.split()), 1), len(LENGTHS)) - 1]


def _form(mention: GoldMention) -> str:
    """Tell short forms: mostly upper-case letters and digits, where their definition allows it."""
    bare = [char for char in mention.surface if char.isalnum()]
    upper = sum(char.isupper() or char.isdigit() for char in bare)
    mostly = any(char.isupper() for char in bare) and 2 * upper > len(bare)
    return FORMS[0] if mostly and is_short_form(mention.surface) else FORMS[1]
