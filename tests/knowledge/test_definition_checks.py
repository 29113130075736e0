import pytest

from spacy_bioner.knowledge.definition_checks import (
    define_letter,
    define_whole,
    is_short_form,
    is_symbolic,
    is_word,
    trim,
)
from spacy_bioner.knowledge.definitions import find_definitions


def pairs(text):
    return [(found.short_text, found.long_text) for found in find_definitions(text)]


@pytest.mark.parametrize(
    ("candidate", "valid"),
    [
        ("ran-PEG-wTNF-alpha", True),
        ("HMG-CoA-reductase", True),
        ("immunoglobulin-like", False),
        ("ABCDEFGHIJK", False),
        ("S. pyogenes", True),
        ("Str. thermophilus", True),
        ("ATP gamma S", True),
        ("a b c d", False),
        ("M.", False),
        ("AND", False),
        ("min", False),
        ("that is", False),
        ("arthro-", False),
        ("HRPO-", True),
    ],
)
def test_is_short_form_beyond_the_paper(candidate, valid):
    assert is_short_form(candidate) is valid


def test_is_symbolic_and_is_word():
    assert [is_symbolic(one) for one in ("TNF", "p53", "apathy")] == [True, True, False]
    assert [is_word(one) for one in ("Mean", "apathy", "the retina", "TNF", "E site")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("levels of adrenaline (A) and noradrenaline", [("A", "adrenaline")]),
        ("in Angus [A] bulls", [("A", "Angus")]),
        # panels and items
        ("activity (A) and weight (B)", []),
        ("activity [A], weight [B]", []),
        ("initial (I) and internal (II) forms", []),
        # another letter, a short word, a symbol, a small letter
        ("levels of adrenaline (B)", []),
        ("it is an aid (A)", []),
        ("of mRNA (M)", []),
        ("levels of adrenaline (a)", []),
        ("sulfoxide(S)-methyl", []),
    ],
)
def test_a_single_capital_is_short_for_the_word_before_it(text, expected):
    assert pairs(text) == expected


def test_define_letter_and_define_whole_return_offsets():
    text = "of adrenaline A"
    found = define_letter(text, (14, 15), (0, 13))
    assert (found.long_start, found.long_end, found.long_text) == (3, 13, "adrenaline")
    text = "heat shock protein HSP"
    assert define_whole(text, (19, 22), (0, 18)).long_text == "heat shock protein"
    assert define_whole("the heat shock protein HSP", (23, 26), (0, 22)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Streptococcus pyogenes (S. pyogenes) is", [("S. pyogenes", "Streptococcus pyogenes")]),
        ("*Staphylococcus aureus* (S. aureus)", [("S. aureus", "Staphylococcus aureus")]),
        ("with Streptococcus pyogenes (S. aureus)", []),
        ("Homo sapiens (M. sapiens)", []),
        ("aureus (S. aureus)", []),
    ],
)
def test_species_whose_genus_is_cut_short(text, expected):
    assert pairs(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "substances that can cause allergic reactions (allergens)",
        "an area called the choroid plexus and the thin inner layer (the retina)",
        "biochemical measurements of oxidative stress markers (MDA, GSH) revealed",
        "of the Department at the Hospital of Galdakao and the Biscay Association (ASPARBI)",
        "distinct analyses were conducted for each treatment (ATD, placebo)",
        "patients had very high levels>or=900 IU/ml (VHL)",
        "constant conditions the extracellular calcium (Ca2+) determines",
        'The term "arthrogryposis" comes from the Greek for joint (ARJ)',
        "Median (min, max) and Mean (median, range)",
        'search terms "diabetes" AND ("artificial" OR "not closed" pancreas)',
        "measured at rest (T0, T30) and",
        "with a SECA 216 stadiometer (SECA®, Hamburg)",
    ],
)
def test_letters_found_by_chance_are_no_definition(text):
    assert pairs(text) == []


def test_a_long_form_does_not_reach_over_a_colon():
    text = "Activity: The Physical Activity Questionnaire for Children (PAQ-C)"
    assert pairs(text) == [("PAQ-C", "Physical Activity Questionnaire for Children")]


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [(" “TNF”, ", "TNF"), ("SECA®", "SECA"), ("(b", "b"), ("(b)", "(b)"), ("", "")],
)
def test_trim(text, trimmed):
    start, end = trim(text, 0, len(text))
    assert text[start:end] == trimmed
