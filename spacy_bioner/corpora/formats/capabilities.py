"""What a format cannot carry: named, counted, and what comes back without it.

Each feature is something of a record that some formats have no place for. A format names the
features that it carries; `find_losses` counts the rest before it is written, and `reduce_record`
gives what reading the written file returns.
"""

from collections import Counter
from dataclasses import replace
from typing import Callable, Collection, Dict

from spacy.tokens import Doc

from spacy_bioner.gold import RECORD_KEY, SPANS_KEY
from spacy_bioner.records import Mention, Record

FRAGMENTS = "fragments of discontinuous mentions"
CONCEPT_IDS = "concept ids"
ATTRIBUTES = "attributes"
OVERLAPS = "overlapping mentions"
DUPLICATES = "repeated mentions"
CLAIMED_TEXT = "claimed texts that differ"
SECTIONS = "sections"
LINE_BREAKS = "line breaks and tabs"
WORDS = "the corpus' own tokens"
SENTENCES = "sentence borders"
META = "document metadata"
MENTIONS = "mentions"
SPACING = "white space of documents"
BORDERS = "sentence borders within mentions"

_BREAKS = str.maketrans("\n\r\t", "   ")


def find_losses(record: Record, carries: Collection[str]) -> Counter[str]:
    """Count what of a record a format has no place for.

    carries (Collection[str]): The features that the format has.
    RETURNS (Counter[str]): Numbers of mentions, sections, … by feature; empty when all of it fits.
    """
    return Counter(
        {
            name: number
            for name, count in FEATURES.items()
            if name not in carries and (number := count(record))
        }
    )


def find_token_losses(record: Record, doc: Doc, carries: Collection[str]) -> "Counter[str]":
    """Count what of a record a format made of tokens has no place for, on the Doc that is written.

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


def reduce_record(record: Record, carries: Collection[str]) -> Record:
    """Return what is left of a record in a format that carries only some features.

    Line numbers and the readers' notes are left out: they belong to a file, not to a document.
    """
    mentions = tuple(_reduce_mention(mention, record, carries) for mention in record.mentions)
    if DUPLICATES not in carries:
        mentions = tuple(dict.fromkeys(mentions))
    if MENTIONS not in carries:
        mentions = ()
    breaks = {} if LINE_BREAKS in carries else _BREAKS
    return replace(
        record,
        text=record.text.translate(breaks),
        mentions=mentions,
        sections=record.sections if SECTIONS in carries else (),
        words=record.words if WORDS in carries else (),
        sentence_starts=record.sentence_starts if SENTENCES in carries else (),
        meta=record.meta if META in carries else {},
        reading_notes={},
    )


def _reduce_mention(mention: Mention, record: Record, carries: Collection[str]) -> Mention:
    surface = record.text[mention.start_char : mention.end_char]
    breaks = {} if LINE_BREAKS in carries else _BREAKS
    # Without its fragments a mention claims what they cover.
    keeps_claim = CLAIMED_TEXT in carries and (not mention.fragments or FRAGMENTS in carries)
    return replace(
        mention,
        text=((mention.text or surface) if keeps_claim else surface).translate(breaks),
        concept_ids=mention.concept_ids if CONCEPT_IDS in carries else (),
        fragments=mention.fragments if FRAGMENTS in carries else (),
        attributes=mention.attributes if ATTRIBUTES in carries else (),
        line=None,
    )


def _count_overlaps(record: Record) -> int:
    """Count mentions that share a character with another one that starts before or with them."""
    spans = sorted({(m.start_char, m.end_char, m.label) for m in record.mentions})
    reach, count = -1, 0
    for start, end, _ in spans:
        count += start < reach
        reach = max(reach, end)
    return count


def _count_duplicates(record: Record) -> int:
    return len(record.mentions) - len({mention.key for mention in record.mentions})


def _count_claims(record: Record) -> int:
    return sum(
        bool(m.text) and m.text != record.text[m.start_char : m.end_char] for m in record.mentions
    )


FEATURES: Dict[str, Callable[[Record], int]] = {
    MENTIONS: lambda record: len(record.mentions),
    FRAGMENTS: lambda record: sum(bool(m.fragments) for m in record.mentions),
    CONCEPT_IDS: lambda record: sum(bool(m.concept_ids) for m in record.mentions),
    ATTRIBUTES: lambda record: sum(bool(m.attributes) for m in record.mentions),
    OVERLAPS: _count_overlaps,
    DUPLICATES: _count_duplicates,
    CLAIMED_TEXT: _count_claims,
    SECTIONS: lambda record: len(record.sections),
    LINE_BREAKS: lambda record: sum(record.text.count(mark) for mark in "\n\r\t"),
    WORDS: lambda record: bool(record.words),
    SENTENCES: lambda record: bool(record.sentence_starts),
    META: lambda record: len(record.meta),
}
