"""The sections of a run's page."""

import pytest

pytest.importorskip("matplotlib")

import spacy

from spacy_bioner.evaluation.evaluation import measure
from spacy_bioner.gold import GOLD_KEY
from spacy_bioner.reports.html.elements import Drawings
from spacy_bioner.reports.html.run_sections import make_score_section
from spacy_bioner.reports.plots.style import plot_style

NLP = spacy.blank("en")


def test_a_type_called_like_an_average_has_its_own_counts() -> None:
    gold, predicted = NLP.make_doc("one two three"), NLP.make_doc("one two three")
    gold.user_data[GOLD_KEY] = [[0, 3, "micro", []], [4, 7, "macro", []], [8, 13, "X", []]]
    predicted.ents = [predicted.char_span(0, 3, label="micro")]
    drawings: Drawings = {}
    with plot_style():
        (table,) = make_score_section(drawings, measure([(gold, predicted)], n_resamples=5)).tables
    assert [row[:4] for row in table.rows] == [
        ("X", "1", "0", "0"),
        ("macro", "1", "0", "0"),
        ("micro", "1", "1", "1"),
        ("micro", "3", "1", "1"),
        ("macro", "–", "–", "–"),
        ("weighted", "–", "–", "–"),
    ]
