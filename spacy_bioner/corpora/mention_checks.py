"""Does an annotation fit the text? Its offsets are checked, and the surface form that it claims."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Iterable, List, Sequence, Tuple

from spacy_bioner.blanks import is_blank
from spacy_bioner.corpora.alignment_counts import AlignedMention
from spacy_bioner.records import Fragment, Mention, Record

TEXT_DIFFERS = "text at the offsets differs"
# More pieces are compared in two orders only, that of the text and that of the file.
_MOST_PIECES = 8
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def why_lost(mention: Mention, text: str) -> str:
    """Say why a mention cannot be used; empty when it can."""
    if not mention.label:
        return "label missing"
    if any(min(start, end) < 0 or end > len(text) for start, end in mention.pieces):
        return "beyond the text"
    if any(is_blank(text[start:end]) for start, end in mention.pieces):
        return "empty"
    return "" if claim_fits(mention, text) else TEXT_DIFFERS


def claim_fits(mention: Mention, text: str) -> bool:
    """Tell whether the claimed text has the letters and digits that stand at the offsets.

    Case, spaces and punctuation may differ: corpora change them on the way from one format to
    another. A claim without any letter or digit is compared without its spaces. Of a discontinuous
    mention either the fragments, in any order, or all that they cover may be claimed.
    """
    claimed = mention.text
    found = text[mention.start_char : mention.end_char]
    if not claimed or claimed == found or _key(claimed) == _key(found):
        return True
    pieces = [text[start:end] for start, end in mention.fragments]
    return bool(pieces) and _is_made_of(_key(claimed), "".join(pieces), pieces)


def claim_fits_pieces(claimed: str, pieces: Sequence[Fragment], text: str) -> bool:
    """Tell whether a claimed text is what stands at the pieces, one after the other.

    pieces (Sequence[Tuple[int, int]]): In the order of the file, overlapping ones too.
    """
    return _key(claimed) == _key("".join(text[start:end] for start, end in pieces))


def join_pieces(pieces: Iterable[Fragment]) -> Tuple[Fragment, ...]:
    """Order stretches; the one that follows without a gap, or overlaps, goes on with the last."""
    merged: List[Fragment] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def settle_claim(mention: Mention, pieces: Sequence[Fragment], text: str) -> Mention:
    """Return a mention with the text of its fragments, where it claims that of a file's pieces.

    A file may list its pieces in another order than they stand in the text, and some that overlap;
    the fragments of a mention are ordered, and those that overlap are one.
    pieces (Sequence[Tuple[int, int]]): In the order of the file.
    """
    if len(pieces) < 2 or not claim_fits_pieces(mention.text, pieces, text):
        return mention
    surface = mention.covered(text)
    return mention if _key(surface) == _key(mention.text) else replace(mention, text=surface)


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
        reason = why_lost(mention, record.text)
        if reason:
            item = AlignedMention(mention, "lost", reason=reason)
        elif mention.key in seen and not keeps_duplicates:
            item = AlignedMention(mention, "duplicate")
        elif mention.fragments and not keeps_fragments:
            item = AlignedMention(mention, "discontinuous", reason="covering span")
        else:
            respelled = is_respelled(mention, record.text)
            item = AlignedMention(mention, "exact", respelled=respelled)
        seen.add(mention.key)
        items.append(item)
    return items


def _is_made_of(claimed: str, joined: str, pieces: List[str]) -> bool:
    """Tell whether a claim is made of all pieces, each once, in some order."""
    if claimed == _key(joined):
        return True
    keys = [_letters(piece) for piece in pieces]
    if len(pieces) > _MOST_PIECES or sorted(claimed) != sorted("".join(keys)):
        return False
    return _can_be_laid(claimed, tuple(sorted(keys)))


@lru_cache(maxsize=1024)
def _can_be_laid(claimed: str, keys: Tuple[str, ...]) -> bool:
    """Tell whether a text is these keys one after the other, in some order."""
    if not keys:
        return not claimed
    return any(
        claimed.startswith(key)
        and _can_be_laid(claimed[len(key) :], keys[:place] + keys[place + 1 :])
        for place, key in enumerate(keys)
    )


def _key(text: str) -> str:
    return _letters(text) or "".join(text.split())


def _letters(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text).casefold()
