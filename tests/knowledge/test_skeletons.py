import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.knowledge import skeletons
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.skeletons import Skeleton, fold
from spacy_bioner.knowledge.terms import Term
from spacy_bioner.knowledge.typography import simplify_text

HASHES = ["0x6321b391259e4321", "0x7660e3423e1ad80e"]
ALPHABET = "aAbB1- \n\u03a9\u03c9\u0130\U0001f600\U00010400\U00010428\ud800"


def test_skeleton_has_places_without_white_space_and_hyphens():
    skeleton = Skeleton("Cl- \u03b1\n\U0001f6002")
    assert skeleton.places.tolist() == [0, 1, 4, 6, 7]
    assert skeleton.before.tolist() == [0, 1, 2, 2, 2, 3, 3, 4, 5]
    assert skeleton.alnum.tolist() == [True, True, False, False, True, False, False, True]


@given(st.text(alphabet=ALPHABET, max_size=30), st.text(alphabet=ALPHABET, max_size=30))
def test_stretches_have_one_hash_where_their_folded_letters_agree(left, right):
    text = left + right + left
    skeleton = Skeleton(text)
    letters = fold(re.sub(r"[\s-]", "", text))
    size = len(letters)
    assert len(skeleton) == size
    starts = np.repeat(np.arange(size), 4)
    ends = np.minimum(starts + np.tile(np.arange(4), size), size)
    hashes = skeleton.hash(starts, ends).tolist()
    known = {}
    for start, end, value in zip(starts, ends, hashes, strict=True):
        assert known.setdefault(letters[start:end], value) == value
    assert len(set(known.values())) == len(known)


def test_hashes_are_those_that_files_have():
    skeleton = Skeleton("IL-2, il2 \u03b2")
    values = skeleton.hash(np.array([0, 4, 7]), np.array([3, 7, 8]))
    assert values[0] == values[1]
    assert [hex(value) for value in values.tolist()[1:]] == HASHES


def test_hash_of_a_stretch_does_not_depend_on_how_long_the_text_is(monkeypatch):
    short = Skeleton("aspirin").hash(np.array([0]), np.array([7]))
    monkeypatch.setattr(skeletons, "_MOST_POWERS", 16)
    assert Skeleton("x" * 50 + "Aspirin").hash(np.array([50]), np.array([57])) == short


def test_names_of_one_hash_modulo_2_to_64_are_told_apart():
    # Thue and Morse: for any base these two collide.
    one = "ab"
    while len(one) < 4096:
        one += one.translate(str.maketrans("ab", "ba"))
    other = one.translate(str.maketrans("ab", "ba"))
    values = Skeleton(one + other).hash(np.array([0, 4096]), np.array([4096, 8192]))
    assert values[0] == values[1]
    matcher = TermMatcher([Term(one, "X"), Term(other, "Y")])
    found = matcher.find(other, np.array([0]), np.array([4096]))
    assert found == [(0, 1, 1)]


@given(st.text(alphabet="aA\u0130\u00df\u03c3\u03a3\u03c2-\u2013 \n1\u00e9\U0001f600", max_size=30))
def test_fold_never_changes_the_length(text):
    assert len(fold(text)) == len(text)
    assert fold(simplify_text(text)) == fold(simplify_text(fold(text)))


def test_folding_keeps_no_entry_for_every_character_of_unicode():
    before = len(skeletons._FOLDING)
    rare = "".join(map(chr, range(0x20000, 0x28000)))
    assert fold(rare + "\U00010400") == rare + "\U00010428"
    assert len(skeletons._FOLDING) <= before + 1
