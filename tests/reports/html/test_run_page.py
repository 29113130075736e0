"""A run's page: its markup, and what a reader does with it in a real browser."""

import json

import pytest

pytest.importorskip("matplotlib")

import spacy
from spacy.tokens import Doc

from spacy_bioner.components.evidence import Evidence, add_evidence, register_extensions
from spacy_bioner.evaluation.evaluation import measure
from spacy_bioner.evaluation.metrics.error_contexts import collect_cases
from spacy_bioner.gold import GOLD_KEY, ID_KEY
from spacy_bioner.reports.html.elements import PagePart
from spacy_bioner.reports.html.report import ReportData, render_report
from spacy_bioner.reports.html.run_page import split_text
from spacy_bioner.reports.plots.style import plot_style
from spacy_bioner.training.loggers import Evaluation
from tests.reports.browser import needs_browser, open_page
from tests.reports.html.test_corpus_page import Page

register_extensions()
NLP = spacy.blank("en")
HOSTILE = '<script>alert("x")</script>'
TEXT = f"Aspirin eases severe headache & {HOSTILE} fever."


def make_pair(name: str, found) -> tuple[Doc, Doc]:
    gold, predicted = NLP.make_doc(TEXT), NLP.make_doc(TEXT)
    gold.user_data[ID_KEY] = name
    fever = TEXT.index("fever")
    rows = [(0, 7, "Chemical"), (14, 29, "Disease"), (fever, fever + 5, "Disease")]
    gold.user_data[GOLD_KEY] = [[*row, []] for row in rows]
    predicted.ents = [predicted.char_span(start, end, label=label) for start, end, label in found]
    for start, end, label in found:
        add_evidence(predicted, Evidence(start, end, label, "bioner", 0.8))
    return gold, predicted


PAIRS = [
    make_pair("first", [(0, 7, "Chemical"), (21, 29, "Disease")]),
    make_pair("<second>", [(0, 7, "Disease"), (14, 29, "Disease")]),
]


@pytest.fixture(scope="module")
def page() -> str:
    found = measure(PAIRS, n_resamples=20)
    log = [Evaluation(step, {"bioner": 1.0 / step}, {"ents_f": 0.5}) for step in (1, 2)]
    data = ReportData("A run", "x", found, collect_cases(PAIRS, found.mistakes), training=log)
    with plot_style():
        page, drawings = render_report(data)
    json.dumps({name: drawing.data for name, drawing in drawings.items()})
    assert set(drawings) == {
        "types", "training", "mistakes", "confusion", "recall", "calibration", "thresholds"
    }  # fmt: skip
    return page


def test_the_page_is_whole_and_loads_nothing(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert all(link.startswith("#") for link in parsed.links)
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)
    assert HOSTILE not in page


def test_mistakes_stand_on_it_with_their_mentions_marked(page: str) -> None:
    parsed = Page(page)
    kinds = [tag["data-kind"] for name, tag in parsed.tags if "data-kind" in tag]
    assert kinds == ["too short", "missed", "wrong type", "missed"]
    marks = [tag["class"] for name, tag in parsed.tags if name == "mark"]
    assert marks.count("wrong") == 6
    assert "document &lt;second&gt;, character 0" in page


def test_mentions_of_the_mistake_come_before_longer_ones_beside_them() -> None:
    parts = split_text("severe headache", [(0, 15, "D"), (7, 15, "D")], frozenset({(7, 15, "D")}))
    assert parts == [PagePart("severe "), PagePart("headache", "D", "wrong")]


def test_a_run_without_mistakes_has_a_page() -> None:
    gold, _ = PAIRS[0]
    right = [(row[0], row[1], row[2]) for row in gold.user_data[GOLD_KEY]]
    pairs = [make_pair("x", right)]
    found = measure(pairs, n_resamples=5)
    with plot_style():
        html, _ = render_report(ReportData("t", "x", found, collect_cases(pairs, found.mistakes)))
    assert "No mistakes." in html


@needs_browser
def test_a_browser_opens_it_filters_mistakes_and_does_not_complain(page: str, tmp_path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")

    def choose(name: str, value: str, event: str) -> str:
        return (
            f"(e => {{ e.value = {value!r}; e.dispatchEvent(new Event({event!r})); }})"
            f"(document.getElementById({name!r}))"
        )

    with open_page(path) as tab:
        shown = "document.querySelectorAll('#cases .case:not([hidden])').length"
        assert tab.run(shown) == 4
        tab.run(choose("kind", "missed", "change"))
        assert tab.run(shown) == 2
        tab.run(choose("type", "Chemical", "change"))
        assert tab.run(shown) == 0
        tab.run(choose("kind", "", "change"))
        assert tab.run(shown) == 1
        assert tab.run("document.getElementById('shown').value") == "1 shown"
        tab.run(choose("type", "", "change"))
        tab.run(choose("words", "first fever", "input"))
        assert tab.run(shown) == 2
        assert tab.run("document.documentElement.scrollWidth <= window.innerWidth") is True
        assert tab.complaints == []
