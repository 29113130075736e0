import pytest

from spacy_bioner.knowledge.concepts.keys import list_grams, make_exact_key, make_form


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Non-Hodgkin Lymphoma", "nonhodgkinlymphoma"),
        ("non‐hodgkin\u00a0lymphoma", "nonhodgkinlymphoma"),
        ("ﬁbrosis", "fibrosis"),
        (" - ", ""),
        ("fever\ud800", "fever?"),
    ],
)
def test_exact_keys(name, key):
    assert make_exact_key(name) == key


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Cancer of the Breast", "breast cancer"),
        ("breast cancers", "breast cancer"),
        ("Alzheimer's disease", "alzheim diseas"),
        ("Alzheimer’s Diseases", "alzheim diseas"),
        ("tumours, type II", "2 tumor type"),
        ("β-thalassaemia", "beta thalassemia"),
        ("vitamin A", "a vitamin"),
        ("the of", "of the"),
        ("+", ""),
    ],
)
def test_forms(name, form):
    assert make_form(name) == form


def test_grams_of_a_form_are_its_words_and_pieces_of_them():
    assert list_grams("ab c") == {" ab", "ab ", " ab ", "=ab", " c ", "=c"}
