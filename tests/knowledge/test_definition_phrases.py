import pytest

from spacy_bioner.knowledge.definition_phrases import find_phrases, is_marked
from spacy_bioner.knowledge.definitions import find_definitions

TNF = ("TNF", "tumour necrosis factor")


def pairs(text):
    return [(found.short_text, found.long_text) for found in find_definitions(text)]


@pytest.mark.parametrize(
    "text",
    [
        "We saw tumour necrosis factor, or TNF, in men.",
        "a tumour necrosis factor, TNF, is high",
        "a tumour necrosis factor—TNF—is high",
        "a tumour necrosis factor - TNF - is high",
        "TNF, tumour necrosis factor, is high",
        "TNF = tumour necrosis factor",
        "where TNF = tumour necrosis factor and IL is not",
        "tumour necrosis factor = TNF.",
        "a tumour necrosis factor, hereafter TNF, is",
        "a tumour necrosis factor, hereafter referred to as TNF.",
        "a tumour necrosis factor, hereinafter abbreviated to TNF, is",
        "a tumour necrosis factor, also known as TNF, is",
        "a tumour necrosis factor, henceforth designated TNF;",
        "the tumour necrosis factor was abbreviated as TNF in",
        "the tumour necrosis factor is often called TNF.",
        "The protein, tumour necrosis factor, was termed 'TNF'.",
        "TNF stands for tumour necrosis factor.",
        "TNF, which stands for “tumour necrosis factor.”",
        "TNF, short for the tumour necrosis factor, is",
        "TNF is the abbreviation of tumour necrosis factor.",
        "tumour necrosis factor (hereafter TNF)",
        "tumour necrosis factor (hereafter, TNF)",
        "tumour necrosis factor (also referred to as TNF)",
        "tumour necrosis factor (abbreviated to TNF)",
        "tumour necrosis factor (or TNF)",
        "tumour necrosis factor (TNF for short)",
        "tumour necrosis factor (TNF, hereafter)",
        "a signal (tumour necrosis factor, TNF) was",
        "a signal (TNF, tumour necrosis factor) was",
        "a signal (TNF = tumour necrosis factor) was",
        "a signal [TNF: tumour necrosis factor] was",
        "a signal (tumour necrosis factor; TNF) was",
    ],
)
def test_definitions_without_a_bracket_of_their_own(text):
    assert pairs(text) == [TNF]


def test_lists_of_abbreviations():
    text = (
        "Abbreviations: BP, blood pressure; EEG, electroencephalogram; TNF, tumour necrosis factor."
    )
    expected = [("BP", "blood pressure"), ("EEG", "electroencephalogram"), TNF]
    assert pairs(text) == expected
    for sign in (":", " =", " -"):
        assert pairs(text.replace(", ", f"{sign} ")) == expected
    assert pairs("BP: blood pressure; HR: heart rate") == [
        ("BP", "blood pressure"),
        ("HR", "heart rate"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        # two letters between commas say little; places, mentions of other things
        "made in Lake Forest, California, CA, USA",
        "in Harrogate, UK; Indianapolis, IN, USA",
        "blood pressure, BP, and",
        "calcium, sodium, CSM, and iron",
        "small heat protein, HSP, was",
        "The SYNE1 gene provides instructions for making a protein called Syne-1 that is found",
        "Non-A, non-B hepatitis",
        "a large or LG value",
        "x = 12 and TNF = 3",
        "TNF =",
        "= TNF",
        "TNF stands for",
        "the trial, also known as Xanax, is",
        "",
    ],
)
def test_what_only_looks_like_a_phrase(text):
    assert pairs(text) == []


def test_offsets_count_from_the_text():
    text = "First, TNF. A tumour necrosis factor, or TNF, rose."
    (found,) = find_phrases(text, 12, len(text))
    assert (found.short_start, found.short_end) == (41, 44)
    assert text[found.long_start : found.long_end] == found.long_text == TNF[1]


def test_is_marked():
    marked = {"TNF": True, "IL-1": True, "p53": True, "Xanax": False, "p5": False, "12": False}
    assert {one: is_marked(one) for one in marked} == marked


@pytest.mark.parametrize(
    "unit", [", TNF", "(TNF, ", "a = ", "; T", " called TNF", " stands for TNF", "TNF, or ", " or "]
)
def test_many_signs_take_linear_time(unit):
    assert len(find_definitions(unit * 5_000)) < 5_001
