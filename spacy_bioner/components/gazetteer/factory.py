"""The factory of `bioner_gazetteer`, and its settings."""

from typing import Any, Callable, Dict, List, Optional, Union

from spacy.language import Language

from spacy_bioner.components.gazetteer.component import Gazetteer
from spacy_bioner.components.gazetteer.modes import FILL
from spacy_bioner.components.gazetteer.patterns import ID_SEPARATOR

DEFAULT_CONFIG: Dict[str, Any] = {
    "set_ents": True,
    "mode": FILL,
    # Pairs: labels may hold what keys of a config cannot.
    "modes": [],
    "nested": False,
    "variants": False,
    "min_length": 2,
    "labels": None,
    "confidence": None,
    "phrase_matcher_attr": None,
    "matcher_fuzzy_compare": {"@misc": "spacy.levenshtein_compare.v1"},
    "validate": False,
    "overwrite_ents": False,
    "ent_id_sep": ID_SEPARATOR,
    "scorer": {"@scorers": "spacy_bioner.EntityScorer.v1"},
}


@Language.factory(
    "bioner_gazetteer",
    default_config=DEFAULT_CONFIG,
    assigns=[
        "doc.spans", "doc.ents", "token.ent_iob", "token.ent_type", "token.ent_kb_id",
        "token.ent_id",
    ],
)  # fmt: skip
def make_gazetteer(
    nlp: Language,
    name: str,
    set_ents: bool,
    mode: str,
    modes: List[List[str]],
    nested: bool,
    variants: bool,
    min_length: int,
    labels: Optional[List[str]],
    confidence: Optional[float],
    phrase_matcher_attr: Optional[Union[int, str]],
    matcher_fuzzy_compare: Callable,
    validate: bool,
    overwrite_ents: bool,
    ent_id_sep: str,
    scorer: Optional[Callable],
) -> Gazetteer:
    """Make the component; what it finds comes with `initialize`, `add_terms`, `add_patterns` or
    from disk."""
    return Gazetteer(
        nlp,
        name,
        set_ents=set_ents,
        mode=mode,
        modes=modes,
        nested=nested,
        variants=variants,
        min_length=min_length,
        only_labels=labels,
        confidence=confidence,
        phrase_matcher_attr=phrase_matcher_attr,
        matcher_fuzzy_compare=matcher_fuzzy_compare,
        validate=validate,
        overwrite_ents=overwrite_ents,
        ent_id_sep=ent_id_sep,
        scorer=scorer,
    )
