"""Pairs the mentions of two annotations of one text, one to one."""

from bisect import bisect_left
from typing import Callable, Dict, Hashable, Iterable, List, Optional, Sequence, Tuple

from spacy_bioner.records import Fragment, Mention
from spacy_bioner.spans import overlaps

EQUAL, BORDER, LABEL, BOTH = "equal", "border differs", "label differs", "border and label differ"
ONLY_A, ONLY_B = "only in A", "only in B"
Pair = Tuple[str, Optional[Mention], Optional[Mention]]
"""Kind, mention of A, mention of B."""
_Match = List[Tuple[Mention, Mention]]


def pair_mentions(a: Iterable[Mention], b: Iterable[Mention]) -> List[Pair]:
    """Pair two annotations of one text.

    First equal mentions are paired (offsets, fragments, label); then those of one label that
    overlap; then those at the same offsets; then those that overlap. A mention that stands twice in
    one annotation counts once.

    RETURNS (List[Tuple[str, Optional[Mention], Optional[Mention]]]): By place.
    """
    left, right = _unique(a), _unique(b)
    pairs: List[Pair] = []
    for kind, match in _RULES:
        matched = match(left, right)
        pairs += [(kind, one, other) for one, other in matched]
        done = {id(mention) for pair in matched for mention in pair}
        left = [mention for mention in left if id(mention) not in done]
        right = [mention for mention in right if id(mention) not in done]
    pairs += [(ONLY_A, mention, None) for mention in left]
    pairs += [(ONLY_B, None, mention) for mention in right]
    return sorted(pairs, key=_order)


def _unique(mentions: Iterable[Mention]) -> List[Mention]:
    unique = {(_place(mention), mention.label): mention for mention in mentions}
    return [unique[key] for key in sorted(unique)]


def _place(mention: Mention) -> Tuple[int, int, Tuple[Fragment, ...]]:
    return mention.start_char, mention.end_char, mention.fragments


def _match_by(key: Callable[[Mention], Hashable]) -> Callable[..., _Match]:
    def match(left: Sequence[Mention], right: Sequence[Mention]) -> _Match:
        waiting: Dict[Hashable, List[Mention]] = {}
        for mention in reversed(right):
            waiting.setdefault(key(mention), []).append(mention)
        return [(item, waiting[key(item)].pop()) for item in left if waiting.get(key(item))]

    return match


def _match_overlapping(*, same_label: bool) -> Callable[..., _Match]:
    """Make a matching of overlapping mentions: what ends first takes what ends first, which gives
    the most pairs where mentions of one annotation do not overlap each other."""

    def match(left: Sequence[Mention], right: Sequence[Mention]) -> _Match:
        starts = [mention.start_char for mention in right]
        longest = max((mention.end_char - mention.start_char for mention in right), default=0)
        taken: set[int] = set()
        pairs: _Match = []
        for one in sorted(left, key=lambda mention: (mention.end_char, mention.start_char)):
            first = bisect_left(starts, one.start_char - longest)
            near = range(first, bisect_left(starts, one.end_char))
            fits = [
                i
                for i in near
                if i not in taken
                and (one.label == right[i].label or not same_label)
                and _share_character(one, right[i])
            ]
            if fits:
                best = min(fits, key=lambda i: (right[i].end_char, i))
                taken.add(best)
                pairs.append((one, right[best]))
        return pairs

    return match


def _share_character(one: Mention, other: Mention) -> bool:
    return any(overlaps(piece, another) for piece in one.pieces for another in other.pieces)


def _order(pair: Pair) -> Tuple[int, int, str]:
    mention = pair[1] or pair[2]
    return (mention.start_char, mention.end_char, pair[0]) if mention else (0, 0, pair[0])


_RULES: Tuple[Tuple[str, Callable[..., _Match]], ...] = (
    (EQUAL, _match_by(lambda mention: (_place(mention), mention.label))),
    (BORDER, _match_overlapping(same_label=True)),
    (LABEL, _match_by(_place)),
    (BOTH, _match_overlapping(same_label=False)),
)
