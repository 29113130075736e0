import pickle

import pytest

from spacy_bioner.knowledge.concepts.linking import Linker, MentionText
from spacy_bioner.knowledge.concepts.store import ConceptStore


@pytest.fixture
def linker(store_path):
    return Linker(ConceptStore(store_path))


def link(linker, *mentions):
    return linker.link([MentionText(*mention) for mention in mentions])


@pytest.mark.parametrize(
    ("text", "how", "keys"),
    [
        ("BREAST CANCER", "exact", ("D001943",)),
        ("cancers of the breast", "normalized", ("D001943",)),
        ("kidney cancer", "similar", ("D011471",)),
        ("anaemias", "normalized", ("D000740",)),
    ],
)
def test_ever_looser_comparison(linker, text, how, keys):
    (found,) = link(linker, (text, "Disease"))
    assert [one.how for one in found.links] == [how]
    assert found.keys == keys


def test_words_are_exchanged_as_the_names_of_the_table_teach(linker):
    found = {item.concept.id: item for item in linker.find(MentionText("kidney cancer", "Disease"))}
    assert found["D011471"].belief == 0.75
    assert found["D003110"].belief == 0.0


@pytest.mark.parametrize(
    ("text", "label"),
    [("xyz", "Disease"), ("breast cancer", "Chemical"), ("anemia", "Gene"), ("+", "Disease")],
)
def test_what_names_nothing(linker, text, label):
    (found,) = link(linker, (text, label))
    assert (found.links, found.keys) == ((), ())


def test_a_composite_mention_names_several(linker):
    (found,) = link(linker, ("breast and ovarian cancer", "Disease"))
    assert found.keys == ("D001943", "D010051")
    assert [one.part for one in found.links] == ["breast cancer", "ovarian cancer"]


def test_the_long_form_says_what_a_short_form_is(linker):
    (found,) = link(linker, ("DMD", "Disease", "Duchenne muscular dystrophy"))
    assert found.keys[0] in ("OMIM:310200", "D020388")
    assert link(linker, ("DMD", "Disease"))[0].keys == ()


def test_training_mentions_decide_between_concepts(linker):
    (found,) = link(linker, ("growth", "Disease"))
    assert found.keys == ("D009369",)


def test_the_document_decides_between_concepts(linker):
    alone, *_ = link(linker, ("growth", "Disease"))
    beside, *_ = link(linker, ("growth", "Disease"), ("anemia", "Disease"))
    assert (alone.keys, beside.keys) == (("D009369",), ("D000740",))


def test_what_is_not_sure_is_no_concept_and_listed_if_asked_for(store_path):
    linker = Linker(ConceptStore(store_path), min_score=1.0, n_others=2)
    (found,) = link(linker, ("growth", "Disease"))
    assert found.links == ()
    assert [one.concept.id for one in found.others] == ["D009369", "D000740"]


def test_a_linker_passes_to_another_process(linker):
    copy = pickle.loads(pickle.dumps(linker))
    assert link(copy, ("anemia", "Disease")) == link(linker, ("anemia", "Disease"))
