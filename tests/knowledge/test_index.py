import re
from itertools import starmap
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bioner.knowledge.matcher import TermMatch, TermMatcher, longest
from spacy_bioner.knowledge.skeletons import Skeleton, edge_hyphens, fold
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR, Term, is_case_sensitive
from spacy_bioner.knowledge.typography import simplify, simplify_text

PIECES = ["a", "A", "b", "ab", "kidney", "1", "-", "-", " ", " ", " ", "\u2013", "\n", "-\n", "'"]
PIECES += ["''", "\u2019", "\ufb01", "\u00ad", "\u00ad\n", "\u0301", "\u00e9", "\u0130", "\u00df"]
PIECES += ["\u03b2", "\U0001f600", "\U00010400", "\U00010428", "\u200b", "\u115f", "_", "x" * 61]
NAMES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)
FOUR_HASHES = np.uint64(3 << 62)


def tokenize(text, cuts):
    """Cut at white space, and where asked."""
    found = []
    for word in re.finditer(r"\S+|\s", text):
        places = sorted({word.start(), word.end(), *(c for c in cuts if c in range(*word.span()))})
        found += zip(places, places[1:])
    return [np.array([place[side] for place in found], dtype=int) for side in (0, 1)]


def shows(text, place):
    return not re.fullmatch(r"[\s\u00ad\u200b\u115f]", text[place])


def agrees(surface, term, variants):
    name = simplify_text(term.name)
    if not is_case_sensitive(term):
        surface, name = fold(surface), fold(name)
    if surface == name or term.tokens:
        return surface == name
    if re.search(r"\n[^\S\n]*\n", surface):
        return False
    whole = re.sub(r"(?<=\w)-[^\S\n]*\n\s*(?=\w)", "", surface)
    kept = re.sub(r"(?<=\w)-[^\S\n]*\n\s*(?=\w)", "-", surface)
    readings = [re.sub(r"\s+", " ", reading) for reading in (whole, kept)]
    name = re.sub(r"\s+", " ", name)
    forms = [lambda x: x.replace("-", " "), lambda x: x.replace("-", "")] if variants else [str]
    return any(form(reading) == form(name) for reading in readings for form in forms)


def skeleton_of(simple):
    return re.sub(r"[\s-]", "", fold(simple))


def stands_apart(shown, start, end):
    left, right = shown[max(0, start - 1) : start + 1], shown[end - 1 : end + 1]
    inner = start > 0 and left.isalnum()
    return not inner and not (end < len(shown) and right.isalnum())


def count_edges(stretch):
    """Count what the skeleton lacks at both ends."""
    starts, ends = re.match(r"[\s-]*", stretch), re.search(r"[\s-]*$", stretch)
    return len(starts.group()), len(ends.group())


def list_stretches(text, starts, ends):
    """List what whole tokens may be an occurrence: the tokens, simplified and one by one."""
    simple = simplify(text)
    opens, closes, places = list(starts), list(ends), range(len(text))
    if simple.starts is not None:
        places = simple.starts
        opens = [int(np.searchsorted(simple.starts, start)) for start in starts]
        closes = [int(np.searchsorted(simple.ends, end, side="right")) for end in ends]
    seen = [index for index in range(len(opens)) if opens[index] < closes[index]]
    for first, last in ((first, last) for first in seen for last in seen if first <= last):
        start, end = opens[first], closes[last]
        visible = shows(text, places[start]) and shows(text, places[end - 1])
        if visible and stands_apart(simple.text, start, end):
            inner = (text[starts[k] : ends[k]] for k in range(first, last + 1))
            tokens = TOKEN_SEPARATOR.join(map(simplify_text, inner))
            yield first, last + 1, simple.text[start:end], tokens


def find_by_force(text, starts, ends, terms, variants):
    """Compare all stretches of tokens with all terms."""
    found = []
    for first, end, stretch, tokens in list_stretches(text, starts, ends):
        for index, term in enumerate(terms):
            name = simplify_text(term.name)
            same = skeleton_of(name) == skeleton_of(stretch) != ""
            # In a name only hyphens and blanks count at the edges.
            if same and edge_hyphens(name) == count_edges(stretch):
                surface = tokens if term.tokens else stretch
                found += [(first, end, index)] if agrees(surface, term, variants) else []
    return sorted(found, key=lambda row: (row[0], -row[1], row[2]))


@st.composite
def cases(draw):
    """Texts with tokens, and terms: some of their own, most cut out of the texts."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=3))
    tokens = [tokenize(text, draw(st.sets(st.integers(0, 80), max_size=8))) for text in texts]
    names = draw(st.lists(NAMES, max_size=3))
    for text, (starts, ends) in zip(texts, tokens):
        for _ in range(draw(st.integers(0, 3)) if len(starts) else 0):
            first = draw(st.integers(0, len(starts) - 1))
            last = draw(st.integers(first, min(len(starts) - 1, first + 4)))
            names.append(text[starts[first] : ends[last]])
            inner = [text[starts[k] : ends[k]] for k in range(first, last + 1)]
            names.append(TOKEN_SEPARATOR.join(inner))
    terms = []
    for name in names:
        if skeleton_of(simplify_text(name)):
            tokens_only = TOKEN_SEPARATOR in name
            case = draw(st.sampled_from(["auto", "exact", "ignore"]))
            terms.append(Term(name, "X", case=case, tokens=tokens_only))
    return list(zip(texts, tokens)), list(dict.fromkeys(terms)), draw(st.booleans())


def check(case):
    texts, terms, variants = case
    matcher = TermMatcher(terms, variants=variants)
    expected = [find_by_force(text, *tokens, terms, variants) for text, tokens in texts]
    assert list(map(list, matcher.find_all((text, *tokens) for text, tokens in texts))) == expected
    flat = matcher.find_all(((text, *tokens) for text, tokens in texts), nested=False)
    assert list(flat) == [longest(list(starmap(TermMatch, found))) for found in expected]
    again = TermMatcher.from_bytes(matcher.to_bytes(), variants)
    # Twice: what was compared once is remembered.
    for _ in range(2):
        assert [again.find(text, *tokens) for text, tokens in texts] == expected
    return sum(map(len, expected))


@settings(max_examples=400, deadline=None)
@given(cases())
def test_find_agrees_with_all_stretches_against_all_terms(case):
    check(case)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_find_is_right_where_hashes_are_equal(case):
    real = Skeleton.hash
    with mock.patch.object(Skeleton, "hash", lambda *args: real(*args) & FOUR_HASHES):
        check(case)
