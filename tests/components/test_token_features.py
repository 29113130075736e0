import pytest
from spacy.tokens import Doc

from spacy_bioner.architectures.pieces.words import find_words
from spacy_bioner.components import token_features
from spacy_bioner.components.token_features import sequence_borders, word_features


@pytest.fixture
def make_doc(blank_nlp):
    def build(words, **settings):
        return Doc(blank_nlp.vocab, words=words, **settings)

    return build


def list_features(doc):
    return word_features(doc, find_words(doc))


def list_borders(doc):
    return sequence_borders(doc, find_words(doc))


def test_features_of_a_token_and_its_neighbours(make_doc):
    first, second = list_features(make_doc(["Severe", "IL2"]))
    assert first == [
        "bias",
        "short=Xx",
        "pre=se",
        "suf=re",
        "pre=sev",
        "suf=ere",
        "pre=seve",
        "suf=vere",
        "first-cap",
        "-2:edge",
        "-1:edge",
        "0:w=severe",
        "0:s=Xxxxx",
        "1:w=il2",
        "1:s=XXd",
        "2:edge",
        "0:2w=severe|il2",
    ]
    assert second[:7] == [
        "bias",
        "short=Xd",
        "pre=il",
        "suf=l2",
        "has-digit",
        "all-caps",
        "first-cap",
    ]
    assert "-1:2w=severe|il2" in second


@pytest.mark.parametrize(
    ("word", "feature"),
    [
        ("12", "digits"),
        ("β", "greek"),
        ("Alpha", "greek"),
        ("IV", "roman"),
        ("mRNA", "inner-cap"),
        (",", "mark"),
    ],
)
def test_kind_of_a_word_is_a_feature(make_doc, word, feature):
    assert feature in list_features(make_doc([word]))[0]


def test_parts_of_speech_are_used_where_there_are_any(make_doc):
    (first, _) = list_features(make_doc(["severe", "pain"], pos=["ADJ", "NOUN"]))
    assert [name for name in first if ":p=" in name] == ["0:p=ADJ", "1:p=NOUN"]
    assert not any(":p=" in name for name in list_features(make_doc(["severe"]))[0])


def test_neighbours_end_with_the_sentence(make_doc):
    doc = make_doc(["Pain", ".", "Fever"], sent_starts=[True, False, True])
    assert list_borders(doc) == [(0, 2), (2, 3)]
    assert list_features(doc)[2][-5:] == [
        "-1:edge",
        "0:w=fever",
        "0:s=Xxxxx",
        "1:edge",
        "2:edge",
    ]


def test_doc_without_sentences_is_one_sequence(make_doc):
    assert list_borders(make_doc(["Pain", "."])) == [(0, 2)]


def test_empty_doc_has_neither_features_nor_sequences(make_doc):
    assert (list_features(make_doc([])), list_borders(make_doc([]))) == ([], [])


def test_very_long_words_are_not_kept(make_doc):
    before = token_features._remembered.cache_info().currsize
    words = [f"{'x' * 100}{number}" for number in range(5)]
    features = list_features(make_doc([*words, "rareword7"]))
    assert "pre=xx" in features[0]
    assert token_features._remembered.cache_info().currsize == before + 1
