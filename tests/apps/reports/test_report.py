"""`bioner report`: the page of a run, and what it reads."""

import json
import re
import shutil
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.reports.report import ReportFiles
from spacy_bioner.apps.reports.report_inputs import find_report_inputs
from spacy_bioner.errors import ConfigError
from tests.apps.known_texts import run


@pytest.fixture
def finished(trained_folder, dev, tmp_path, monkeypatch) -> Path:
    """A training's folder, run.training.jsonl beside it, and its documents in corpus/."""
    monkeypatch.chdir(tmp_path)
    nlp = spacy.load(trained_folder)
    nlp.config["paths"].update(train="corpus/train.spacy", dev="corpus/dev.spacy")
    Path("run").mkdir()
    nlp.to_disk("run/model-best")
    Path("corpus").mkdir()
    for split in ("train", "dev", "test"):
        shutil.copy(dev, Path("corpus", f"{split}.spacy"))
    row = {"step": 1, "losses": {"bioner": 0.5}, "scores": {"ents_f": 0.4}, "score": 0.4}
    Path("run.training.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return Path("run")


def test_a_report_has_a_page_figures_and_mistakes(trained_folder, dev, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "report"
    said = run("report", trained_folder, dev, out, "--train", dev, "--title", "Two documents")
    assert said.strip() == f"wrote {out / 'report.html'}"
    names = {path.name for path in out.iterdir()}
    assert names == {"report.html", "report.json", "cases.json", "figures"}
    names = {path.name for path in (out / "figures").iterdir()}
    figures = ("types", "mistakes", "confusion", "recall", "calibration", "thresholds")
    figures += ("labels", "lengths")
    wanted = {f"{name}.{kind}" for name in figures for kind in ("png", "svg", "json")}
    assert names == wanted
    mistakes = json.loads((out / "cases.json").read_text(encoding="utf-8"))
    assert [(item["document"], item["kind"]) for item in mistakes] == [("doc-1", "spurious")]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>Two documents</h1>" in page
    assert "2 of 2 documents stand in the training documents as well" in page
    assert "Not a medical device" in page
    assert str(tmp_path) not in page


def test_a_report_does_not_touch_the_files_that_it_reads(trained_folder, dev, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "run"
    run("robustness", dev, out, f"x={trained_folder}", "--epsilon", 1, "--points", 0)
    before = (out / "robustness.json").read_bytes()
    for _ in range(2):
        run("report", trained_folder, dev, out, "--robustness", out / "robustness.json")
    assert (out / "robustness.json").read_bytes() == before
    stored = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in stored["robustness"]] == ["x"]
    (out / "figures" / "mine.png").write_bytes(b"")
    # Without it, nothing of it stays.
    run("report", trained_folder, dev, out)
    assert not (out / "figures" / "robustness.png").exists()
    # What lies there besides is not touched.
    assert (out / "figures" / "mine.png").exists()
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["robustness"] == []


def test_the_robustness_of_another_pipeline_is_not_the_runs_own(trained_folder, dev, tmp_path):
    pytest.importorskip("matplotlib")
    run("robustness", dev, tmp_path / "rob", f"x={trained_folder}", "--epsilon", 1, "--points", 0)
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "rules")
    given = ["--robustness", tmp_path / "rob" / "robustness.json"]
    run("report", tmp_path / "rules", dev, tmp_path / "out", *given)
    stored = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert stored["robustness"] == []
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "None of these is the pipeline of this page." in page
    # Nothing is said of training and confidences that there are none of.
    assert "Calibration and thresholds could not be measured: no prediction has" in page
    assert "training corpus" not in page
    assert "not a calibrated one" not in page


def test_a_report_says_how_it_was_made_and_what_is_unknown(trained_folder, dev, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    run("report", trained_folder, dev, tmp_path / "out", "--train", dev, "--marginals")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "${" not in page
    assert "OUT --train dev.spacy --marginals --resamples 1000 --seed 0" in page
    assert "Areas under the ROC curves" in page
    words = ["report", str(trained_folder), str(dev), str(dev)]
    with pytest.raises(ConfigError, match="found a file, expected a folder to write to"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_run_needs_nothing_else(finished: Path) -> None:
    pytest.importorskip("matplotlib")
    assert run("report", finished).strip() == "wrote run/report/report.html"
    page = Path("run/report/report.html").read_text(encoding="utf-8")
    assert "<h1>run on test</h1>" in page
    assert "2 of 2 documents stand in the training documents as well" in page
    best = "run/model-best, the checkpoint with the best score on the development documents"
    assert re.search(rf"<td>{best}; digest [0-9a-f]{{12}}</td>", page)
    assert "<dt>scored pipeline</dt><dd>run/model-best</dd>" in page
    assert "Learning rate" in page
    assert str(Path.cwd()) not in page
    assert "report run/model-best corpus/test.spacy OUT --train corpus/train.spacy --log" in page
    stored = json.loads(Path("run/report/report.json").read_text(encoding="utf-8"))
    assert [item["step"] for item in stored["training"]] == [1]
    Path("corpus/test.spacy").unlink()
    run("report", finished, "--title", "As tuned")
    page = Path("run/report/report.html").read_text(encoding="utf-8")
    assert "<h1>As tuned</h1>" in page
    assert "report run/model-best corpus/dev.spacy OUT" in page
    assert "chose the checkpoint" in page
    run("report", finished, "corpus/train.spacy", "elsewhere")
    assert Path("elsewhere/report.html").is_file()


def test_a_run_without_its_log_says_so(finished: Path) -> None:
    Path("run.training.jsonl").rename("kept.jsonl")

    def warn(**files: Path) -> list:
        given = ReportFiles(**files)
        found = find_report_inputs("run", None, None, train=None, files=given, title="")
        return list(found.warnings)

    message = "the course of training is not shown: found no log run.training.jsonl"
    assert [line.split(",")[0] for line in warn()] == [f"{message}; --log names one"]
    assert warn(log=Path("kept.jsonl")) == []
    nlp = spacy.load("run/model-best")
    nlp.config["training"]["logger"] = {"@loggers": "x", "output_file": "gone.jsonl"}
    nlp.to_disk("run/model-best")
    config = Path("run/model-best/config.cfg")
    assert warn() == [f"{message}, nor gone.jsonl, as {config} names it; --log names one"]
    Path("corpus/train.spacy").unlink()
    assert [line[:6] for line in warn(log=Path("kept.jsonl"))] == ["recall"]


def test_a_page_says_which_pipeline_of_a_run_was_scored(finished: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    shutil.copytree(finished / "model-best", tmp_path / "run/model-last")
    run("report", tmp_path / "run/model-last", "corpus/test.spacy", "last")
    page = Path("last/report.html").read_text(encoding="utf-8")
    assert "<h1>run/model-last on test</h1>" in page
    assert "run/model-last, the last checkpoint of the training, not the best one; digest" in page
    assert str(tmp_path) not in page


def test_a_run_without_its_documents_says_what_is_missing(finished: Path, trained_folder) -> None:
    for split in ("dev", "test"):
        Path("corpus", f"{split}.spacy").unlink()
    with pytest.raises(ConfigError, match=r"corpus/dev.spacy: no such file, nor a test.spacy besi"):
        run("report", finished)
    assert not (finished / "report").exists()
    with pytest.raises(ConfigError, match="and a pipeline needs CORPUS and OUT after it"):
        run("report", trained_folder)
    spacy.blank("en").to_disk(finished / "model-best")
    with pytest.raises(ConfigError, match=r"paths\.dev names no file; name a CORPUS"):
        run("report", finished)
