import pytest
import spacy

from spacy_bioner.evaluation.terms import TableChanges, TermCounts, TermTally, find_spans
from spacy_bioner.knowledge.matcher import TermMatcher
from spacy_bioner.knowledge.terms import TOKEN_SEPARATOR, Term
from spacy_bioner.records import Mention, Record

NLP = spacy.blank("en")


def find(text, *terms):
    return find_spans(TermMatcher(terms), NLP.make_doc(text))


GOUT = Term("gout", "Disease", "D1")


def test_spans_are_the_longest_by_characters_and_label():
    severe, sign = Term("severe gout", "Disease", "D2"), Term("Severe gout", "Sign", "S1")
    assert find("Severe gout, then gout.", GOUT, severe, sign) == {
        (0, 11, "Disease"): [severe],
        (0, 11, "Sign"): [sign],
        (18, 22, "Disease"): [GOUT],
    }


def test_no_text_has_no_span():
    assert find("", GOUT) == {}


def test_terms_are_judged_by_the_mentions_at_their_place():
    text = "Gout, gout, gout, gout and gout"
    mentions = (
        Mention(0, 4, "Disease"),
        Mention(6, 15, "Disease"),
        Mention(18, 22, "Sign"),
        # In several parts: a table has no such name.
        Mention(18, 31, "Disease", fragments=((18, 22), (27, 31))),
    )
    tally = TermTally()
    record = Record("7", text, mentions)
    tally.add(record, find(text, GOUT))
    tally.add(Record("8", "No gout."), find("No gout.", GOUT))
    assert tally.list_terms() == [
        TermCounts("gout", "Disease", 1, 2, 1, 2, "7: Gout, gout, gout, gout and gout")
    ]
    assert (tally.documents, tally.gold, tally.found, tally.right) == (
        2,
        {"Disease": 2, "Sign": 1},
        {"Disease": 6},
        {"Disease": 1},
    )
    counts = tally.list_terms()[0]
    assert counts.wrong == 5
    assert counts.precision == pytest.approx(1 / 6)


def test_all_names_of_a_place_are_judged_each_once():
    text = "Gout"
    tokens = Term(TOKEN_SEPARATOR.join(["Gout"]), "Disease", "D3", "exact", tokens=True)
    tally = TermTally()
    tally.add(Record("1", text), find(text, GOUT, Term("gout", "Disease", "D2"), tokens))
    assert sorted((one.name, one.nowhere) for one in tally.list_terms()) == [
        ("Gout", 1),
        ("gout", 1),
    ]


def test_changes_are_counted_by_text_and_label():
    text = "Gout and asthma and rash, gout"
    asthma, rash = Term("asthma", "Disease", "D2"), Term("rash", "Disease", "D3")
    other = Term("rash", "Disease", "D4")
    changes = TableChanges((2, 3))
    changes.compare(text, find(text, GOUT, rash), find(text, asthma, rash, other))
    changes.compare("rash", find("rash", rash), find("rash", rash))
    assert changes.documents == 2
    assert changes.same == 1
    assert changes.gone == {("Gout", "Disease"): 1, ("gout", "Disease"): 1}
    assert changes.new == {("asthma", "Disease"): 1}
    assert changes.other_ids == {("rash", "Disease", "D3", "D3|D4"): 1}
