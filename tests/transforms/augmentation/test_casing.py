import pytest

from spacy_bioner.records import Record
from spacy_bioner.transforms.augmentation.casing import (
    fit_case,
    is_headline,
    is_shouted,
    is_symbol,
    lower_first,
    lower_headline,
    opens_sentence,
)


@pytest.mark.parametrize(
    ("before", "opens"),
    [
        ("", True),
        ("(", True),
        ("It rose. ", True),
        ("METHODS: ", True),
        ("of tumours.", True),
        ("patients with ", False),
        ("toxicity: ", False),
        ("0.", False),
    ],
)
def test_opens_sentence_looks_at_what_stands_before(before, opens):
    assert opens_sentence(Record("1", before + "Aspirin"), len(before)) is opens


def test_opens_sentence_knows_the_corpus_borders():
    text = "Asthma Aspirin helps"
    assert not opens_sentence(Record("1", text), 7)
    assert opens_sentence(Record("1", text, sentence_starts=(0, 7)), 7)
    assert opens_sentence(Record("1", text, sections=(("title", 0, 6), ("text", 7, 20))), 7)


@pytest.mark.parametrize(
    ("text", "surface", "shouted"),
    [
        ("EFFECTS OF ASPIRIN IN RATS", "ASPIRIN", True),
        ("with RENAL FAILURE in", "RENAL FAILURE", True),
        ("patients with MDS and", "MDS", False),
        ("MDS", "MDS", False),
        ("the IL-2 gene", "IL-2", False),
    ],
)
def test_shouted_text_is_told_from_symbols(text, surface, shouted):
    start = text.index(surface)
    assert is_shouted(Record("1", text), start, start + len(surface)) is shouted


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("ARF", True), ("IL-2", True), ("5-FU", True), ("Aspirin", False), ("renal failure", False)],
)
def test_symbols_are_told_from_words(name, symbol):
    assert is_symbol(name) is symbol


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("Kidney Failure", True),
        ("CNS Disease", True),
        ("Disease of the Kidney", True),
        ("Renal failure", False),
        ("MFL regimen", False),
        ("Nephritis", False),
        ("DNA PKCS", False),
    ],
)
def test_headlines_are_told_from_prose(name, headline):
    assert is_headline(name) is headline


@pytest.mark.parametrize(
    ("name", "old", "opens", "shouted", "fitted"),
    [
        ("kidney failure", "Renal failure", True, False, "Kidney failure"),
        ("kidney failure", "renal failure", True, False, "kidney failure"),
        ("kidney failure", "Renal failure", False, False, "kidney failure"),
        ("kidney failure", "Renal Failure", False, False, "Kidney Failure"),
        ("kidney failure", "RENAL FAILURE", False, True, "KIDNEY FAILURE"),
        ("pH disorder", "Acidosis", True, False, "pH disorder"),
    ],
)
def test_fit_case_takes_the_capitals_of_the_place(name, old, opens, shouted, fitted):
    assert fit_case(name, old, opens=opens, shouted=shouted) == fitted


def test_lower_headline_keeps_symbols_and_possessives():
    assert (
        lower_headline("Parkinson's Disease With DNA Loss") == "Parkinson's disease with DNA loss"
    )
    assert lower_headline("Stevens-Johnson Syndrome") == "stevens-Johnson syndrome"


def test_lower_first_leaves_the_other_words():
    assert lower_first("Renal Failure") == "renal Failure"
    assert lower_first("IL-2 deficiency") == "IL-2 deficiency"
    assert lower_first("") == ""
