"""How right the concepts are that mentions get: mention by mention, and document by document.

A mention is right where the ids that it gets are all of the gold ids and no others. Both sides are
compared by `gold.normalize_concept_id`; "A+B", which NCBI-disease writes for a concept that needs
two, counts as the two, and ids that a table gives to one concept count as one ("D020388" is
"OMIM:300376" in MEDIC). How many are right without the latter is counted beside it.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Sequence

from spacy_bioner.evaluation.bootstrap.intervals import N_RESAMPLES, Interval
from spacy_bioner.evaluation.bootstrap.ratios import Share, bootstrap_shares, list_score_shares
from spacy_bioner.evaluation.metrics.concepts import Concept, count_concepts
from spacy_bioner.evaluation.scores import Counts, Metric
from spacy_bioner.gold import GoldMention, normalize_concept_id

IN_TABLE, ALL, STRICT, COVERAGE = "accuracy in table", "accuracy", "strict ids", "coverage"
GROUP = "linking"


@dataclass
class LabelTally:
    """What became of the mentions of one label in one document.

    mentions (int): Those with a gold id; others are not scored.
    in_table (int): Those all of whose ids the table has.
    right (int): Those that are right.
    right_in_table (int): Those of the table's that are right.
    strict (int): Of these, those whose ids are the very same.
    linked (int): Those that got an id.
    without_id (int): Mentions without a gold id.
    concepts (Counts): Distinct ids of the document.
    """

    mentions: int = 0
    in_table: int = 0
    right: int = 0
    right_in_table: int = 0
    strict: int = 0
    linked: int = 0
    without_id: int = 0
    concepts: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class LinkingRow:
    """The scores of a label, or of all together.

    intervals (Mapping[str, Interval]): "accuracy in table", "accuracy", "strict ids", "coverage".
    documents (Mapping[str, Interval]): Precision, recall and F1 of the ids of documents.
    """

    total: LabelTally
    intervals: Mapping[str, Interval]
    documents: Mapping[str, Interval]


@dataclass(frozen=True)
class LinkingScores:
    """Scores by label; "" is all labels together.

    end_to_end (Mapping[str, Mapping[str, Interval]]): Precision, recall and F1 of the ids of
        documents with the entities of a pipeline; empty without one.
    """

    rows: Mapping[str, LinkingRow]
    n_docs: int
    n_resamples: int
    seed: int
    end_to_end: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    def to_json(self) -> Dict[str, Any]:
        """Return everything as plain data."""
        return {
            "n_docs": self.n_docs,
            "n_resamples": self.n_resamples,
            "seed": self.seed,
            "labels": {
                label: {
                    **asdict(row.total),
                    "concepts": row.total.concepts.to_json(),
                    "intervals": _to_json(row.intervals),
                    "documents": _to_json(row.documents),
                }
                for label, row in self.rows.items()
            },
            "end_to_end": {label: _to_json(row) for label, row in self.end_to_end.items()},
        }


def split_ids(ids: Iterable[str]) -> FrozenSet[str]:
    """Return the ids as they are compared, of one that needs several each of them."""
    return frozenset(part for one in ids for part in normalize_concept_id(one).split("+"))


def tally_document(
    mentions: Sequence[GoldMention],
    found: Sequence[Iterable[str]],
    *,
    in_table: Callable[[str, str], bool],
    primary: Callable[[str, str], str],
) -> Dict[str, LabelTally]:
    """Compare the ids that the mentions of a document got with the gold ones.

    found (Sequence[Iterable[str]]): Of each mention.
    in_table (Callable[[str, str], bool]): Says of an id and a label whether the table has it.
    primary (Callable[[str, str], str]): Gives for an id and a label the concept's first id.
    """
    tallies: Dict[str, LabelTally] = {}
    gold_ids: List[Concept] = []
    found_ids: List[Concept] = []
    for mention, ids in zip(mentions, found, strict=True):
        label = mention.key[2]
        tally = tallies.setdefault(label, LabelTally())
        got, wanted = split_ids(ids), split_ids(mention.concept_ids)
        first_got = {primary(one, label) for one in got}
        first_wanted = {primary(one, label) for one in wanted}
        found_ids += [(label, one) for one in first_got]
        gold_ids += [(label, one) for one in first_wanted]
        if not wanted:
            tally.without_id += 1
            continue
        known = all(in_table(one, label) for one in wanted)
        tally.mentions += 1
        tally.in_table += known
        tally.linked += bool(got)
        tally.right += first_got == first_wanted
        tally.right_in_table += known and first_got == first_wanted
        tally.strict += known and got == wanted
    for label, counts in count_concepts(set(gold_ids), set(found_ids)).items():
        tallies[label].concepts = counts
    return tallies


def score_linking(
    documents: Sequence[Mapping[str, LabelTally]],
    *,
    end_to_end: Sequence[Mapping[str, Counts]] = (),
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> LinkingScores:
    """Add up documents and draw intervals over them.

    end_to_end (Sequence[Mapping[str, Counts]]): What `compare_concepts` gives for each document.
    """
    settings = {"seed": seed, "n_resamples": n_resamples}
    labels = sorted({label for document in documents for label in document})
    rows: Dict[str, LinkingRow] = {}
    for label in [*labels, ""]:
        tallies = [_pick(document, label) for document in documents]
        shares = {
            IN_TABLE: ([t.right_in_table for t in tallies], [t.in_table for t in tallies]),
            ALL: ([t.right for t in tallies], [t.mentions for t in tallies]),
            STRICT: ([t.strict for t in tallies], [t.in_table for t in tallies]),
            COVERAGE: ([t.in_table for t in tallies], [t.mentions for t in tallies]),
        }
        named = {Metric(GROUP, name): share for name, share in shares.items()}
        intervals = _draw(named, settings)
        documents_of = _score_counts([tally.concepts for tally in tallies], settings)
        rows[label] = LinkingRow(add_tallies(tallies), intervals, documents_of)
    ends = sorted({label for document in end_to_end for label in document})
    with_pipeline = {
        label: _score_counts(
            [
                sum((c for name, c in document.items() if label in ("", name)), Counts())
                for document in end_to_end
            ],
            settings,
        )
        for label in ([*ends, ""] if end_to_end else [])
    }
    return LinkingScores(rows, len(documents), n_resamples, seed, with_pipeline)


def add_tallies(tallies: Iterable[LabelTally]) -> LabelTally:
    """Add up tallies of documents, or of labels."""
    total = LabelTally()
    for tally in tallies:
        for name in LabelTally.__dataclass_fields__:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
    return total


def _pick(document: Mapping[str, LabelTally], label: str) -> LabelTally:
    return document.get(label, LabelTally()) if label else add_tallies(document.values())


def _score_counts(counts: Sequence[Counts], settings: Mapping[str, int]) -> Dict[str, Interval]:
    return _draw(list_score_shares(GROUP, None, counts), settings)


def _to_json(intervals: Mapping[str, Interval]) -> Dict[str, Any]:
    return {name: interval.to_json() for name, interval in intervals.items()}


def _draw(shares: Mapping[Metric, Share], settings: Mapping[str, int]) -> Dict[str, Interval]:
    found = bootstrap_shares(shares, **settings)
    return {metric.name: interval for metric, interval in found.items()}
