from spacy_bioner.evaluation.disagreement import RuledDocument, RuledEntity, compare_rules
from spacy_bioner.reports.text.pipelines.disagreement import list_notes, render_disagreements

TEXT = "Insulin lowered glucose in type 2 diabetes."
LABELS = {"drugs": ["Chemical", "Disease"], "all": ["Chemical", "Disease", "Gene"], "g": ["Gene"]}


def compare(text=TEXT, **entities):
    return compare_rules([RuledDocument("a", text, entities)], LABELS)


def test_places_are_rows_with_each_corpus_reading():
    found = compare(
        drugs=[RuledEntity(0, 7, "Chemical", 0.91), RuledEntity(27, 42, "Disease", 0.5)],
        all=[RuledEntity(0, 7, "Gene", 0.8), RuledEntity(34, 42, "Disease")],
    )
    lines = render_disagreements(found, notes=["odd"]).splitlines()
    assert lines[0] == (
        "1 document by the rules of drugs, all, g: something is found at 2 places, and corpora "
        "disagree on 2 of them"
    )
    assert lines[2].split() == ["text", "drugs", "all", "g", "sentence"]
    assert lines[4].split()[:6] == ["Insulin", "Chemical", "0.91", "Gene", "0.80", "–"]
    assert "Disease 'diabetes'" in lines[5]
    assert lines[5].endswith("… lowered glucose in type 2 diabetes.")
    assert lines[7] == "  – marks nothing; · annotates no such label"
    assert lines[-1] == "note: odd"


def test_agreement_is_told_without_a_table_of_places():
    found = compare(drugs=[RuledEntity(0, 7, "Chemical")], all=[RuledEntity(0, 7, "Chemical")])
    assert "corpora disagree on 0 of them\n\n  corpora" in render_disagreements(found)


def test_more_places_than_are_shown_are_counted():
    text = "Insulin " * 30
    entities = [RuledEntity(8 * number, 8 * number + 7, "Gene") for number in range(30)]
    shown = render_disagreements(compare(text, all=entities))
    assert "  5 more places are not shown here" in shown.splitlines()


def test_notes_say_what_is_not_there():
    assert list_notes(limit=200, is_cut=False, reasons=[]) == []
    assert list_notes(limit=2000, is_cut=True, reasons=["odd", "other"]) == [
        "only the first 2,000 documents were read (--limit)",
        "2 documents were left out; first: odd",
    ]
