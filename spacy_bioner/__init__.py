"""Biomedical named-entity recognition for spaCy.

What scripts need is offered here, and imported when it is first asked for: documents and their
mentions (`Record`, `Mention`, `Concept`), `read_corpus` and `write_corpus`, `align` (mentions onto
tokens), and what commands of the same names do: `annotate`, `convert`, `evaluate` (with
`EvaluationSettings`) and `explain`. More is in `spacy_bioner.corpora`, `.knowledge`, `.components`
and `.evaluation`; all errors are in `spacy_bioner.errors`.
"""

from typing import TYPE_CHECKING

from spacy_bioner.ledger import register_with_spacy
from spacy_bioner.public_names import offer_names

if TYPE_CHECKING:
    from spacy_bioner import components as components
    from spacy_bioner import corpora as corpora
    from spacy_bioner import errors as errors
    from spacy_bioner import evaluation as evaluation
    from spacy_bioner import knowledge as knowledge
    from spacy_bioner.apps.annotation.annotate import annotate as annotate
    from spacy_bioner.apps.corpora.convert import convert as convert
    from spacy_bioner.apps.evaluation.evaluate import EvaluationSettings as EvaluationSettings
    from spacy_bioner.apps.evaluation.evaluate import evaluate as evaluate
    from spacy_bioner.apps.evaluation.explain import explain as explain
    from spacy_bioner.corpora.alignment import align as align
    from spacy_bioner.corpora.read_write import read_corpus as read_corpus
    from spacy_bioner.corpora.read_write import write_corpus as write_corpus
    from spacy_bioner.records import Concept as Concept
    from spacy_bioner.records import Mention as Mention
    from spacy_bioner.records import Record as Record

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = offer_names(
    __name__,
    {
        "records": ("Concept", "Mention", "Record"),
        "corpora.alignment": ("align",),
        "corpora.read_write": ("read_corpus", "write_corpus"),
        "apps.annotation.annotate": ("annotate",),
        "apps.corpora.convert": ("convert",),
        "apps.evaluation.evaluate": ("EvaluationSettings", "evaluate"),
        "apps.evaluation.explain": ("explain",),
    },
    modules=("components", "corpora", "errors", "evaluation", "knowledge"),
)

register_with_spacy()
