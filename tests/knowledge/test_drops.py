import pytest

from spacy_bioner import extras
from spacy_bioner.errors import MissingExtraError
from spacy_bioner.knowledge import drops
from spacy_bioner.knowledge.drops import RULES, check_rules, drop_terms, make_key
from spacy_bioner.knowledge.terms import Term


def make_terms(*names, label="Disease"):
    return [Term(name, label, f"D{number}") for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("rule", "names", "left"),
    [
        ("one_letter", ["A", "β", "AB", "1"], ["AB"]),
        ("numbers", ["17", "3.5 %", "17q", "+"], ["17q"]),
        # Compared with its capitals, a symbol is no everyday word.
        ("stop_words", ["all", "The", "ALL", "gout"], ["ALL", "gout"]),
    ],
)
def test_a_rule_leaves_out_what_it_says(rule, names, left):
    kept, dropped = drop_terms(make_terms(*names), [rule])
    assert [term.name for term in kept] == left
    assert dropped == {rule: len(names) - len(left)}


def test_common_words_are_left_out_by_their_frequency():
    pytest.importorskip("wordfreq", reason="needs the extra [terms]")
    names = ["Time", "people", "TIME", "gout", "time out", "x1"]
    kept, dropped = drop_terms(make_terms(*names), ["common_words"])
    assert [term.name for term in kept] == ["TIME", "gout", "time out", "x1"]
    assert dropped == {"common_words": 2}


def test_the_extra_is_named_before_terms_are_read(monkeypatch):
    monkeypatch.setattr(extras, "_is_there", lambda package: package != "wordfreq")
    drops._load_frequencies.cache_clear()
    check_rules(["numbers"])
    with pytest.raises(MissingExtraError, match="The rule common_words needs wordfreq, not inst"):
        check_rules(["common_words"])


def test_names_of_several_concepts_under_one_label_are_left_out():
    terms = [
        Term("CAP", "Gene", "1"),
        Term("cap", "Gene", "2"),
        Term("Cap", "Disease", "3"),
        Term("gout", "Disease", "4"),
        Term("Gout", "Disease", "4"),
    ]
    kept, dropped = drop_terms(terms, ["ambiguous_within"])
    assert kept == terms[2:]
    assert dropped == {"ambiguous_within": 2}


def test_names_under_several_labels_are_left_out():
    terms = [Term("CAP", "Gene", "1"), Term("cap", "Gene", "2"), Term("Cap", "Disease", "1")]
    other = Term("gout", "Disease", "4")
    kept, dropped = drop_terms([*terms, other], ["ambiguous_across"])
    assert kept == [other]
    assert dropped == {"ambiguous_across": 3}


def test_of_several_concepts_of_one_name_the_first_is_kept():
    terms = [
        Term("aspirin", "Chemical", "MESH:1"),
        Term("Aspirin", "Chemical", "DB2"),
        Term("Aspirin", "Chemical", "MESH:1"),
        Term("Aspirin", "Disease", "X3"),
        Term("dipyrone", "Chemical", "DB4"),
    ]
    kept, dropped = drop_terms(terms, ["later_concepts"])
    assert kept == [terms[0], *terms[2:]]
    assert dropped == {"later_concepts": 1}


def test_a_preferred_name_goes_before_a_synonym_and_capitals_count_where_they_are_matched():
    terms = [
        Term("AR", "Gene", "231"),
        Term("AR", "Gene", "367"),
        Term("CO", "Chemical", "1"),
        Term("Co", "Chemical", "2"),
    ]
    ranks = {"231": 1, "367": 0}
    kept, dropped = drop_terms(terms, ["later_concepts"], rank=lambda term: ranks.get(term.id, 0))
    assert kept == terms[1:]
    assert dropped == {"later_concepts": 1}


def test_what_one_rule_leaves_out_counts_for_no_later_one():
    terms = [Term("7", "Gene", "1"), Term("7", "Gene", "2"), Term("a", "Gene", "3")]
    terms += [Term("x y", "Gene", "4"), Term("x y", "Gene", "5"), Term("x y", "Disease", "6")]
    rules = [rule for rule in RULES if rule != "common_words"]
    kept, dropped = drop_terms(terms, rules)
    # With the genes, what made the third one ambiguous is gone.
    assert kept == [terms[5]]
    assert dropped == {
        "one_letter": 3,
        "numbers": 0,
        "stop_words": 0,
        "ambiguous_within": 2,
        "ambiguous_across": 0,
        "later_concepts": 0,
    }


def test_typographic_twins_and_capitals_have_one_key():
    assert make_key("Ménière’s  IFN-β") == make_key("ménière's  ifn-β")
    assert make_key("µ") == make_key("μ")
    assert make_key("IL-2") == "il-2"
