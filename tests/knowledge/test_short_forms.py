import pytest

from spacy_bioner.knowledge.definitions import Definition, find_definitions
from spacy_bioner.knowledge.short_forms import ProposedEntity, find_meanings, find_occurrences


def propose(text, surface, label="Disease", *, start=0, **more):
    offset = text.index(surface, start)
    return ProposedEntity(offset, offset + len(surface), label, **more)


def meaning_of(text, *proposals):
    (meaning,) = find_meanings(text, find_definitions(text), proposals)
    return meaning


def test_meaning_long_form_is_an_entity():
    text = "patients with multiple sclerosis (MS)"
    proposal = propose(text, "multiple sclerosis", source="bioner", kb_id="D1", confidence=0.9)
    assert meaning_of(text, proposal).entity == proposal


def test_meaning_entity_may_start_one_word_earlier():
    text = "idiopathic Parkinson's disease (PD)"
    proposal = propose(text, "idiopathic Parkinson's disease")
    assert meaning_of(text, proposal).entity == proposal


def test_meaning_entity_may_start_earlier_if_the_short_form_fits_it():
    text = "spontaneous recurrent seizures (SRS)"
    proposal = propose(text, "spontaneous recurrent seizures")
    assert meaning_of(text, proposal).entity == proposal


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        (
            "deficiency of the enzyme aspartoacylase (ASPA)",
            "deficiency of the enzyme aspartoacylase",
        ),
        ("breast cancer susceptibility gene (BCSG)", "breast cancer"),
        ("mammalian target of rapamycin (MTOR)", "rapamycin"),
        ("severe idiopathic Parkinson's disease (PD)", "severe idiopathic Parkinson's disease"),
    ],
)
def test_meaning_other_entities_are_not_what_the_short_form_means(text, surface):
    meaning = meaning_of(text, propose(text, surface))
    assert meaning.entity is None
    assert not meaning.unsupported


def test_meaning_exact_entity_is_preferred_to_a_longer_one():
    text = "idiopathic Parkinson's disease (PD)"
    longer = propose(text, "idiopathic Parkinson's disease", "Finding")
    exact = propose(text, "Parkinson's disease")
    assert meaning_of(text, longer, exact).entity == exact


def test_meaning_takes_identifier_from_another_source():
    text = "multiple sclerosis (MS)"
    model = propose(text, "multiple sclerosis", source="bioner", confidence=0.8)
    gazetteer = propose(text, "multiple sclerosis", source="bioner_gazetteer", kb_id="D9")
    entity = meaning_of(text, model, gazetteer).entity
    assert (entity.source, entity.kb_id, entity.confidence) == ("bioner", "D9", 0.8)


def test_meaning_is_unsupported_if_nothing_touches_the_long_form():
    text = "right atrium (RA) in asthma"
    assert meaning_of(text, propose(text, "asthma")).unsupported


def test_meaning_of_the_same_words_is_shared():
    text = "multiple sclerosis (MS). Multiple sclerosis (MS)"
    first = propose(text, "multiple sclerosis")
    meanings = find_meanings(text, find_definitions(text), [first])
    assert [meaning.entity for meaning in meanings] == [first, first]


def occurrences(text, *proposals):
    meanings = find_meanings(text, find_definitions(text), proposals)
    return [
        (text[start:end], start, meaning.definition.long_text)
        for start, end, meaning in find_occurrences(text, meanings)
    ]


def test_find_occurrences_everywhere_as_words():
    text = "MS. Multiple sclerosis (MS) and MS-like MSX, aMS, ms"
    found = occurrences(text)
    assert [(surface, start) for surface, start, _ in found] == [("MS", 0), ("MS", 24), ("MS", 32)]


def test_find_occurrences_in_plural_and_singular():
    text = "oral contraceptives (OCs), an OC; heart attack (HA), two HAs"
    assert [surface for surface, _, _ in occurrences(text)] == ["OCs", "OC", "HA", "HAs"]


def test_find_occurrences_last_definition_before_counts():
    text = "PD. Parkinson disease (PD). PD. Peritoneal dialysis (PD). PD"
    assert [(start, long) for _, start, long in occurrences(text)] == [
        (0, "Parkinson disease"),
        (23, "Parkinson disease"),
        (28, "Parkinson disease"),
        (53, "Peritoneal dialysis"),
        (58, "Peritoneal dialysis"),
    ]


def test_find_occurrences_without_definitions():
    assert occurrences("MS and MS") == []


def test_what_only_borders_a_long_form_does_not_support_it():
    text = "pre/multiple sclerosis/(MS)"
    definition = Definition(24, 26, "MS", 4, 22, "multiple sclerosis")
    for proposal, unsupported in (
        (ProposedEntity(0, 4, "Word"), True),
        (ProposedEntity(22, 26, "Word"), True),
        (ProposedEntity(0, 5, "Word"), False),
        (ProposedEntity(21, 26, "Word"), False),
    ):
        (meaning,) = find_meanings(text, [definition], [proposal])
        assert (meaning.entity, meaning.unsupported) == (None, unsupported)


def test_a_single_letter_is_no_singular():
    assert [surface for surface, _, _ in occurrences("cesium salt (Cs), Cs and C")] == ["Cs", "Cs"]


def test_a_single_letter_occurs_at_its_definition_only():
    text = "adrenaline (A) rose. A man had A."
    meanings = find_meanings(text, find_definitions(text), [ProposedEntity(0, 10, "Chemical")])
    assert [(start, end) for start, end, _ in find_occurrences(text, meanings)] == [(12, 13)]
