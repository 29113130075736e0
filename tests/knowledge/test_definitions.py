import pytest

from spacy_bioner.knowledge.definitions import (
    find_definitions,
    is_short_form,
)


def pairs(text):
    return [(found.short_text, found.long_text) for found in find_definitions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("of heat shock protein (HSP) in cells", [("HSP", "heat shock protein")]),
        ("HSP (heat shock protein) in cells", [("HSP", "heat shock protein")]),
        ("heat shock transcription factor (HSF)", [("HSF", "heat shock transcription factor")]),
        ("magnetic resonance imaging [MRI]", [("MRI", "magnetic resonance imaging")]),
        ("the low-density lipoprotein (LDL)", [("LDL", "low-density lipoprotein")]),
        ("prostaglandin E2 (PGE2)", [("PGE2", "prostaglandin E2")]),
        (
            "tumour necrosis factor alpha (TNF alpha)",
            [("TNF alpha", "tumour necrosis factor alpha")],
        ),
        ('multiple sclerosis ("MS")', [("MS", "multiple sclerosis")]),
        ("multiple sclerosis (MS; n = 12)", [("MS", "multiple sclerosis")]),
        ("Parkinson's disease (PD, Hoehn-Yahr 2)", [("PD", "Parkinson's disease")]),
        (
            "with diabetes mellitus (DM) or chronic kidney disease (CKD)",
            [("DM", "diabetes mellitus"), ("CKD", "chronic kidney disease")],
        ),
        (
            "marker (tumour necrosis factor (TNF)) levels",
            [("TNF", "tumour necrosis factor")],
        ),
    ],
)
def test_find_definitions_in_both_orders(text, expected):
    assert pairs(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no brackets here",
        "()",
        "patients (n = 8)",
        "ten patients (p<0.1)",
        "several weeks (12)",
        "unclosed bracket (ABC",
        "closing first) (ABC",
        "stroke; (ii) death of any cause; (iii) bleeding",
        "all injuries in (i) infants, (ii) infirm inmates and (iv) individuals of vigour",
        "(a) an acute arm, (b) a big bone",
        "patients (see Table 2 for details)",
        "acute HSP response (HSP)",
        "nothing fits here (XQZ)",
        "the trial (in the real and in any laboratory)",
        "a (very long explanation of the matter)",
    ],
)
def test_find_definitions_finds_none(text):
    assert pairs(text) == []


def test_find_definitions_first_letter_has_to_start_a_word():
    assert pairs("in the rheumatic arthritis (HA)") == []


def test_find_definitions_window_is_limited():
    far = "heat one two three four five six protein (HP)"
    assert pairs(far) == []


def test_find_definitions_stays_in_the_sentence():
    text = "Heat shock. Protein (HSP) rises."
    assert find_definitions(text, 12) == []


def test_find_definitions_offsets_count_from_the_text():
    text = "First. In multiple sclerosis (MS)."
    found = find_definitions(text, 7, len(text))[0]
    assert (found.short_start, found.short_end) == (30, 32)
    assert text[found.long_start : found.long_end] == "multiple sclerosis"


@pytest.mark.parametrize(
    ("candidate", "valid"),
    [
        ("HSP", True),
        ("5-HT", True),
        ("TNF alpha", True),
        ("A", False),
        ("ABCDEFGHIJK", False),
        ("12", False),
        ("-AB", False),
        ("a b c", False),
        ("n=8", False),
        ("i", False),
        ("ii", False),
        ("iii", False),
        ("iv", False),
        ("ix", False),
        ("III", False),
        ("2a", False),
        ("b", False),
        ("ii.", False),
        ("a.", False),
        ("a-c", False),
        ("i–iii", False),
        ("a-v", True),
        ("p53", True),
        ("MI", True),
        ("ip", True),
    ],
)
def test_is_short_form_conditions(candidate, valid):
    assert is_short_form(candidate) is valid


@pytest.mark.parametrize("text", ["(" * 20_000, "(" * 10_000 + ")" * 10_000])
def test_find_definitions_survives_many_brackets(text):
    assert pairs(text) == []


def test_find_definitions_in_a_text_without_sentences():
    assert len(find_definitions("a heat shock protein (HSP) " * 2_000)) == 2_000


@pytest.mark.parametrize("gap", ["\n", "\u00a0", "\u200b ", " \ufeff", "\u00ad\r\n  "])
def test_a_long_form_neither_begins_nor_ends_with_what_shows_nothing(gap):
    text = "of heat shock protein (HSP) in cells".replace(" ", gap)
    assert pairs(text) == [("HSP", gap.join(["heat", "shock", "protein"]))]


@pytest.mark.parametrize("short", ["iv", "IV"])
def test_intravenous_is_no_item(short):
    assert pairs(f"given intravenous ({short}) twice") == [(short, "intravenous")]


@pytest.mark.parametrize(
    "lead", ["i.e.", "e.g.", "i. e.", "ie", "eg", "cf.", "viz.", "vs.", "see", "see also"]
)
def test_what_leads_over_to_an_explanation_is_no_short_form(lead):
    text = (
        f"the cells see and also invade early germinal vessels ({lead}, in every sample that grew)"
    )
    assert find_definitions(text) == []
    assert find_definitions(text.replace(",", "").replace(f"({lead} ", f"({lead}; ")) == []


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("infective endocarditis (IE)", "IE"),
        ("ethylene glycol (EG)", "EG"),
        ("characteristic frequency (cf)", "cf"),
        ("acute lymphoblastic leukaemia (ALL)", "ALL"),
        ("beats per minute (bpm)", "bpm"),
        ("S. aureus protein A (spa)", "spa"),
    ],
)
def test_short_forms_that_look_like_words(text, short):
    assert [d.short_text for d in find_definitions(text)] == [short]


def test_an_ordinary_word_stands_for_no_clause():
    for text in (
        "an increase was found in the transport of charged atoms across membranes (ions)",
        "diseases and their conditions, which measure the health of a nation as mortality (death)",
    ):
        assert find_definitions(text) == []
