import pytest

from spacy_bioner.corpora.formats.read_errors import ReadErrors
from spacy_bioner.corpora.labels import rename_labels
from spacy_bioner.corpora.quality.agreement import (
    LabelAgreement,
    cohen_kappa,
    compare_annotations,
    one_against_rest,
)
from spacy_bioner.corpora.quality.mention_pairing import pair_mentions
from spacy_bioner.corpora.read_write import read_records
from spacy_bioner.errors import CorpusError
from spacy_bioner.records import Mention, Record

TEXT = "acute renal failure after aspirin and lithium"


def make_record(*mentions, identifier="1", text=TEXT):
    return Record(identifier, text, tuple(Mention(*item) for item in mentions))


def pair(left, right):
    """Kinds with the places of either side."""
    found = pair_mentions([Mention(*item) for item in left], [Mention(*item) for item in right])
    return [
        (kind, a and (a.start_char, a.end_char, a.label), b and (b.start_char, b.end_char, b.label))
        for kind, a, b in found
    ]


def test_kappa_of_a_hand_worked_table():
    # Observed 70 of 100; by chance 60 * 50 + 40 * 50 of 10,000, that is 50: (70 - 50) / (100 - 50).
    table = {("yes", "yes"): 40, ("yes", "no"): 20, ("no", "yes"): 10, ("no", "no"): 30}
    assert cohen_kappa(table) == 0.4


def test_kappa_of_three_choices():
    rows = {"a": (88, 10, 2), "b": (14, 40, 6), "c": (18, 10, 12)}
    table = {
        (left, right): number
        for left, numbers in rows.items()
        for right, number in zip("abc", numbers)
    }
    # Observed 140 / 200 = .70; by chance .5 * .6 + .3 * .3 + .2 * .1 = .41; .29 / .59.
    assert cohen_kappa(table) == pytest.approx(0.29 / 0.59)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ({("a", "a"): 3, ("b", "b"): 1}, 1.0),
        ({("a", "b"): 2, ("b", "a"): 2}, -1.0),
        ({("a", "a"): 1, ("a", "b"): 1, ("b", "a"): 1, ("b", "b"): 1}, 0.0),
        ({("a", "a"): 5}, None),
        ({}, None),
    ],
)
def test_kappa_at_its_limits(table, kappa):
    assert cohen_kappa(table) == kappa


def test_one_choice_against_the_rest():
    table = {("a", "a"): 1, ("a", "b"): 2, ("b", "c"): 3, ("c", "c"): 4}
    assert one_against_rest(table, "a") == {
        ("True", "True"): 1,
        ("True", "False"): 2,
        ("False", "False"): 7,
    }


def test_words_and_scores_of_a_hand_worked_document():
    a = make_record((6, 19, "Disease"), (26, 33, "Chemical"))
    b = make_record((0, 19, "Disease"), (26, 33, "Chemical"), (38, 45, "Chemical"))
    agreement = compare_annotations([a], [b])
    assert agreement.labels == {
        "Disease": LabelAgreement(in_a=1, in_b=1, strict=0, relaxed=1),
        "Chemical": LabelAgreement(in_a=1, in_b=2, strict=1, relaxed=1),
    }
    assert agreement.total() == LabelAgreement(2, 3, 1, 2)
    assert agreement.words == {
        ("", "Disease"): 1,
        ("Disease", "Disease"): 2,
        ("", ""): 2,
        ("Chemical", "Chemical"): 1,
        ("", "Chemical"): 1,
    }
    # Of 7 words 5 agree; by chance 4 * 2 + 2 * 3 + 1 * 2 of 49, that is 16 / 7: 19 / 33.
    assert cohen_kappa(agreement.words) == pytest.approx(19 / 33)
    assert agreement.count_kinds() == {
        "only in A": 0,
        "only in B": 1,
        "label differs": 0,
        "border differs": 1,
        "border and label differ": 0,
    }
    kinds = [
        (item.kind, item.a and item.a.text, item.b and item.b.text)
        for item in agreement.disagreements
    ]
    assert kinds == [
        ("border differs", "renal failure", "acute renal failure"),
        ("only in B", None, "lithium"),
    ]


def test_labels_are_compared_at_equal_borders():
    a = make_record((6, 19, "Disease"), (26, 33, "Chemical"), (38, 45, "Gene"))
    b = make_record((6, 19, "Disease"), (26, 33, "Gene"), (38, 44, "Gene"))
    agreement = compare_annotations([a], [b])
    assert agreement.choices == {("Disease", "Disease"): 1, ("Chemical", "Gene"): 1}
    # Of 2 one agrees; by chance 1 * 1 of 4: (2 - 1) / (4 - 1).
    assert cohen_kappa(agreement.choices) == pytest.approx(1 / 3)


def test_the_longest_mention_labels_a_word():
    a = make_record((0, 19, "Disease"), (6, 11, "Anatomy"))
    agreement = compare_annotations([a], [a])
    assert agreement.words == {("Disease", "Disease"): 3, ("", ""): 4}


def test_fragments_label_their_own_words():
    a = Record("1", TEXT, (Mention(0, 19, "Disease", fragments=((0, 5), (12, 19))),))
    assert compare_annotations([a], [a]).words == {("Disease", "Disease"): 2, ("", ""): 5}


def test_a_repeated_mention_counts_once():
    a = make_record((6, 19, "Disease"), (6, 19, "Disease"))
    assert compare_annotations([a], [a]).total() == LabelAgreement(1, 1, 1, 1)


def test_mentions_are_paired_one_to_one():
    assert pair([(0, 5, "X"), (6, 9, "X")], [(0, 9, "X")]) == [
        ("border differs", (0, 5, "X"), (0, 9, "X")),
        ("only in A", (6, 9, "X"), None),
    ]
    assert pair([(0, 4, "X"), (3, 9, "X")], [(3, 4, "X"), (3, 9, "X")]) == [
        ("border differs", (0, 4, "X"), (3, 4, "X")),
        ("equal", (3, 9, "X"), (3, 9, "X")),
    ]


def test_one_label_goes_before_one_place():
    assert pair([(0, 5, "X")], [(0, 5, "Y"), (0, 7, "X")]) == [
        ("border differs", (0, 5, "X"), (0, 7, "X")),
        ("only in B", None, (0, 5, "Y")),
    ]
    assert pair([(0, 5, "X"), (8, 9, "X")], [(0, 5, "Y"), (7, 9, "Y")]) == [
        ("label differs", (0, 5, "X"), (0, 5, "Y")),
        ("border and label differ", (8, 9, "X"), (7, 9, "Y")),
    ]


def test_fragments_that_do_not_touch_are_not_paired():
    split = Mention(0, 9, "X", fragments=((0, 2), (7, 9)))
    inside = Mention(3, 5, "X")
    assert [kind for kind, *_ in pair_mentions([split], [inside])] == ["only in A", "only in B"]


def test_the_most_pairs_are_found():
    left = [(0, 3, "X"), (4, 9, "X")]
    right = [(2, 5, "X"), (8, 12, "X")]
    assert [kind for kind, *_ in pair(left, right)] == ["border differs", "border differs"]


def test_documents_are_matched_by_id():
    a = [make_record(identifier=i) for i in ("1", "2", "2", "3")]
    b = [make_record(identifier=i) for i in ("2", "1", "4", "2", "2")]
    agreement = compare_annotations(a, b)
    assert (agreement.documents, agreement.only_a, agreement.only_b) == (3, ["3"], ["2", "4"])


def test_texts_that_differ_are_an_error_or_counted():
    a = [make_record(), make_record(identifier="2")]
    b = [make_record(text=TEXT.replace("renal", "kidney")), make_record(identifier="2")]
    message = r"b\.txt: found 'kidney failure after aspirin a' at character 6 of document 1"
    with pytest.raises(CorpusError, match=message):
        compare_annotations(a, b, path="b.txt")
    problems = ReadErrors()
    assert compare_annotations(a, b, problems=problems).documents == 1
    assert problems.skipped == {"document": 1}


def test_a_text_that_goes_on_is_another():
    with pytest.raises(CorpusError, match="found ' more' at character 45 of document 1"):
        compare_annotations([make_record()], [make_record(text=TEXT + " more")])


def test_nothing_in_common_is_an_error():
    with pytest.raises(CorpusError, match="found no document that is in both annotations"):
        compare_annotations([make_record()], [make_record(identifier="2")])


def test_json_has_kappa_by_label():
    a = make_record((6, 19, "Disease"), (26, 33, "Chemical"))
    data = compare_annotations([a], [a]).to_json()
    assert data["kappa_words"] == 1.0
    assert data["kappa_words_by_label"] == {"Chemical": 1.0, "Disease": 1.0}
    assert data["kappa_labels"] == 1.0
    assert data["total"] == {"in_a": 2, "in_b": 2, "strict": 2, "relaxed": 2}


def test_two_real_annotations_of_the_same_abstracts_agree(data_dir):
    names = {"ChemicalEntity": "Chemical", "DiseaseOrPhenotypicFeature": "Disease"}
    folder = data_dir / "corpora"
    biored = rename_labels(read_records(folder / "biored" / "train.pubtator.txt"), names)
    agreement = compare_annotations(read_records(folder / "bc5cdr" / "train.pubtator.txt"), biored)
    assert agreement.documents == 41
    chemical = agreement.labels["Chemical"]
    assert chemical.strict <= chemical.relaxed <= min(chemical.in_a, chemical.in_b)
    assert cohen_kappa(one_against_rest(agreement.words, "Disease")) > 0.9
