"""Does an annotation fit the text? Its offsets are checked, and the surface form that it claims."""

import re
from typing import List

from spacy_bioner.blanks import is_blank
from spacy_bioner.corpora.conservation import AlignedMention
from spacy_bioner.records import Mention, Record

TEXT_DIFFERS = "text at the offsets differs"
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def why_lost(mention: Mention, text: str) -> str:
    """Say why a mention cannot be used; empty when it can."""
    if not mention.label:
        return "label missing"
    pieces = mention.fragments or ((mention.start_char, mention.end_char),)
    if any(start < 0 or end > len(text) for start, end in pieces):
        return "beyond the text"
    if any(is_blank(text[start:end]) for start, end in pieces):
        return "empty"
    return "" if claim_fits(mention, text) else TEXT_DIFFERS


def claim_fits(mention: Mention, text: str) -> bool:
    """Tell whether the claimed text has the letters and digits that stand at the offsets.

    Case, spaces and punctuation may differ: corpora change them on the way from one format to
    another. A claim without any letter or digit is compared without its spaces. Of a discontinuous
    mention either the fragments or all that they cover may be claimed.
    """
    claimed = mention.text
    found = text[mention.start_char : mention.end_char]
    if not claimed or claimed == found:
        return True
    forms = [found]
    if mention.fragments:
        forms.append("".join(text[start:end] for start, end in mention.fragments))
    return _key(claimed) in map(_key, forms)


def is_respelled(mention: Mention, text: str) -> bool:
    """Tell whether the claimed text is another than stands at the offsets, though it fits."""
    found = text[mention.start_char : mention.end_char]
    return bool(mention.text) and not mention.fragments and mention.text != found


def account_unaligned(
    record: Record, *, keeps_fragments: bool, keeps_duplicates: bool
) -> List[AlignedMention]:
    """Account for the mentions of a record in a format of character offsets, without tokens.

    RETURNS (List[AlignedMention]): One for each mention; token numbers are 0.
    """
    seen = set()
    items: List[AlignedMention] = []
    for mention in record.mentions:
        key = (mention.start_char, mention.end_char, mention.label, mention.fragments)
        reason = why_lost(mention, record.text)
        if reason:
            item = AlignedMention(mention, "lost", reason=reason)
        elif key in seen and not keeps_duplicates:
            item = AlignedMention(mention, "duplicate")
        elif mention.fragments and not keeps_fragments:
            item = AlignedMention(mention, "discontinuous", reason="covering span")
        else:
            respelled = is_respelled(mention, record.text)
            item = AlignedMention(mention, "exact", respelled=respelled)
        seen.add(key)
        items.append(item)
    return items


def _key(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text).casefold() or "".join(text.split())
