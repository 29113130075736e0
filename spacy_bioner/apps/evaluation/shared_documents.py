"""Test documents that were trained on, which make scores look better than they are."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.docbin import read_docbin_records, to_record
from spacy_bioner.corpora.splits.leakage import LeakCount, LeakReport, find_leaks
from spacy_bioner.evaluation.evaluation import Pair
from spacy_bioner.evaluation.matching import compare_docs, score_mentions
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.gold import ID_KEY

TEST, TRAIN = "test", "train"


@dataclass(frozen=True)
class SharedDocuments:
    """Documents of the test set that stand in training, or in it twice.

    in_train, within (LeakCount): How many, by what they share: id, text, nearly the same text.
    ids (Tuple[str, ...]): Those that stand in training.
    rest (Counts): Strict, of all documents that do not.
    """

    in_train: LeakCount
    within: LeakCount
    ids: Tuple[str, ...]
    n_docs: int
    rest: Counts

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "in_train": asdict(self.in_train),
            "within": asdict(self.within),
            "ids": list(self.ids),
            "rest": {"documents": self.n_docs - len(self.ids), **self.rest.to_json()},
        }

    def warnings(self) -> List[str]:
        """Say in words what a reader of the scores has to know; nothing where all is well."""
        found = []
        if number := self.in_train.documents:
            kinds = (
                f"same id {self.in_train.same_id:,}, same text {self.in_train.same_text:,}, "
                f"nearly the same {self.in_train.near:,}"
            )
            score = self.rest.f_score
            rest = "" if score is None else f"; strict F1 without them {100 * score:.2f}"
            stand = "stands" if number == 1 else "stand"
            found.append(
                f"{number:,} of {self.n_docs:,} documents {stand} in the training documents as "
                f"well ({kinds}){rest}"
            )
        if number := self.within.documents:
            found.append(
                f"{number:,} of {self.n_docs:,} documents repeat{'s' if number == 1 else ''} an "
                "earlier one of these, and counts twice"
            )
        return found


def find_shared(pairs: Sequence[Pair], train: Path) -> SharedDocuments:
    """Look for the documents of an evaluation among those of a training.

    pairs (Sequence[Pair]): Gold Doc and the pipeline's.
    train (Path): A DocBin.
    RAISES (CorpusError): Without datasketch, and for a file that cannot be read.
    """
    gold: List[Doc] = [doc for doc, _ in pairs]
    report = compare_with_training(gold, train)
    leaking = report.leaking(TEST)
    compared = [compare_docs(*pair) for place, pair in enumerate(pairs) if place not in leaking]
    return SharedDocuments(
        report.between()[0],
        report.within()[0],
        tuple(str(gold[place].user_data.get(ID_KEY, place + 1)) for place in sorted(leaking)),
        len(gold),
        score_mentions(compared).micro,
    )


def compare_with_training(gold: Sequence[Doc], train: Path) -> LeakReport:
    """Look for documents of `TEST`, these, that stand in `TRAIN`, a DocBin.

    RAISES (CorpusError): Without datasketch, and for a file that cannot be read.
    """
    records = (to_record(doc, default_id=str(number)) for number, doc in enumerate(gold, 1))
    return find_leaks({TEST: records, TRAIN: read_docbin_records(train)})
