import csv
import io

from spacy_bioner.evaluation.bootstrap.intervals import bootstrap_scores
from spacy_bioner.evaluation.scores import Counts
from spacy_bioner.reports.text.compare import render_comparison, render_comparison_csv
from spacy_bioner.training.results.experiments import ComparisonRow


def row(name, tp, **settings):
    scores = bootstrap_scores([Counts(tp, 10 - tp, 10 - tp)] * 3)
    return ComparisonRow(name, f"hub/{name}", scores, f_scores=[tp / 10], **settings)


FAILED = ComparisonRow("failed", "hub/failed", reason="no such | weights")


def test_table_has_intervals_and_reasons():
    best = row("a", 5, dev_f_score=0.61, training_seconds=1234.5, parameters=110_000_000)
    lines = render_comparison([FAILED, best]).splitlines()
    assert "95 % interval of 1,000 bootstrap resamples of 3 documents" in lines[0]
    cells = [cell.strip() for cell in lines[4].split("|")[1:-1]]
    score = "50.0 [50.0, 50.0]"
    assert cells == ["a", score, score, score, "61.0", "1,234", "–", "–", "110.0 M"]
    assert lines[-1] == "- **failed** (`hub/failed`) is without scores: no such | weights"


def test_memory_of_a_gpu_has_a_column_where_it_is_known():
    rows = [row("a", 5, peak_memory_mb=900.0, gpu_memory_mb=4321.4), row("b", 3)]
    lines = render_comparison([*rows, FAILED]).splitlines()[2:7]
    cells = [[cell.strip() for cell in line.split("|")[-4:-2]] for line in lines]
    assert [cells[0], *cells[2:]] == [["peak MB", "GPU MB"], ["900", "4,321"], ["–"] * 2, ["–"] * 2]


def test_csv_has_the_memory_of_host_and_gpu():
    text = render_comparison_csv([row("a", 5, peak_memory_mb=900.5, gpu_memory_mb=4321.4)])
    (found,) = csv.DictReader(io.StringIO(text))
    assert (found["peak_memory_mb"], found["gpu_memory_mb"]) == ("900.5", "4321.4")
