"""Tag schemes: IO, IOB1, IOB2 (BIO), BIOES and BILOU to and from spans, and what may follow what.

A tag is "O" or a prefix, a hyphen and a label, which may itself contain hyphens ("B-T-cell").
Spans are (start, end, label) over token positions, the end excluded.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from spacy_bioner.errors import LabelError

TokenSpan = Tuple[int, int, str]

OUTSIDE = "O"
SCHEMES = ("IO", "IOB1", "IOB2", "BIOES", "BILOU")
_ALIASES = {"BIO": "IOB2", "IOBES": "BIOES", "BILUO": "BILOU"}
# Prefixes by role: begin, inside, last, single.
_PREFIXES: Dict[str, Tuple[str, ...]] = {
    "IO": ("I",),
    "IOB1": ("B", "I"),
    "IOB2": ("B", "I"),
    "BIOES": ("B", "I", "E", "S"),
    "BILOU": ("B", "I", "L", "U"),
}
_LAST = frozenset("EL")
_SINGLE = frozenset("SU")
_ALL_PREFIXES = frozenset("BI") | _LAST | _SINGLE


def normalize_scheme(name: str) -> str:
    """Return a scheme's name as in `SCHEMES`; "BIO", "IOBES" and "BILUO" are accepted too.

    RAISES (LabelError): An unknown scheme.
    """
    scheme = _ALIASES.get(name.upper(), name.upper())
    if scheme not in _PREFIXES:
        expected = ", ".join((*SCHEMES, "BIO"))
        raise LabelError(f"found tag scheme {name!r}, expected one of {expected}")
    return scheme


def parse_tag(tag: str) -> Tuple[str, str]:
    """Split a tag into prefix and label; the label of "O" is empty.

    RAISES (LabelError): Neither "O" nor a known prefix with a label.
    """
    if tag == OUTSIDE:
        return (OUTSIDE, "")
    prefix, hyphen, label = tag.partition("-")
    if prefix not in _ALL_PREFIXES or not hyphen or not label:
        message = f"found tag {tag!r}, expected O or one of B I E L S U with a label, as in B-Gene"
        raise LabelError(message)
    return (prefix, label)


def tag_set(labels: Iterable[str], scheme: str = "IOB2") -> Tuple[str, ...]:
    """List the tags of a scheme: "O" first, then those of each label in the order given."""
    prefixes = _PREFIXES[normalize_scheme(scheme)]
    unique = dict.fromkeys(labels)
    return (OUTSIDE, *(f"{prefix}-{label}" for label in unique for prefix in prefixes))


def spans_to_tags(spans: Iterable[TokenSpan], length: int, scheme: str = "IOB2") -> List[str]:
    """Write spans as one tag per token. IO merges neighbours of the same label.

    length (int): Number of tokens.
    RAISES (LabelError): A span outside the tokens, empty, without label, or overlapping another.
    """
    scheme = normalize_scheme(scheme)
    tags = [OUTSIDE] * length
    previous: Optional[TokenSpan] = None
    for span in sorted(spans):
        start, end, label = span
        if not 0 <= start < end <= length or not label:
            raise LabelError(f"found span {span}, expected a labeled one within 0 and {length}")
        if previous and start < previous[1]:
            raise LabelError(f"found spans {previous} and {span}, expected none to overlap")
        touching = previous is not None and previous[1:] == (start, label)
        prefixes = _span_prefixes(end - start, scheme, touching)
        tags[start:end] = [f"{prefix}-{label}" for prefix in prefixes]
        previous = span
    return tags


def tags_to_spans(
    tags: Sequence[str], *, scheme: Optional[str] = None, strict: bool = False
) -> List[TokenSpan]:
    """Read the spans off a sequence of tags.

    An illegal transition is read as `repair` mends it: a tag that continues nothing opens a span,
    an open span ends where it is not continued. Legal sequences read the same in every scheme.

    scheme (Optional[str]): Only needed to be strict; the mixed reading is the same for all.
    strict (bool): Refuse illegal transitions instead.
    RAISES (LabelError): A malformed tag; when strict, an illegal transition.
    """
    if strict:
        _check_legal(tags, normalize_scheme(scheme) if scheme else detect_scheme([tags]))
    spans: List[TokenSpan] = []
    start, label = -1, ""
    for position, tag in enumerate(tags):
        prefix, found = parse_tag(tag)
        continues = prefix not in ("B", OUTSIDE) and prefix not in _SINGLE and found == label
        if label and not continues:
            spans.append((start, position, label))
            label = ""
        if prefix == OUTSIDE:
            continue
        if not label:
            start, label = position, found
        if prefix in _LAST or prefix in _SINGLE:
            spans.append((start, position + 1, label))
            label = ""
    if label:
        spans.append((start, len(tags), label))
    return spans


def convert_tags(tags: Sequence[str], scheme: str) -> List[str]:
    """Rewrite tags of any scheme in another."""
    return spans_to_tags(tags_to_spans(tags), len(tags), scheme)


def repair(tags: Sequence[str], scheme: str) -> Tuple[List[str], int]:
    """Make a sequence legal in its scheme.

    RETURNS (Tuple[List[str], int]): The tags, and how many of them had to change.
    """
    repaired = convert_tags(tags, scheme)
    return repaired, sum(old != new for old, new in zip(tags, repaired, strict=True))


def detect_scheme(sequences: Iterable[Sequence[str]]) -> str:
    """Tell the scheme of a corpus from its tags.

    E or S mean BIOES, L or U mean BILOU, no B means IO; between IOB1 and IOB2 the one with fewer
    illegal transitions wins, IOB2 when they are equal.

    RAISES (LabelError): Prefixes that no single scheme has.
    """
    rows = [list(tags) for tags in sequences]
    prefixes = {parse_tag(tag)[0] for tag in {tag for tags in rows for tag in tags}}
    prefixes.discard(OUTSIDE)
    for scheme, marks in (("BIOES", "ES"), ("BILOU", "LU")):
        if prefixes & set(marks):
            unknown = prefixes - set(_PREFIXES[scheme])
            if unknown:
                raise LabelError(f"found prefixes {sorted(prefixes)}, expected those of one scheme")
            return scheme
    if prefixes == {"I"}:
        return "IO"
    illegal = {scheme: _count_illegal(rows, scheme) for scheme in ("IOB2", "IOB1")}
    return "IOB1" if illegal["IOB1"] < illegal["IOB2"] else "IOB2"


def infer_scheme(tags: Iterable[str]) -> str:
    """Tell the scheme of a tag set (not of a sequence): IO, IOB2, BIOES or BILOU."""
    prefixes = {parse_tag(tag)[0] for tag in tags}
    if prefixes & set("ES"):
        return "BIOES"
    if prefixes & set("LU"):
        return "BILOU"
    return "IOB2" if "B" in prefixes else "IO"


@lru_cache(maxsize=4096)
def is_legal(previous: Optional[str], following: Optional[str], scheme: str) -> bool:
    """Tell whether a tag may follow another.

    previous (Optional[str]): None stands for the start of the sequence.
    following (Optional[str]): None stands for its end.
    """
    scheme = normalize_scheme(scheme)
    left, left_label = parse_tag(previous or OUTSIDE)
    right, right_label = parse_tag(following or OUTSIDE)
    for prefix in (left, right):
        if prefix != OUTSIDE and prefix not in _PREFIXES[scheme]:
            return False
    same = left_label == right_label
    if scheme == "IO":
        return True
    if scheme == "IOB1":
        return right != "B" or (left in "BI" and same)
    if scheme == "IOB2":
        return right != "I" or (left in "BI" and same)
    within = right == "I" or right in _LAST
    return within and same if left in "BI" else not within


def legal_transitions(tags: Sequence[str], scheme: Optional[str] = None) -> np.ndarray:
    """Tabulate which tag may follow which.

    tags (Sequence[str]): A tag set, as from `tag_set`.
    scheme (Optional[str]): Inferred from the tag set when not given (never IOB1).
    RETURNS (np.ndarray): Bool, (n, n); row `i`, column `j` says whether tag `j` may follow tag `i`.
    """
    scheme = scheme or infer_scheme(tags)
    rows = [[is_legal(left, right, scheme) for right in tags] for left in tags]
    return np.array(rows, dtype=bool).reshape(len(tags), len(tags))


def legal_starts(tags: Sequence[str], scheme: Optional[str] = None) -> np.ndarray:
    """Tabulate which tags may come first. RETURNS (np.ndarray): Bool, (n,)."""
    scheme = scheme or infer_scheme(tags)
    return np.array([is_legal(None, tag, scheme) for tag in tags], dtype=bool)


def legal_ends(tags: Sequence[str], scheme: Optional[str] = None) -> np.ndarray:
    """Tabulate which tags may come last. RETURNS (np.ndarray): Bool, (n,)."""
    scheme = scheme or infer_scheme(tags)
    return np.array([is_legal(tag, None, scheme) for tag in tags], dtype=bool)


def tag_continues(tags: Sequence[str]) -> np.ndarray:
    """Tabulate which tag, right behind which, makes the same span longer.

    RETURNS (np.ndarray): Bool, (n, n); row `i`, column `j` says whether tag `j` does so behind `i`.
    """
    parsed = [parse_tag(tag) for tag in tags]
    rows = [
        [
            left in "BI" and (right == "I" or right in _LAST) and label == other
            for right, other in parsed
        ]
        for left, label in parsed
    ]
    return np.array(rows, dtype=bool).reshape(len(tags), len(tags))


def _span_prefixes(length: int, scheme: str, touching: bool) -> List[str]:
    """Return the prefixes of a span; `touching`: one of its label ends where it starts."""
    if scheme == "IO" or (scheme == "IOB1" and not touching):
        return ["I"] * length
    if scheme in ("IOB1", "IOB2"):
        return ["B"] + ["I"] * (length - 1)
    begin, inside, last, single = _PREFIXES[scheme]
    if length == 1:
        return [single]
    return [begin, *[inside] * (length - 2), last]


def _check_legal(tags: Sequence[str], scheme: str) -> None:
    sequence: List[Optional[str]] = [None, *tags, None]
    for position, (left, right) in enumerate(pairwise(sequence)):
        if not is_legal(left, right, scheme):
            before, after = left or "the start", right or "the end"
            message = f"found {after} after {before} at position {position} of {scheme} tags"
            raise LabelError(message)


def _count_illegal(rows: Sequence[Sequence[str]], scheme: str) -> int:
    count = 0
    for tags in rows:
        sequence: List[Optional[str]] = [None, *tags, None]
        pairs = pairwise(sequence)
        count += sum(not is_legal(left, right, scheme) for left, right in pairs)
    return count
