"""The scorer that `bioner` uses during training: strict scores at the corpus' own offsets."""

from functools import partial
from typing import Any, Callable, Dict, Iterable, Optional

from spacy.training import Example

from spacy_bioner.evaluation.matching import compare_docs, score_mentions
from spacy_bioner.evaluation.scores import Counts

ScorerType = Callable[..., Dict[str, Any]]


def make_entity_scorer(*, spans_key: Optional[str] = None) -> ScorerType:
    """Make `spacy_bioner.EntityScorer.v1`, which gives `ents_p`, `ents_r`, `ents_f` and
    `ents_per_type` in spaCy's shape, with the integer counts beside each type's scores.

    spans_key (Optional[str]): Score this span group; None scores `doc.ents`.
    RETURNS (Callable): A spaCy scorer, `(examples) -> scores`.
    """

    # A partial and no closure: components that are sent to a spawned process take it along.
    return partial(_score_entities, spans_key)


def _score_entities(
    group: Optional[str], examples: Iterable[Example], **kwargs: Any
) -> Dict[str, Any]:
    # spaCy passes the component's settings along, a `spans_key` too; none of them matters here.
    scores = score_mentions(
        compare_docs(example.reference, example.predicted, spans_key=group) for example in examples
    )
    micro = scores.micro
    if not micro.gold and not micro.predicted:
        return dict.fromkeys(("ents_p", "ents_r", "ents_f", "ents_per_type"))
    return {
        **{f"ents_{name}": value for name, value in _to_floats(micro).items()},
        "ents_per_type": {
            label: {**_to_floats(counts), "tp": counts.tp, "fp": counts.fp, "fn": counts.fn}
            for label, counts in sorted(scores.by_type.items())
        },
    }


def _to_floats(counts: Counts) -> Dict[str, float]:
    # `spacy train` drops a score that is None from the weights for good, so that a first
    # evaluation without a prediction would change the score that chooses the best model.
    return {
        "p": counts.precision or 0.0,
        "r": counts.recall or 0.0,
        "f": counts.f_score or 0.0,
    }
