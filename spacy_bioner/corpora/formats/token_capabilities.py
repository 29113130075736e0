"""What a format made of tokens cannot carry, counted on the Doc that is written."""

from collections import Counter
from typing import Collection

from spacy.tokens import Doc

from spacy_bioner.corpora.formats.capabilities import (
    LINE_BREAKS,
    OVERLAPS,
    WORDS,
    find_losses,
)
from spacy_bioner.gold import RECORD_KEY, SPANS_KEY
from spacy_bioner.records import Record

SPACING = "white space of documents"
BORDERS = "sentence borders within mentions"


def find_token_losses(record: Record, doc: Doc, carries: Collection[str]) -> "Counter[str]":
    """Count what of a record a format of tokens has no place for.

    doc (Doc): What `align` made of the record.
    carries (Collection[str]): The features that the format has.
    RETURNS (Counter[str]): As of `find_losses`; empty when all of it fits.
    """
    losses = find_losses(record, carries)
    if record.words and not doc.user_data.get(RECORD_KEY, {}).get("own_words"):
        losses[WORDS] = 1
    if LINE_BREAKS not in carries:
        # A format of words: one space between them, no border within a mention, no overlaps.
        losses[SPACING] = int(" ".join(token.text for token in doc) != doc.text)
        losses[BORDERS] = sum(bool(t.is_sent_start) for ent in doc.ents for t in ent[1:])
        losses[OVERLAPS] = len(doc.spans[SPANS_KEY]) - len(doc.ents)
    return +losses
