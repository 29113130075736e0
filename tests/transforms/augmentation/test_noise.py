import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.noise import make_add_noise, make_add_word_noise
from spacy_bioner.transforms.augmentation.noise_kinds import NOISE_KINDS
from tests.transforms.augmentation.strategies import (
    QUICK,
    assert_labels_kept,
    contexts,
    records,
    surfaces,
)


def outcomes(kind, text):
    """What a kind makes of a text, one place changed at a time, over many draws."""
    noise, found = NOISE_KINDS[kind], set()
    for seed in range(60):
        for place in noise.find(text):
            edit = noise.change(text, *place, random.Random(seed))
            found.add(text[: edit.start] + edit.new + text[edit.end :])
    return found


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("IL-2", {"IL 2", "IL2"}),
        ("IL 2", {"IL-2", "IL2"}),
        ("IL2", {"IL-2", "IL 2"}),
        ("beta-blocker", {"beta blocker", "betablocker"}),
        ("5-10 mg", set()),
        ("in 2 cases", set()),
        ("-2", set()),
        ("MDS-", set()),
    ],
)
def test_hyphen_variants(text, variants):
    assert outcomes("hyphen", text) == variants


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("α-synuclein", {"alpha-synuclein", "a-synuclein"}),
        ("TNFalpha", {"TNFα", "TNFa"}),
        ("Alpha-tocopherol", {"α-tocopherol", "a-tocopherol"}),
        ("TGF-b", {"TGF-β", "TGF-beta"}),
        ("Delta32", {"Δ32"}),
        ("vitamin-a, 5 μg, alphabet", set()),
    ],
)
def test_greek_variants(text, variants):
    assert outcomes("greek", text) == variants


def test_ocr_confuses_what_looks_alike():
    assert outcomes("ocr", "lOrn") == {"1Orn", "IOrn", "l0rn", "lOm"}


def test_case_has_four_forms():
    forms = outcomes("case", "liVER")
    assert {"liver", "LIVER", "Liver"} < forms
    assert {form.lower() for form in forms} == {"liver"}


def test_typos_are_neighbours_on_the_keyboard_and_slips():
    found = outcomes("typo", "gene")
    assert {"ggene", "fene", "ene", "egne", "gfene"} <= found
    assert "pene" not in found


def test_typos_spare_short_words_and_symbols():
    assert outcomes("typo", "the IL2 MAPK p53kinase 1999") == set()


TEXT = "Effects of IL-2 and TNFalpha on renal-failure patients"
RECORD = Record("1", TEXT, (Mention(11, 15, "G", "IL-2"), Mention(20, 28, "G", "TNFalpha")))


def test_noise_in_mentions_leaves_the_context():
    rates = {"hyphen": 1.0, "greek": 1.0}
    variant = make_add_noise(rates, where="mentions")(RECORD, random.Random(0))
    assert contexts(variant) == contexts(RECORD)
    assert variant.mentions[0].text in ("IL 2", "IL2")
    assert variant.mentions[1].text in ("TNFα", "TNFa")


def test_noise_in_the_context_leaves_mentions():
    variant = make_add_noise({"hyphen": 1.0}, where="context")(RECORD, random.Random(0))
    assert surfaces(variant) == surfaces(RECORD)
    assert variant.text != TEXT


def test_noise_per_mention_strikes_each_once():
    record = Record("1", "misinterpretation", (Mention(0, 17, "A"),))
    add_noise = make_add_noise({"ocr": 1.0}, per="mention", where="mentions")
    text = add_noise(record, random.Random(0)).text
    assert text in outcomes("ocr", "misinterpretation")


def test_noise_per_mention_changes_the_case_of_all_of_it():
    record = Record("1", "renal failure", (Mention(0, 13, "A"),))
    add_noise = make_add_noise({"case": 1.0}, per="mention", where="mentions")
    texts = {add_noise(record, random.Random(seed)).text for seed in range(20)}
    assert {"RENAL FAILURE", "Renal Failure"} < texts


def test_hyphen_between_mention_and_context_stays():
    record = Record("1", "drug-induced", (Mention(0, 4, "A"),))
    assert make_add_noise({"hyphen": 1.0})(record, random.Random(0)) is record


def test_words_are_deleted_without_joining_mentions():
    record = Record("1", "gout or or gout", (Mention(0, 4, "A"), Mention(11, 15, "A")))
    variant = make_add_word_noise(delete=1, insert=0, substitute=0)(record, random.Random(0))
    assert variant.text == "gout gout"
    assert variant.mentions == (Mention(0, 4, "A"), Mention(5, 9, "A"))


def test_new_words_are_from_the_context():
    record = Record("1", "gout or yet gout", (Mention(0, 4, "A"), Mention(12, 16, "A")))
    insert = make_add_word_noise(delete=0, insert=1, substitute=0)(record, random.Random(1)).text
    words = insert.split()
    assert len(words) == 6
    assert set(words[1:-1]) == {"or", "yet"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rates": {"smudge": 0.1}}, "found rates 'smudge', expected one of typo, ocr"),
        ({"rates": {"typo": 2}}, "found rates.typo 2, expected a number from 0 to 1"),
        ({"per": "word"}, "found per 'word', expected one of place, mention"),
        ({"where": "here"}, "found where 'here', expected one of mentions, context, all"),
    ],
)
def test_noise_settings_are_checked(settings, message):
    with pytest.raises(ConfigError, match=message):
        make_add_noise(**settings)


def test_word_noise_settings_are_checked():
    with pytest.raises(ConfigError, match=r"delete \+ insert \+ substitute"):
        make_add_word_noise(delete=0.5, insert=0.5, substitute=0.5)


@QUICK
@given(
    records(),
    st.integers(0, 9),
    st.sampled_from(sorted(NOISE_KINDS)),
    st.sampled_from(["place", "mention"]),
    st.sampled_from(["mentions", "context", "all"]),
)
def test_noise_keeps_labels_and_stays_where_it_is_wanted(record, seed, kind, per, where):
    rates = {kind: 0.7, "typo": 0.2}
    variant = make_add_noise(rates, per=per, where=where)(record, random.Random(seed))
    assert_labels_kept(record, variant)
    assert [m.concept_ids for m in variant.mentions] == [m.concept_ids for m in record.mentions]
    if where == "mentions":
        assert contexts(variant) == contexts(record)
    if where == "context":
        inside = [i for i, m in enumerate(record.mentions) if m.end_char <= len(record.text)]
        before, after = surfaces(record), surfaces(variant)
        assert [after[i] for i in inside] == [before[i] for i in inside]


@QUICK
@given(records(), st.integers(0, 9))
def test_word_noise_keeps_mentions(record, seed):
    noise = make_add_word_noise(delete=0.3, insert=0.3, substitute=0.3)
    variant = noise(record, random.Random(seed))
    assert_labels_kept(record, variant)
    inside = [i for i, m in enumerate(record.mentions) if m.end_char <= len(record.text)]
    before, after = surfaces(record), surfaces(variant)
    assert [after[i] for i in inside] == [before[i] for i in inside]
