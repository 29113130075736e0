"""The sections of a report: what is there stands on the page, in one order; the rest does not."""

import re

import pytest

pytest.importorskip("matplotlib")

from spacy_bioner.evaluation.evaluation import measure
from spacy_bioner.evaluation.robustness import Outcome, Robustness
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.html.report import ReportData, render_report
from spacy_bioner.reports.plots.style import plot_style
from spacy_bioner.training.loggers import Evaluation
from spacy_bioner.training.results.experiments import AblationRow
from tests.reports.html.test_run_page import PAIRS

FIRST = ["scores", "kinds", "recall", "calibration", "thresholds", "tokens"]


def list_sections(**given) -> tuple[list[str], str]:
    data = ReportData("A run", "x", measure(PAIRS, n_resamples=5), (), **given)
    with plot_style():
        page, _ = render_report(data)
    return re.findall('<section id="([^"]*)"', page), page


def test_a_run_alone_has_the_sections_of_its_scores() -> None:
    sections, page = list_sections()
    assert sections == [*FIRST, "card", "mistakes"]
    assert "<dt>scored pipeline</dt><dd>x</dd>" in page


def test_what_other_commands_found_has_its_place() -> None:
    right, wrong = Outcome("clean", None, Counts(tp=2), 2), Outcome("typos", None, Counts(fn=2), 2)
    sections, page = list_sections(
        training=[Evaluation(1, {"bioner": 1.0}, {"ents_f": 0.5})],
        robustness=[Robustness("x", right, (wrong,))],
        is_attacked=True,
        ablation=[AblationRow("everything", Counts(tp=2))],
    )
    named = [name for name in sections if name not in FIRST]
    assert named == ["training", "robustness", "ablation", "card", "mistakes"]
    # The one is the page's pipeline, the other is not.
    assert "None of these is the pipeline" not in page
    assert "These are not parts of the pipeline of this page" in page
