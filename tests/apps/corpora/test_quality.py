import json

import pytest
import typer
from typer.testing import CliRunner

from spacy_bioner.apps.cli.quality import quality_cli
from spacy_bioner.errors import CorpusError, LabelError

A = """1|t|Acute renal failure after aspirin and lithium.
1|a|
1\t0\t19\tAcute renal failure\tDisease\tD1
1\t26\t33\taspirin\tChemical\tD2
1\t38\t46\tlithium.\tChemical\tD3

2|t|Aspirin, aspirin, acute renal failure
2|a|
2\t0\t7\tAspirin\tDrug\tD2
2\t24\t37\trenal failure\tDisease\tD1
"""
B = A.replace("0\t19\tAcute renal", "6\t19\trenal").replace(
    "1\t38\t46\tlithium.\tChemical\tD3\n", ""
)


@pytest.fixture
def corpora(tmp_path):
    paths = [tmp_path / "a.pubtator", tmp_path / "b.pubtator"]
    for path, text in zip(paths, (A, B)):
        path.write_text(text)
    return paths


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(quality_cli)
    return lambda *arguments: CliRunner().invoke(app, [str(item) for item in arguments])


def rows(result):
    return [
        "|".join(part.strip() for part in line.split("  ") if part.strip())
        for line in result.stdout.splitlines()
    ]


def test_command_shows_all_kinds_of_findings(corpora, run):
    result = run(corpora[0])
    assert result.exit_code == 0, result.output
    lines = rows(result)
    assert "documents: 2, mentions: 5" in lines
    assert "surfaces with several labels: 1" in lines
    assert "Aspirin|Chemical 1, Drug 1|1:26, 2:0" in lines
    assert "Aspirin|Chemical 1, Drug 1|2|1|33%|2:9" in lines
    assert "Acute renal failure|1|renal failure|1|Disease|2:24" in lines
    assert "ends with punctuation|1|1:38 'lithium.'" in lines


def test_claimed_texts_are_shown(corpora, run):
    corpora[0].write_text(A.replace("\taspirin\t", "\tasparin\t"))
    result = run(corpora[0])
    assert "1:26 'aspirin', said to be 'asparin'" in result.stdout


def test_labels_can_be_renamed_and_chosen(corpora, run):
    result = run(corpora[0], "--label-map", "Drug=Chemical", "--labels", "Chemical")
    lines = rows(result)
    assert "documents: 2, mentions: 3" in lines
    assert "surfaces with several labels: 0" in lines
    assert "surfaces annotated in places only: 1 (1 times not)" in lines


def test_command_writes_a_report(corpora, run, tmp_path):
    report = tmp_path / "report.json"
    run(corpora[0], "--report", report)
    data = json.loads(report.read_text())
    assert (data["documents"], data["mentions"]) == (2, 5)
    assert data["omissions"][0]["rate"] == 1 / 3


def test_command_compares_two_annotations(corpora, run, tmp_path):
    report = tmp_path / "report.json"
    result = run(corpora[0], "--against", corpora[1], "--report", report)
    assert result.exit_code == 0, result.output
    lines = rows(result)
    assert "documents compared: 2 (0 only in A, 0 only in B)" in lines
    assert any(line.startswith("Chemical|2|1|1|0.6667|1|0.6667|") for line in lines)
    assert any(line.startswith("Disease|2|2|1|0.5000|2|1.0000|") for line in lines)
    assert any(line.startswith("all|5|4|3|0.6667|4|0.8889|") for line in lines)
    assert "1:38 lithium. (Chemical)|–" in lines
    assert "1:0 Acute renal failure (Disease)|1:6 renal failure (Disease)" in lines
    assert json.loads(report.read_text())["kinds"]["only in A"] == 1


def test_an_annotation_agrees_with_itself(corpora, run):
    result = run(corpora[0], "--against", corpora[0])
    assert "all|5|5|5|1.0000|5|1.0000|1.0000" in rows(result)
    assert "disagreements: 0" in result.stdout


def test_lists_are_as_long_as_asked(corpora, run):
    assert "lithium" not in run(corpora[0], "--against", corpora[1], "--top", 0).stdout


def test_lenient_reading_counts_once_what_it_leaves_out(corpora, run):
    corpora[0].write_text(A + "2\tzero\t3\tx\tDrug\tD1\n")
    assert isinstance(run(corpora[0]).exception, CorpusError)
    assert "skipped (--lenient): annotation 1" in run(corpora[0], "--lenient").stdout


def test_lenient_comparison_leaves_out_other_texts(corpora, run):
    corpora[1].write_text(B.replace("2|t|Aspirin,", "2|t|Aspirin;"))
    result = run(corpora[0], "--against", corpora[1])
    assert isinstance(result.exception, CorpusError)
    assert str(result.exception).startswith(f"{corpora[1]}: found '; aspirin")
    result = run(corpora[0], "--against", corpora[1], "--lenient")
    assert "documents compared: 1" in result.stdout
    assert "skipped (--lenient): document 1" in result.stdout


def test_a_label_that_no_mention_has_is_an_error(corpora, run):
    result = run(corpora[0], "--labels", "Chemical,Foo")
    assert isinstance(result.exception, LabelError)
    assert str(result.exception) == (
        "found no mention of the label Foo; the corpus has Chemical, Disease, Drug; "
        "correct --labels"
    )
    # By their new names, as they are chosen.
    result = run(corpora[0], "--labels", "Drug", "--label-map", "Drug=Chemical")
    assert "the label Drug; the corpus has Chemical, Disease;" in str(result.exception)


def test_a_label_of_one_annotation_is_compared(corpora, run):
    corpora[1].write_text(B.replace("Drug", "Agent"))
    result = run(corpora[0], "--against", corpora[1], "--labels", "Agent")
    assert result.exit_code == 0, result.output
    assert isinstance(run(*corpora[:1], "--labels", "Agent").exception, LabelError)


def test_names_of_the_label_map_that_no_mention_has_are_an_error(corpora, run, tmp_path):
    report = tmp_path / "report.json"
    result = run(corpora[0], "--label-map", "Drug=Chemical,Gene=X", "--report", report)
    assert isinstance(result.exception, LabelError)
    assert "no mention of the label Gene, which --label-map renames" in str(result.exception)
    assert not report.exists()
    assert run(corpora[0], "--label-map", "Drug=Chemical").exit_code == 0


def test_a_report_that_cannot_be_written_is_an_error_before_anything_is_read(corpora, run):
    result = run("nothing.txt", "--report", corpora[0] / "report.json")
    assert "found that nothing can be written there" in str(result.exception)
