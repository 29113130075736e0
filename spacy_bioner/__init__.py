"""Biomedical named-entity recognition for spaCy."""

from spacy_bioner.ledger import register_with_spacy

__version__ = "0.1.0"

register_with_spacy()
