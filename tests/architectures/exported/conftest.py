"""Fixtures on exported models."""

from typing import Any, Callable

import pytest
import spacy
from spacy.language import Language

TEXTS = [
    "Naloxone reverses the effect of clonidine.",
    "hypertension in rats",
    "in  rats,\n\nthe (effect) of\u00a0clonidine, " * 12,
    "",
    " \n ",
    "Zzyzx! TNF-α; e\u0301",
]


@pytest.fixture
def export_model(trained_folder: Any) -> Callable[..., Any]:
    """Exports the model of a pipeline on the tiny BERT, by settings of its encoder."""

    def build(precision: str, nlp: Language | None = None, **settings: Any) -> Any:
        from spacy_bioner.architectures.exported.conversion import start_export

        if nlp is None:
            prefix = "components.bioner.model.encoder"
            nlp = spacy.load(
                trained_folder, config={f"{prefix}.{key}": value for key, value in settings.items()}
            )
        docs = [nlp.make_doc(text) for text in TEXTS]
        return start_export(nlp.get_pipe("bioner").model, docs).build(precision)

    return build
