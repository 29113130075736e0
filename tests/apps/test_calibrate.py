"""`bioner calibrate`, `significance` and `report`, on a pipeline that knows two texts by heart."""

import json
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.calibrating import calibrate_pipeline
from spacy_bioner.apps.cli.main import app
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.docs import GOLD_KEY, ID_KEY
from spacy_bioner.errors import ConfigError, CorpusError

KNOWN = "Naloxone reverses the effect of clonidine."
CHEMICALS = [[0, 8, "Chemical", []], [32, 41, "Chemical", []]]


def write_gold(nlp, path: Path, *gold) -> Path:
    docs = []
    for number, rows in enumerate(gold):
        doc = nlp.make_doc(KNOWN)
        doc.user_data.update({GOLD_KEY: rows, ID_KEY: f"doc-{number}"})
        docs.append(doc)
    write_docbin(docs, path)
    return path


@pytest.fixture
def dev(trained_nlp, tmp_path: Path) -> Path:
    """The pipeline finds both chemicals each time; in the second document one of them is wrong."""
    return write_gold(trained_nlp, tmp_path / "dev.spacy", CHEMICALS, CHEMICALS[:1])


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.stdout
    return result.stdout


def test_a_temperature_is_fitted_and_saved(trained_folder, dev, tmp_path: Path) -> None:
    report = tmp_path / "fitted.json"
    said = run("calibrate", trained_folder, dev, tmp_path / "out", "--report", report)
    assert "F1 before" in said
    assert "fitted and shown on the same 2 documents" in said
    fitted = json.loads(report.read_text(encoding="utf-8"))
    nlp = spacy.load(tmp_path / "out")
    assert nlp.pipe_names == ["bioner", "bioner_confidence"]
    component = nlp.get_pipe("bioner_confidence")
    # Three of four are right, so confidences near 1 come down.
    assert component.temperature == fitted["temperature"] > 1
    before = spacy.load(trained_folder)(KNOWN).ents[0]._.confidence
    assert nlp(KNOWN).ents[0]._.confidence < before


def test_it_can_be_done_again(trained_folder, dev, tmp_path: Path) -> None:
    first = calibrate_pipeline(str(trained_folder), dev, tmp_path / "first")
    again = calibrate_pipeline(str(tmp_path / "first"), dev, tmp_path / "second")
    assert again.temperature == pytest.approx(first.temperature)
    assert spacy.load(tmp_path / "second").pipe_names == ["bioner", "bioner_confidence"]


def test_without_mistakes_there_is_no_temperature(trained_folder, trained_nlp, tmp_path) -> None:
    dev = write_gold(trained_nlp, tmp_path / "right.spacy", CHEMICALS)
    fitted = calibrate_pipeline(str(trained_folder), dev, tmp_path / "out")
    assert (fitted.temperature, fitted.thresholds) == (1.0, {})
    assert fitted.note == "not fitted: 2 of 2 predictions are right"


def test_nothing_to_fit_is_refused(trained_folder, dev, tmp_path) -> None:
    with pytest.raises(ConfigError, match="found neither temperature nor thresholds to fit"):
        calibrate_pipeline(
            str(trained_folder), dev, tmp_path, with_temperature=False, with_thresholds=False
        )


def test_a_corpus_without_annotation_is_refused(trained_folder, trained_nlp, tmp_path) -> None:
    write_docbin([trained_nlp.make_doc(KNOWN)], tmp_path / "bare.spacy")
    with pytest.raises(CorpusError, match="found no annotated document"):
        calibrate_pipeline(str(trained_folder), tmp_path / "bare.spacy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_pipelines_are_compared(trained_folder, dev, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "rules")
    for name, model in (("trained", trained_folder), ("rules", tmp_path / "rules")):
        run("evaluate", model, dev, "--output", tmp_path / f"{name}.json")
    output = tmp_path / "difference.json"
    files = [tmp_path / "trained.json", tmp_path / "rules.json"]
    said = run("significance", *files, "--output", output, "--shuffles", 50)
    assert "trained" in said
    assert "p by approximate randomisation (50 exchanges)" in said
    found = json.loads(output.read_text(encoding="utf-8"))
    # Three right, one wrong, none missed against two right and one missed.
    assert found["first"]["tp"] == 3
    assert found["recall"]["difference"]["value"] == pytest.approx(2 / 3 - 1)


def test_evaluations_of_other_documents_are_refused(trained_folder, trained_nlp, dev, tmp_path):
    other = write_gold(trained_nlp, tmp_path / "other.spacy", CHEMICALS)
    for name, corpus in (("one", dev), ("two", other)):
        run("evaluate", trained_folder, corpus, "--output", tmp_path / f"{name}.json")
    files = [str(tmp_path / "one.json"), str(tmp_path / "two.json")]
    with pytest.raises(ConfigError, match="found other documents in one than in the other"):
        CliRunner().invoke(app, ["significance", *files], catch_exceptions=False)
    (tmp_path / "one.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="found no counts of documents, expected the JSON of"):
        CliRunner().invoke(app, ["significance", *files], catch_exceptions=False)


def test_a_report_has_a_page_figures_and_mistakes(trained_folder, dev, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "report"
    said = run("report", trained_folder, dev, out, "--train", dev, "--title", "Two documents")
    assert said.strip() == f"wrote {out / 'report.html'}"
    names = {path.name for path in out.iterdir()}
    figures = ("types", "mistakes", "confusion", "recall", "calibration", "thresholds")
    figures += ("labels", "lengths")
    wanted = {f"{name}.{kind}" for name in figures for kind in ("png", "svg", "json")}
    assert names == {"report.html", "report.json", "cases.json", *wanted}
    mistakes = json.loads((out / "cases.json").read_text(encoding="utf-8"))
    assert [(item["document"], item["kind"]) for item in mistakes] == [("doc-1", "spurious")]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>Two documents</h1>" in page
    assert "2 of 2 documents stand in the training documents as well" in page
    assert "Not a medical device" in page
    assert str(tmp_path) not in page
