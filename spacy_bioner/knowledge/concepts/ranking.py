"""Which of several candidates a mention names, and how sure that is.

What tells for a candidate is added up with fixed weights. The weights are those of a conditional
logit model (McFadden 1974), fitted on the dev parts of NCBI-disease and BC5CDR with stores of the
train parts; how sure a choice is, is fitted on the same (`benchmarks/linking.py --fit`).
"""

from math import exp, log
from typing import Dict, List, Sequence, Tuple

from spacy_bioner.knowledge.concepts.candidates import (
    EDITED,
    EXACT,
    NORMALIZED,
    SIMILAR,
    ConceptCandidate,
)
from spacy_bioner.knowledge.concepts.schema import LOOSE, MENTION, OTHER_ID, PREFERRED_NAME

WEIGHTS: Dict[str, float] = {
    "exact": -0.67,
    "normalized": 0.04,
    "edited": 1.7,
    "similar": -1.06,
    "belief": 2.59,
    "likeness": 7.62,
    "common": 2.87,
    "covered": 0.04,
    "used": -1.38,
    "last": -0.36,
    "short": 0.09,
    "preferred": -0.17,
    "mention": 0.19,
    "other_id": -1.2,
    "loose": 0.0,
    "count": 0.53,
    "total": 0.27,
    "scheme": 2.25,
    "context": 1.44,
}
CONTEXT_WEIGHT = WEIGHTS["context"]
# Of the sum of the best, of the logarithm of its part, and the constant.
SURENESS = (0.64, 1.51, -4.68)


def list_features(
    item: ConceptCandidate, *, scheme_share: float, in_context: bool
) -> Dict[str, float]:
    """Say what tells for or against a candidate.

    scheme_share (float): The part of training mentions whose ids are of its scheme.
    in_context (bool): Another mention of the document names it for sure.
    """
    concept = item.concept
    return {
        "exact": item.how == EXACT,
        "normalized": item.how == NORMALIZED,
        "edited": item.how == EDITED,
        "similar": item.how == SIMILAR,
        "belief": item.belief,
        "likeness": item.likeness,
        "common": item.common,
        "covered": item.covered,
        "used": item.used,
        "last": item.has_last,
        "short": item.is_short,
        "preferred": concept.kind == PREFERRED_NAME,
        "mention": concept.kind == MENTION,
        "other_id": concept.kind == OTHER_ID,
        "loose": concept.kind == LOOSE,
        "count": log(1 + concept.count),
        "total": log(1 + concept.total),
        "scheme": scheme_share,
        "context": in_context,
    }


def add_up(features: Dict[str, float]) -> float:
    """Return the weighted sum of what tells for a candidate."""
    return sum(WEIGHTS[name] * value for name, value in features.items())


def rank(
    candidates: Sequence[ConceptCandidate], sums: Sequence[float]
) -> List[Tuple[ConceptCandidate, float]]:
    """Order candidates by their sums; with each, how sure it is that the mention names it."""
    if not candidates:
        return []
    top = max(sums)
    total = sum(exp(value - top) for value in sums)
    of_best, of_part, constant = SURENESS
    rows = [
        (item, value, of_best * value + of_part * (value - top - log(total)) + constant)
        for item, value in zip(candidates, sums, strict=True)
    ]
    rows.sort(key=lambda row: -row[1])
    return [(item, round(1 / (1 + exp(-odds)), 4)) for item, _, odds in rows]
