from spacy_bioner.evaluation.disagreement import (
    PairCounts,
    RuledDocument,
    RuledEntity,
    compare_rules,
)

TEXT = "Two groups. Insulin lowered glucose in type 2 diabetes. End."
LABELS = {
    "drugs": {"Chemical", "Disease"},
    "all": {"Chemical", "Disease", "Gene"},
    "genes": {"Gene"},
}


def find(text, label, confidence=None):
    start = TEXT.index(text)
    return RuledEntity(start, start + len(text), label, confidence)


def compare(labels=LABELS, **entities):
    return compare_rules([RuledDocument("a", TEXT, entities)], labels)


def test_what_all_find_is_no_disagreement():
    found = compare(
        drugs=[find("glucose", "Chemical", 0.9)], all=[find("glucose", "Chemical", 0.5)]
    )
    assert (found.n_documents, found.n_places, found.places) == (1, 1, ())
    assert found.pairs[0] == PairCounts("drugs", "all", places=1)


def test_another_label_is_one_and_who_does_not_annotate_it_is_silent():
    insulin = {
        "drugs": [find("Insulin", "Chemical", 0.9)],
        "all": [find("Insulin", "Gene", 0.8)],
        "genes": [find("Insulin", "Gene", 0.7)],
    }
    found = compare(**insulin)
    (place,) = found.places
    assert (place.text, place.sentence) == (
        "Insulin",
        "Insulin lowered glucose in type 2 diabetes.",
    )
    assert place.readings == {name: tuple(own) for name, own in insulin.items()}
    assert place.n_disagreeing == 1
    assert found.pairs == (
        PairCounts("drugs", "all", 1, other_label=1),
        PairCounts("drugs", "genes", 1, other_label=1),
        PairCounts("all", "genes", 1),
    )
    (place,) = compare(drugs=[find("glucose", "Chemical")]).places
    assert place.readings == {"drugs": (find("glucose", "Chemical"),), "all": (), "genes": None}


def test_entities_that_overlap_are_one_place():
    found = compare(
        drugs=[find("type 2 diabetes", "Disease")],
        all=[find("type 2", "Disease"), find("diabetes", "Disease")],
    )
    (place,) = found.places
    assert place.text == "type 2 diabetes"
    assert [place.cut(entity) for entity in place.readings["all"]] == ["type 2", "diabetes"]
    assert found.pairs[0] == PairCounts("drugs", "all", 1, other_borders=1)
    assert found.pairs[0].differing == 1


def test_neighbours_are_two_places():
    found = compare(drugs=[find("Insulin", "Chemical"), find("glucose", "Chemical")])
    assert [place.text for place in found.places] == ["Insulin", "glucose"]
    assert found.pairs[0] == PairCounts("drugs", "all", 2, one_only=2)


def test_labels_that_a_corpus_does_not_annotate_say_nothing():
    found = compare(genes=[find("glucose", "Chemical")])
    assert (found.n_places, found.places) == (0, ())
    unknown = dict.fromkeys(LABELS, ())
    (place,) = compare(unknown, genes=[find("glucose", "Chemical")]).places
    assert place.readings == {"drugs": (), "all": (), "genes": (find("glucose", "Chemical"),)}


def test_places_that_divide_most_come_first():
    labels = dict.fromkeys(("a", "b", "c", "d"), ())
    found = compare(
        labels,
        a=[find("groups", "X"), find("glucose", "X")],
        b=[find("groups", "X"), find("glucose", "Y")],
        c=[find("groups", "X")],
    )
    assert [(place.text, place.n_disagreeing) for place in found.places] == [
        ("glucose", 2),
        ("groups", 1),
    ]


def test_a_place_across_sentences_shows_them_all():
    start = TEXT.index("diabetes")
    entity = RuledEntity(start, len(TEXT) - 1, "Disease")
    (place,) = compare(drugs=[entity]).places
    assert place.sentence == "Insulin lowered glucose in type 2 diabetes. End."
    assert place.text == "diabetes. End"
