"""The components, by the names that `nlp.add_pipe` takes, and what they leave on a Doc.

spaCy knows the names wherever the package is installed; no import is needed for them.
"""

from typing import TYPE_CHECKING

from spacy_bioner.public_names import offer_names

if TYPE_CHECKING:
    from spacy_bioner.components.abbreviations import read_abbreviations as read_abbreviations
    from spacy_bioner.components.context.sections import read_sections as read_sections
    from spacy_bioner.components.evidence import Evidence as Evidence
    from spacy_bioner.components.evidence import span_evidence as span_evidence
    from spacy_bioner.components.overlaps import Rejection as Rejection
    from spacy_bioner.components.overlaps import read_rejections as read_rejections

FACTORIES = (
    "bioner",
    "bioner_gazetteer",
    "bioner_abbreviations",
    "bioner_confidence",
    "bioner_overlaps",
    "bioner_sections",
    "bioner_context",
    "bioner_coordination",
    "bioner_linker",
    "bioner_feature_crf",
    "bioner_scispacy",
)
"""The names of all components, as `nlp.add_pipe` takes them."""

__getattr__, __dir__, __all__ = offer_names(
    __name__,
    {
        "abbreviations": ("read_abbreviations",),
        "context.sections": ("read_sections",),
        "evidence": ("Evidence", "span_evidence"),
        "overlaps": ("Rejection", "read_rejections"),
    },
    defined=("FACTORIES",),
)
