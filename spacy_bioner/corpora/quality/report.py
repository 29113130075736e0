"""The quality of a corpus' annotation in one report: consistency and suspicious spans."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, Iterable, List, Tuple

from spacy_bioner.corpora.quality.consistency import (
    BorderConflict,
    LabelConflict,
    OccurrenceSearch,
    Omission,
    Place,
    SurfaceSurvey,
    place_of,
)
from spacy_bioner.corpora.quality.suspicious_spans import (
    KINDS,
    MAX_CHARACTERS,
    find_suspicious,
)
from spacy_bioner.records import Record


@dataclass(frozen=True)
class Suspicion:
    """A kind of suspicious span.

    kind (str): One of `suspicious_spans.KINDS`.
    """

    kind: str
    count: int
    examples: Tuple[Place, ...]


@dataclass(frozen=True)
class QualityReport:
    """What was found, each list with what occurs most first; suspicions in the order of `KINDS`,
    those that never occur included."""

    documents: int
    mentions: int
    label_conflicts: Tuple[LabelConflict, ...]
    omissions: Tuple[Omission, ...]
    border_conflicts: Tuple[BorderConflict, ...]
    suspicions: Tuple[Suspicion, ...]

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        omissions = [{**asdict(item), "rate": item.rate} for item in self.omissions]
        return {**asdict(self), "omissions": omissions}


def check_quality(
    read: Callable[[], Iterable[Record]],
    *,
    n_examples: int = 3,
    max_characters: int = MAX_CHARACTERS,
) -> QualityReport:
    """Check the annotation of a corpus.

    read (Callable[[], Iterable[Record]]): Gives the documents from the start; called twice, so that
        memory grows with the different surfaces only.
    n_examples (int): How many places to keep of each finding, 1 or more.
    max_characters (int): Longer mentions are very long.
    """
    survey = SurfaceSurvey()
    suspicious: Counter[str] = Counter()
    examples: Dict[str, List[Place]] = {kind: [] for kind in KINDS}
    documents = mentions = 0
    for record in read():
        documents += 1
        mentions += len(record.mentions)
        survey.add(record)
        for kind, mention in find_suspicious(record, max_characters=max_characters):
            suspicious[kind] += 1
            if len(examples[kind]) < n_examples:
                examples[kind].append(place_of(record, mention))
    search = OccurrenceSearch(survey, n_examples=n_examples)
    for record in read():
        search.add(record)
    return QualityReport(
        documents=documents,
        mentions=mentions,
        label_conflicts=tuple(survey.list_label_conflicts()),
        omissions=tuple(search.list_omissions()),
        border_conflicts=tuple(search.list_border_conflicts()),
        suspicions=tuple(Suspicion(k, suspicious[k], tuple(examples[k])) for k in KINDS),
    )
