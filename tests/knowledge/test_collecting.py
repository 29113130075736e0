from pathlib import Path

import pytest

from spacy_bioner.errors import ConfigError, TermTableError
from spacy_bioner.knowledge.collecting import TermCollector
from spacy_bioner.knowledge.sources.rows import SourceFile, TermRow
from spacy_bioner.knowledge.terms import Term

FILE = SourceFile(Path("x.tsv"))


def collect(rows, *labels, label=""):
    collector = TermCollector(labels)
    for row in rows:
        collector.add(TermRow(*row, "exact"), label, FILE)
    return collector


def test_a_name_of_a_concept_is_taken_once_whatever_its_case():
    rows = [("D1", "gout", ""), ("D1", "Gout", ""), ("D2", "gout", ""), ("D1", "GOUT", "")]
    collector = collect([*rows, ("D1", "GOUT", "")], "Disease")
    # "GOUT" is a symbol: it is found with its capitals only.
    assert collector.terms == [
        Term("gout", "Disease", "D1"),
        Term("gout", "Disease", "D2"),
        Term("GOUT", "Disease", "D1"),
    ]
    assert collector.left_out == {"names that stand there already": 2}
    assert collector.n_rows == 5


def test_labels_are_those_of_the_file_of_the_rows_or_the_one_for_all():
    row = ("D1", "gout", "C")
    assert collect([row]).terms == [Term("gout", "C", "D1")]
    assert collect([row], "Disease").terms == [Term("gout", "Disease", "D1")]
    assert collect([row], "Disease", label="Sign").terms == [Term("gout", "Sign", "D1")]


def test_only_labels_that_are_asked_for_are_taken():
    rows = [("D1", "gout", "C"), ("D2", "salt", "D"), ("D3", "foot", "A")]
    collector = collect(rows, "C=Disease, D=Chemical")
    assert [(term.name, term.label) for term in collector.terms] == [
        ("gout", "Disease"),
        ("salt", "Chemical"),
    ]
    assert collector.left_out["names of labels that are not asked for"] == 1
    # Beside them, one label is that of all others.
    others = collect(rows, "C=Disease", "Other")
    assert [term.label for term in others.terms] == ["Disease", "Other", "Other"]


def test_a_row_without_a_label_is_refused():
    FILE.line = 7
    message = r"x\.tsv:7: found no label for 'gout'; expected an entity type; give one for all"
    with pytest.raises(TermTableError, match=message):
        collect([("D1", "gout", "")])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["A", "B"], "found the labels 'A' and 'B'; expected one for all rows, or OLD=NEW"),
        (["A="], "found the label 'A='; expected OLD=NEW, or one label"),
        (["=A"], "found the label '=A'; expected OLD=NEW, or one label"),
    ],
)
def test_labels_that_contradict_each_other_are_refused(labels, message):
    with pytest.raises(ConfigError, match=message):
        TermCollector(labels)


def test_a_variant_gives_way_to_a_name_of_another_concept():
    rows = [("D1", "Tumor, Lung", ""), ("D2", "lung tumor", ""), ("D3", "Fever, Blue", "")]
    collector = collect(rows, "Disease")
    assert collector.add_variants(["comma"]) == {"comma": 1}
    assert collector.terms[3:] == [Term("Blue Fever", "Disease", "D3")]
    assert collector.left_out["variants that stand there already as a name"] == 1


def test_variants_are_counted_by_rule_and_keep_id_and_label():
    collector = collect([("D1", "Tumour, Lung", "")], "Disease")
    assert collector.add_variants(["comma", "british", "plural"]) == {
        "comma": 1,
        "british": 2,
        "plural": 2,
    }
    assert {(term.label, term.id) for term in collector.terms} == {("Disease", "D1")}
    assert len(collector.terms) == 6


def test_without_rules_nothing_is_added():
    collector = collect([("D1", "Tumour, Lung", "")], "Disease")
    assert collector.add_variants([]) == {}
    assert collector.left_out == {"names that stand there already": 0}
