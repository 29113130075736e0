import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record
from spacy_bioner.transforms.augmentation.mentions import (
    Form,
    choose_names,
    gather_forms,
    make_replace_mentions,
    make_replace_synonyms,
)
from tests.transforms.augmentation.strategies import (
    NAMES,
    QUICK,
    assert_labels_kept,
    contexts,
    records,
)

TEXT = "Renal failure followed aspirin. Renal failure (ARF) is not renal failure."
RENAL = ("C1",)
MENTIONS = (
    Mention(0, 13, "Disease", "Renal failure", RENAL),
    Mention(23, 30, "Chemical", "aspirin", ("C2",)),
    Mention(32, 45, "Disease", "Renal failure"),
    Mention(47, 50, "Disease", "ARF", RENAL),
    Mention(59, 72, "Disease", "renal failure", ("C1", "C9")),
)
RECORD = Record("1", TEXT, MENTIONS)


def synonyms(concept_id):
    return NAMES.get(concept_id, ())


def test_synonyms_replace_mentions_of_one_concept():
    names = {"C1": ["kidney failure", "AKI"], "C2": ["acetylsalicylic acid"]}
    replace = make_replace_synonyms(lambda concept_id: names[concept_id], rate=1)
    variant = replace(RECORD, random.Random(0))
    assert variant.text == (
        "Kidney failure followed acetylsalicylic acid. Renal failure (AKI) is not renal failure."
    )
    assert variant.mentions == (
        Mention(0, 14, "Disease", "Kidney failure", RENAL),
        Mention(24, 44, "Chemical", "acetylsalicylic acid", ("C2",)),
        Mention(46, 59, "Disease", "Renal failure"),
        Mention(61, 64, "Disease", "AKI", RENAL),
        Mention(73, 86, "Disease", "renal failure", ("C1", "C9")),
    )


def test_synonyms_that_are_unknown_leave_the_record():
    assert make_replace_synonyms(lambda _: (), rate=1)(RECORD, random.Random(0)) is RECORD


def test_synonym_rate_of_zero_leaves_the_record():
    assert make_replace_synonyms(synonyms, rate=0)(RECORD, random.Random(0)) is RECORD


def test_synonym_in_shouted_text_is_shouted():
    record = Record("1", "ON RENAL FAILURE", (Mention(3, 16, "Disease", "", RENAL),))
    replace = make_replace_synonyms(lambda _: ["kidney failure"], rate=1)
    assert replace(record, random.Random(0)).text == "ON KIDNEY FAILURE"


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("Kidney Failure, Acute", "renal failure"),
        ("bayer brand of aspirin", "aspirin"),
        ("gout (disorder)", "arthritis"),
        ("Mus <genus>", "mouse"),
        ("renal failure", "Renal failure"),
        ("kidney failures", "renal failure"),
        ("ARF", "renal failure"),
        ("kidney failure", "ARF"),
        ("a" * 61, "renal failure"),
    ],
)
def test_names_that_do_not_fit_are_not_chosen(name, old):
    assert choose_names([name], old) == []


def test_names_of_a_terminology_in_headlines_are_written_small():
    names = ["Kidney Failure", "Hepatitis B", "Parkinson's Disease"]
    assert choose_names(names, "asthma") == ["kidney failure", "hepatitis B", "Parkinson's disease"]


def test_names_of_a_terminology_in_prose_keep_their_capitals():
    assert choose_names(["Hodgkin lymphoma"], "lymphoma") == ["Hodgkin lymphoma"]


FORMS = {
    "Disease": [Form("asthma", ("C7",)), Form("COPD", ("C8",))],
    "Chemical": [Form("Aspirin", ("C2",))],
}


def test_mentions_are_replaced_with_their_ids_alike_in_the_document():
    replace = make_replace_mentions(lambda label: FORMS.get(label, ()), rate=1)
    variant = replace(RECORD, random.Random(0))
    assert variant.text == "Asthma followed aspirin. Asthma (COPD) is not asthma."
    assert [m.concept_ids for m in variant.mentions] == [
        ("C7",),
        ("C2",),
        ("C7",),
        ("C8",),
        ("C7",),
    ]


def test_mentions_without_a_replacement_of_their_kind_stay():
    replace = make_replace_mentions(lambda _: [Form("COPD")], rate=1)
    variant = replace(RECORD, random.Random(0))
    assert variant.text == TEXT.replace("ARF", "COPD")
    assert variant.mentions[3] == Mention(47, 51, "Disease", "COPD")


def test_forms_are_gathered_once_per_spelling_and_ids_in_prose_case():
    nested = Record("2", "lung cancer", (Mention(0, 4, "Disease"), Mention(0, 11, "Disease")))
    assert gather_forms([RECORD, nested]) == {
        "Disease": [
            Form("renal failure", RENAL),
            Form("renal failure"),
            Form("ARF", RENAL),
            Form("renal failure", ("C1", "C9")),
        ],
        "Chemical": [Form("aspirin", ("C2",))],
    }


@pytest.mark.parametrize("make", [make_replace_synonyms, make_replace_mentions])
def test_rate_has_to_be_a_share(make):
    with pytest.raises(ConfigError, match=r"found rate 1\.5, expected a number from 0 to 1"):
        make(lambda _: (), rate=1.5)


@QUICK
@given(records(), st.integers(0, 9))
def test_synonyms_keep_labels_ids_and_context(record, seed):
    variant = make_replace_synonyms(synonyms, rate=0.7)(record, random.Random(seed))
    assert_labels_kept(record, variant)
    assert [m.concept_ids for m in variant.mentions] == [m.concept_ids for m in record.mentions]
    assert contexts(variant) == contexts(record)


@QUICK
@given(records(), st.integers(0, 9))
def test_replaced_mentions_keep_labels_and_context(record, seed):
    forms = {"A": [Form("asthma", ("C7",)), Form("COPD")], "B": [Form("x-ray", ("C8",))]}
    variant = make_replace_mentions(lambda label: forms[label])(record, random.Random(seed))
    assert_labels_kept(record, variant)
    assert contexts(variant) == contexts(record)
