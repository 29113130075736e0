"""What texts are compared with: terms, definitions of abbreviations, heads of sections."""

from typing import TYPE_CHECKING

from spacy_bioner.public_names import offer_names

if TYPE_CHECKING:
    from spacy_bioner.knowledge.context.sections import TextSection as TextSection
    from spacy_bioner.knowledge.context.sections import find_sections as find_sections
    from spacy_bioner.knowledge.definitions import Definition as Definition
    from spacy_bioner.knowledge.definitions import find_definitions as find_definitions
    from spacy_bioner.knowledge.gaz import GazInfo as GazInfo
    from spacy_bioner.knowledge.gaz import read_gaz as read_gaz
    from spacy_bioner.knowledge.gaz import write_gaz as write_gaz
    from spacy_bioner.knowledge.matcher import TermMatch as TermMatch
    from spacy_bioner.knowledge.matcher import TermMatcher as TermMatcher
    from spacy_bioner.knowledge.table import SourceInfo as SourceInfo
    from spacy_bioner.knowledge.terms import Term as Term
    from spacy_bioner.knowledge.terms import read_terms as read_terms

__getattr__, __dir__, __all__ = offer_names(
    __name__,
    {
        "context.sections": ("TextSection", "find_sections"),
        "definitions": ("Definition", "find_definitions"),
        "gaz": ("GazInfo", "read_gaz", "write_gaz"),
        "matcher": ("TermMatch", "TermMatcher"),
        "table": ("SourceInfo",),
        "terms": ("Term", "read_terms"),
    },
)
