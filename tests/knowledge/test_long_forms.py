import random

import pytest

from spacy_bioner.knowledge.definitions import find_definitions
from spacy_bioner.knowledge.long_forms import (
    CLOSING,
    GREEK,
    abbreviates,
    find_groups,
    find_long_form,
    match_initials,
    match_long_form,
)


def pairs(text):
    return [(found.short_text, found.long_text) for found in find_definitions(text)]


def test_match_long_form_takes_the_shortest_end():
    text = "heat and heat shock protein"
    assert match_long_form("HSP", text) == len("heat and ")


@pytest.mark.parametrize(
    ("short", "text", "fits"),
    [
        ("MM", "multiple myeloma", True),
        ("MM", "benign myeloma", False),
        ("HSP", "heat protein", False),
        ("IL-2", "Interleukin-2", True),
        ("TNF-α", "tumour necrosis factor alpha", True),
        ("TNF-alpha", "tumour necrosis factor α", True),
        ("AFP", "α-fetoprotein", True),
        ("α-MSH", "beta-melanocyte stimulating hormone", False),
        ("MM", "", False),
    ],
)
def test_abbreviates_needs_first_letter_and_order(short, text, fits):
    assert abbreviates(short, text) is fits


@pytest.mark.parametrize(
    ("short", "long_form"),
    [
        ("SS", "squalene synthase"),
        ("SSs", "squalene synthases"),
        ("POP", "pelvic organ prolapse"),
        ("MM", "multiple myeloma"),
        ("TT", "tumour tissue"),
        ("QOL", "quality of life"),
        ("ADL", "activities of daily living"),
        ("II", "insulin in infusion"),
        ("NSCC", "non-small cell carcinoma"),
        ("CCR7", "CC chemokine receptor 7"),
    ],
)
def test_initials_of_words_beat_fewer_words(short, long_form):
    text = f"in cases of {long_form}"
    offset = match_initials(short, text)
    if offset is None:
        offset = find_long_form(short, text)
    assert text[offset:] == long_form
    expected = [] if short == "II" else [(short, long_form)]
    assert pairs(f"{text} ({short}) and") == expected
    assert pairs(f"and {short} ({long_form})") == expected


def test_initials_that_do_not_fit_leave_the_shortest_match():
    assert pairs("small heat shock protein (HSP)") == [("HSP", "heat shock protein")]
    assert match_initials("HSP", "heat shock transcription factor") is None
    assert match_initials("--", "heat") is None


@pytest.mark.parametrize("opening", CLOSING)
def test_long_form_is_extended_over_brackets(opening):
    closing = CLOSING[opening]
    texts = {
        "human immunodeficiency virus (HIV) type 1 (HIV-1) infection": [
            ("HIV", "human immunodeficiency virus"),
            ("HIV-1", "human immunodeficiency virus (HIV) type 1"),
        ],
        "tumor necrosis factor (TNF)-alpha (TNF-α)": [
            ("TNF", "tumor necrosis factor"),
            ("TNF-α", "tumor necrosis factor (TNF)-alpha"),
        ],
        "angiotensin (Ang) II (AII)": [("Ang", "angiotensin"), ("AII", "angiotensin (Ang) II")],
    }

    def swap(text):
        return text.replace("(", opening).replace(")", closing)

    for text, expected in texts.items():
        assert pairs(swap(text)) == [(short, swap(long)) for short, long in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the relative (RR) and absolute (RD) differences", []),
        ("bone mineral density (BMD) and content (BMC)", [("BMD", "bone mineral density")]),
        ("(AIDS)-related complex (ARC)", []),
        # How a molecule is built stands before its name.
        ("(R)-3-hydroxybutyrate (HB)", [("HB", "3-hydroxybutyrate")]),
        ("poly(ADP-ribose) polymerase (PARP)", [("PARP", "poly(ADP-ribose) polymerase")]),
        ("(FEV1)/forced vital capacity (FVC)", [("FVC", "forced vital capacity")]),
        ("unclosed (heart failure (HF)", [("HF", "heart failure")]),
    ],
)
def test_long_form_does_not_begin_with_a_bracket(text, expected):
    assert pairs(text) == expected


def test_no_long_form_of_random_text_begins_with_a_bracket():
    draw = random.Random(0)
    pieces = ["(HIV)", "[RR]", "{ab}", "(", ")", "type", "1", "human", "virus", "ab", "(H1)", "-"]
    found = 0
    for _ in range(3000):
        text = " ".join(draw.choices(pieces, k=8)) + " (HIV1) " + draw.choice(pieces)
        for definition in find_definitions(text):
            found += 1
            assert definition.long_text[0] not in "".join([*CLOSING, *CLOSING.values()]), text
            where = slice(definition.long_start, definition.long_end)
            assert text[where] == definition.long_text
    assert found > 30


@pytest.mark.parametrize(
    ("short", "long_form"),
    [
        ("TNF-α", "tumour necrosis factor alpha"),
        ("TNFα", "tumour necrosis factor-alpha"),
        ("TNF-alpha", "tumour necrosis factor α"),
        ("TNF-a", "tumour necrosis factor α"),
        ("TNF-α", "tumour necrosis factor-a"),
        ("TNF-ß", "tumour necrosis factor beta"),
        ("IL-1β", "interleukin-1 beta"),
        ("IL-1b", "interleukin-1β"),
        ("Aβ", "amyloid beta"),
        ("Aβ42", "amyloid beta peptide 1-42"),
        ("NF-κB", "nuclear factor kappa B"),
        ("NF-κB", "nuclear factor-kappaB"),
        ("IFN-γ", "interferon gamma"),
        ("TGFβ1", "transforming growth factor beta 1"),
        ("TGF-beta1", "transforming growth factor-β1"),
        ("γ-GT", "gamma-glutamyl transferase"),
        ("GGT", "γ-glutamyl transferase"),
        ("α-MSH", "alpha-melanocyte stimulating hormone"),
        ("α1-AT", "alpha 1-antitrypsin"),
        ("µOR", "mu opioid receptor"),
        ("ERβ", "estrogen receptor (ER) beta"),
        ("ΔNp63", "Delta N p63"),
    ],
)
def test_greek_letters_are_their_names(short, long_form):
    assert (short, long_form) in pairs(f"levels of {long_form} ({short}) rose")
    assert (short, long_form) in pairs(f"levels of {short} ({long_form}) rose")


@pytest.mark.parametrize(
    "text",
    [
        "tumour necrosis factor beta (TNF-α)",
        "interleukin-1 alpha (IL-1β)",
        # Letters of a name are none of the Greek letter, its first one excepted.
        "tumour necrosis factor α (TNFP)",
    ],
)
def test_another_greek_letter_does_not_fit(text):
    assert pairs(text) == []


def test_trial_named_as_a_greek_letter_is_spelled_by_its_letters():
    text = "Blood Eosinophil Trial of Asthma (BETA)"
    assert pairs(text) == [("BETA", "Blood Eosinophil Trial of Asthma")]


def test_every_greek_letter_has_its_name():
    assert {GREEK[letter] for letter in "αωµςß"} == {"alpha", "omega", "mu", "sigma", "beta"}
    assert len({GREEK[letter] for letter in GREEK}) == 24


def test_find_groups_gives_outermost_pairs():
    assert find_groups("a (b [c] d) e] (f {g}") == [(2, 11), (18, 21)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tumour ne-\ncrosis factor (TNF)", [("TNF", "tumour ne-\ncrosis factor")]),
        ("of low-\ndensity lipoprotein (DL)", [("DL", "low-\ndensity lipoprotein")]),
        ("of low-\n  density lipoprotein (LDL)", [("LDL", "low-\n  density lipoprotein")]),
        (
            "by study arm.Directly administered therapy (DAT)",
            [("DAT", "Directly administered therapy")],
        ),
        ("Ngn3/paired box factor 6 (PAX6)", [("PAX6", "paired box factor 6")]),
        ("malformations--truncus arteriosus (TA)", [("TA", "truncus arteriosus")]),
        ("malformations—truncus arteriosus (TA)", [("TA", "truncus arteriosus")]),
        ("anti-glomerular basement membrane (GBM)", [("GBM", "glomerular basement membrane")]),
    ],
)
def test_where_the_first_word_of_a_long_form_starts(text, expected):
    assert pairs(text) == expected


@pytest.mark.parametrize(
    ("short", "long_form"),
    [
        ("CO2", "carbon dioxide"),
        ("CCl4", "carbon tetrachloride"),
        ("IP3", "inositol 1,4,5-trisphosphate"),
        ("T3", "triiodothyronine"),
        ("cccDNA", "covalently closed circular DNA"),
        ("sRNAs", "small RNAs"),
        ("SAE", "serious AE"),
        ("CIs", "confidence interval"),
    ],
)
def test_digits_count_and_words_in_capitals_are_spelled_out(short, long_form):
    assert pairs(f"a very rare {long_form} ({short})") == [(short, long_form)]


def test_a_number_is_counted_only_where_a_word_starts():
    assert pairs("under constant conditions the carbon (CD2)") == []


def test_a_bracket_between_words_is_no_part_of_a_match():
    text = "inositol trisphosphate (IP3), triiodothyronine (T3)"
    assert pairs(text) == [("IP3", "inositol trisphosphate"), ("T3", "triiodothyronine")]
    assert pairs("of benzo[a]pyrene (BaP)") == [("BaP", "benzo[a]pyrene")]


def test_a_bracket_within_a_word_is_none():
    assert pairs("2,6(R), 10(S), 14(RS)-tetramethylhexadecane") == []
    assert pairs("a planar dicyclopenta[a,e]pentalene") == []
    assert pairs("of heat shock protein(HSP)-like") == [("HSP", "heat shock protein")]
