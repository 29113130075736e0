"""Tables behind a trained component: what of a table is tried, and what is chosen on dev."""

from importlib import import_module

import pytest
import spacy
from spacy.tokens import Span

from spacy_bioner.apps.corpora.convert import convert
from spacy_bioner.components.evidence import Evidence, add_evidence
from spacy_bioner.corpora.docbin import read_docbin
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.knowledge.gaz import write_gaz
from spacy_bioner.knowledge.terms import Term

CORPUS = """1|t|Gout, a rash and a rash.
1|a|A cold rash, and aspirin for gout.
1\t0\t4\tGout\tDisease\tD1
1\t25\t36\tA cold rash\tDisease\tD3
1\t42\t49\taspirin\tDisease\tD4

"""


@pytest.fixture
def script():
    return import_module("term_tables")


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "train.pubtator.txt").write_text(CORPUS, encoding="utf-8")
    convert(tmp_path / "train.pubtator.txt", tmp_path / "train.spacy")
    return tmp_path


@pytest.fixture
def tables(script, corpus):
    terms = [Term("gout", "Disease"), Term("rash", "Disease"), Term("flu", "Disease")]
    write_gaz([*terms, Term("aspirin", "Disease")], corpus / "t.gaz")
    return list(script.read_tables(corpus / "t.gaz", corpus))


@pytest.fixture
def trial(script):
    """A component that takes the first word for a disease, unsurely, and the last one."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler", name="model").add_patterns([{"label": "Disease", "pattern": "x"}])
    return script.Trial(nlp, "model")


def propose(doc):
    spans = [Span(doc, 0, 1, "Disease"), Span(doc, len(doc) - 2, len(doc) - 1, "Disease")]
    for span, confidence in zip(spans, (0.4, 0.6), strict=True):
        place = (span.start_char, span.end_char, "Disease")
        add_evidence(doc, Evidence(*place, "model", confidence=confidence))
    doc.ents = spans
    return doc


def test_tables_are_tried_whole_and_as_the_train_split_judges_them(tables):
    shown = [(t.name, [term.name for term in t.terms.table], t.confidence) for t in tables]
    assert shown == [
        ("t", ["gout", "rash", "flu", "aspirin"], 2 / 6),
        ("t − 1 blamed", ["gout", "flu", "aspirin"], 2 / 3),
        ("t, 2 proved", ["gout", "aspirin"], 2 / 3),
    ]


def test_modes_and_thresholds_work_on_copies(script, trial, tables, corpus):
    gold = list(read_docbin(corpus / "train.spacy", trial.nlp.vocab))
    predicted = [propose(trial.nlp.make_doc(doc.text)) for doc in gold]
    split = script.Split("dev", gold, predicted)
    found = script.measure(trial, list(script.list_settings(tables[2:])), split, split)
    counts = {(s.mode, s.thresholds): sum(each, Counts()) for s, each in found.items()}
    assert counts == {
        ("", "none"): Counts(1, 1, 2),
        ("fill", "none"): Counts(2, 1, 1),
        ("filter", "none"): Counts(1, 1, 2),
        ("override", "none"): Counts(2, 1, 1),
        # No threshold parts the right one from the wrong one, which the model is surer of.
        ("", "dev"): Counts(1, 1, 2),
        ("fill", "dev"): Counts(2, 1, 1),
        ("boost", "dev"): Counts(1, 1, 2),
        ("filter", "dev"): Counts(1, 1, 2),
        ("override", "dev"): Counts(2, 1, 1),
        ("boost", "recall"): Counts(1, 1, 2),
    }
    assert [len(doc.ents) for doc in predicted] == [2]
    rows = script.render(found, split)
    assert rows[1][:7] == ("dev", "t, 2 proved", "fill", "none", "66.67", "66.67", "66.67")
    assert rows[0][7:] == ("–", "–", "–")


def test_the_best_setting_of_each_mode_is_chosen(script, tables):
    none = script.Setting()
    fills = [script.Setting("fill", table) for table in tables[:2]]
    filters = [script.Setting("filter", table) for table in tables[:2]]
    found = {
        none: [Counts(5, 5, 5)],
        fills[0]: [Counts(8, 8, 2)],
        fills[1]: [Counts(7, 3, 3)],
        filters[0]: [Counts(3, 1, 7)],
        filters[1]: [Counts(5, 4, 5)],
    }
    # By F1, but filters by precision.
    assert script.choose(found) == [none, fills[1], filters[0]]
