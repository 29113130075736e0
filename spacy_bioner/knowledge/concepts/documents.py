"""Mentions of a document as they are looked up: what its short forms stand for, filled in."""

from bisect import bisect_left
from typing import List, Sequence, Tuple

from spacy_bioner.knowledge.concepts.linking import MentionText
from spacy_bioner.knowledge.definitions import Definition
from spacy_bioner.knowledge.short_forms import Meaning, find_occurrences

MentionSpan = Tuple[int, int, str]
"""First character, end and the store's label."""


def read_mentions(
    text: str, spans: Sequence[MentionSpan], definitions: Sequence[Definition]
) -> List[MentionText]:
    """Return mentions as texts, with the long forms of the short forms that they have.

    definitions (Sequence[Definition]): Of several of one short form, the last one before an
        occurrence counts.
    """
    meanings = [Meaning(definition, None, False) for definition in definitions]
    found = [
        (start, end, meaning.definition.long_text)
        for start, end, meaning in find_occurrences(text, meanings)
    ]
    starts = [start for start, _, _ in found]
    mentions = []
    for start, end, label in spans:
        inside = found[bisect_left(starts, start) : bisect_left(starts, end)]
        mentions.append(MentionText(text[start:end], label, _spell_out(text, start, end, inside)))
    return mentions


def _spell_out(text: str, start: int, end: int, found: Sequence[Tuple[int, int, str]]) -> str:
    """Write long forms in place of the short ones; empty where there is none to replace."""
    pieces, done = [], start
    for first, last, long_text in found:
        if last <= end:
            pieces += [text[done:first], long_text]
            done = last
    return "".join([*pieces, text[done:end]]) if pieces else ""
