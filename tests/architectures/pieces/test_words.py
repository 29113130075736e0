"""Which tokens are words, and rows, spans and losses of words put back on tokens."""

import weakref

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bioner.architectures.decoding import log_softmax, make_grammar, tag_log_marginals
from spacy_bioner.architectures.pieces import words as words_module
from spacy_bioner.architectures.pieces.words import (
    NEVER,
    find_entities,
    find_words,
    learn_words,
    word_log_marginals,
)
from spacy_bioner.tags import tag_set
from tests.conftest import TOKENIZER

NLP = spacy.blank("en", config=TOKENIZER)
TAGS = tag_set(["X"], "BIO")
GAP = st.text(st.sampled_from(" \n\t\r\xa0\u2028\u200b\xad\x00"), max_size=4)


def list_words(doc):
    words = find_words(doc)
    return [doc[start:end].text for start, end in zip(words.starts, words.ends)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\u200b", []),
        ("Acute kidney", ["Acute", "kidney"]),
        ("\n Acute  \r\n\t kidney\u00a0", ["Acute", "kidney"]),
        ("Acute \x00 kidney\u200b injury", ["Acute", "kidney", "injury"]),
        ("kid\u00adney\u200bs", ["kid\u00adney\u200bs"]),
        ("kid\u00ad ney", ["kid", "ney"]),
        ("IL-\u200b2 (\ufeffgamma)", ["IL", "-", "2", "(", "gamma", ")"]),
        ("kid-\nney", ["kid", "-", "ney"]),
    ],
)
def test_words_are_tokens_that_show_something(blank_nlp, text, expected):
    assert list_words(blank_nlp(text)) == expected


def test_a_token_that_is_a_single_blank_is_no_word():
    doc = Doc(Vocab(), words=[" ", "a", " ", "b", "\u2060"], spaces=[False] * 5)
    words = find_words(doc)
    assert (words.text, words.starts.tolist(), words.ends.tolist()) == ("a b", [1, 3], [2, 4])
    assert (words.start_chars.tolist(), words.end_chars.tolist()) == ([0, 2], [1, 3])


@given(st.lists(st.tuples(GAP, st.sampled_from(["rats", "IL-2", "(", "p53", "β"]))), GAP)
def test_words_stand_in_the_text_of_the_words(pairs, end):
    doc = NLP("".join(gap + word for gap, word in pairs) + end)
    words = find_words(doc)
    shown = [words.text[a:b] for a, b in zip(words.start_chars, words.end_chars)]
    assert "".join(shown) == words.text.replace(" ", "")
    assert all(a < b for a, b in zip(words.starts, words.ends))
    assert all(end <= start for end, start in zip(words.ends, words.starts[1:]))


@given(st.lists(st.sampled_from(["rats", "IL-2", " ", "(", "β b"])), st.integers(0, 255))
def test_words_of_plain_text_are_found_as_those_of_any(tokens, spaces):
    spaced = [bool(spaces >> place & 1) for place in range(len(tokens))]
    doc = Doc(NLP.vocab, words=tokens, spaces=spaced)
    with pytest.MonkeyPatch.context() as patch:
        found = find_words(doc)
        patch.setattr(words_module, "is_squeezed", lambda text: False)
        expected = find_words(doc)
    for name in ("text", "n_tokens"):
        assert getattr(found, name) == getattr(expected, name)
    for name in ("starts", "ends", "start_chars", "end_chars"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


@pytest.fixture
def doc():
    # Two words; the second one is cut in two.
    tokens = ["\n", "Acute", "\t", "kid", "\u00ad", "ney", "\n"]
    return Doc(Vocab(), words=tokens, spaces=[False] * len(tokens))


def test_words_follow_tokens_that_are_merged_and_split(blank_nlp):
    doc = blank_nlp("acute kidney \n injury")
    before = find_words(doc)
    assert find_words(doc) is before
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert len(find_words(doc)) == len(before) - 1 == 2
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[0], ["acute ", "kidney"], heads=[doc[0], doc[0]])
    assert len(find_words(doc)) == 3


def test_words_of_few_documents_are_remembered_and_none_is_kept_alive(blank_nlp, monkeypatch):
    monkeypatch.setattr(words_module, "MOST_RECENT", 3)
    docs = [blank_nlp(f"text {number}") for number in range(7)]
    for doc in docs:
        find_words(doc)
        assert len(words_module._RECENT) <= 3
    gone, n_known = weakref.ref(docs.pop()), len(words_module._RECENT)
    del doc
    assert gone() is None
    assert len(words_module._RECENT) == n_known - 1


def test_rows_of_words_are_picked_and_put_back(doc):
    words = find_words(doc)
    rows = np.arange(18.0).reshape(9, 2)
    picked = words.pick(rows)
    # Two rows behind those of tokens are of single pieces.
    assert picked.tolist() == rows[[1, 3, 7, 8]].tolist()
    placed = words.place(picked, 9)
    assert placed[[1, 3, 7, 8]].tolist() == picked.tolist()
    assert not placed[[0, 2, 4, 5, 6]].any()


def test_tokens_have_the_row_of_their_word_or_are_outside(doc):
    filled = find_words(doc).fill(np.array([[-1.0, -2.0], [-3.0, -4.0]]))
    outside, first, second = [0.0, NEVER], [-1.0, -2.0], [-3.0, -4.0]
    assert filled.tolist() == [outside, first, outside, second, second, second, outside]


def test_spans_go_from_tokens_to_words_and_back(doc):
    words = find_words(doc)
    assert words.to_tokens([(0, 2, "X"), (1, 2, "Y")]) == [(1, 6, "X"), (3, 6, "Y")]
    assert words.touched(0, 7) == words.touched(1, 6) == words.touched(1, 4) == (0, 2)
    assert words.touched(2, 3) == (1, 1)
    assert [words.holds(*span) for span in [(0, 7), (1, 6), (1, 4), (5, 6), (2, 3)]] == [
        True, True, False, False, True
    ]  # fmt: skip
    assert len(words.choose(np.array([False, True]))) == 1


@pytest.mark.parametrize("is_learned", [False, True])
def test_entities_are_those_of_the_words_alone(doc, is_learned):
    random = np.random.default_rng(0)
    learned = (random.normal(size=(3, 3)), random.normal(size=3), random.normal(size=3))
    grammar = make_grammar(TAGS, "BIO", learned if is_learned else None)
    scores = log_softmax(random.normal(size=(7, 3)))
    scores[1], scores[3] = np.log([0.1, 0.8, 0.1]), np.log([0.1, 0.1, 0.8])
    plain = Doc(doc.vocab, words=["Acute", "kidney"])
    ((expected, chances),) = find_entities([scores[[1, 3]]], [find_words(plain)], TAGS, grammar)
    ((found, values),) = find_entities([scores], [find_words(doc)], TAGS, grammar)
    assert (expected, found) == ([(0, 2, "X")], [(1, 6, "X")])
    assert values == chances


def test_marginals_are_those_of_the_words_alone(doc):
    grammar = make_grammar(TAGS, "BIO", (np.ones((3, 3)), np.zeros(3), np.arange(3.0)))
    scores = np.random.default_rng(1).normal(size=(7, 3))
    (expected,) = tag_log_marginals([scores[[1, 3]]], grammar)
    (found,) = word_log_marginals([scores], [find_words(doc)], grammar)
    assert_allclose(np.exp(found[[1, 3, 4, 5]]), np.exp(expected[[0, 1, 1, 1]]))
    assert np.exp(found[[0, 2, 6]]).tolist() == [[1.0, 0.0, 0.0]] * 3


def test_nothing_is_learned_from_tokens_that_are_no_words(doc):
    blank = Doc(doc.vocab, words=["\n"])
    words = [find_words(blank), find_words(doc)]
    emissions = [np.ones((1, 2), np.float32), np.ones((7, 2), np.float32)]
    seen = []

    def objective(rows, known):
        seen.append((len(rows), rows[0].shape, known[0].tolist()))
        return 3.0, [2 * item for item in rows]

    known = [np.zeros(1), np.arange(7)]
    loss, gradients = learn_words(objective, words, known, emissions)
    assert (loss, seen) == (3.0, [(1, (2, 2), [1, 3])])
    assert not gradients[0].any()
    assert gradients[1][:, 0].tolist() == [0, 2, 0, 2, 0, 0, 0]
    assert learn_words(objective, words[:1], known[:1], emissions[:1])[0] == 0.0
    assert len(seen) == 1
