"""`bioner calibrate`, `significance` and `report`, on a pipeline that knows two texts by heart."""

import json
import re
import shutil
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation.calibrate import calibrate_pipeline
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.gold import GOLD_KEY, ID_KEY

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


def test_labels_with_any_characters_keep_their_thresholds(trained_folder, tmp_path: Path) -> None:
    nlp = spacy.load(trained_folder)
    pairs = [["DISEASE:MESH", 0.5], ["[X]", 0.25], ["#c", 0.75], ["a=b", 0.1]]
    nlp.add_pipe("bioner_confidence", config={"thresholds": pairs})
    nlp.to_disk(tmp_path / "out")
    component = spacy.load(tmp_path / "out").get_pipe("bioner_confidence")
    assert [[label, value] for label, value in component.thresholds.items()] == pairs


def test_a_pipeline_of_spacys_own_has_no_confidences_to_fit(dev, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("Chemical")
    nlp.initialize()
    # Whatever it predicts, nothing says how surely.
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "ner")
    with pytest.raises(ConfigError, match="without a confidence"):
        calibrate_pipeline(str(tmp_path / "ner"), dev, tmp_path / "out")
    assert not (tmp_path / "out").exists()


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


def test_few_documents_that_differ_are_pointed_out(trained_folder, dev, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.to_disk(tmp_path / "rules")
    for name, model in (("trained", trained_folder), ("rules", tmp_path / "rules")):
        run("evaluate", model, dev, "--output", tmp_path / f"{name}.json")
    said = run("significance", tmp_path / "trained.json", tmp_path / "rules.json")
    assert "only 2 documents differ in their counts, so p cannot be below 0.5" in said
    (tmp_path / "null.json").write_text('{"measurement": null}', encoding="utf-8")
    words = ["significance", str(tmp_path / "null.json"), str(tmp_path / "rules.json")]
    with pytest.raises(ConfigError, match="found no counts of documents"):
        CliRunner().invoke(app, words, catch_exceptions=False)


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


def test_nothing_is_written_over_what_is_not_a_pipeline(trained_folder, dev, tmp_path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("of great worth", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"found a folder with other content \(notes\.txt\)"):
        calibrate_pipeline(str(trained_folder), dev, mine)
    with pytest.raises(CorpusError, match="found a file, expected a folder to write"):
        calibrate_pipeline(str(trained_folder), dev, mine / "notes.txt")
    assert (mine / "notes.txt").read_text(encoding="utf-8") == "of great worth"
    calibrate_pipeline(str(trained_folder), dev, tmp_path / "out")
    calibrate_pipeline(str(trained_folder), dev, tmp_path / "out")


def test_nothing_is_fitted_on_documents_where_nothing_is_right(
    trained_folder, trained_nlp, tmp_path
) -> None:
    other = write_gold(trained_nlp, tmp_path / "other.spacy", [[0, 8, "ORG", []]])
    with pytest.raises(CorpusError, match=r"none of them right.*labelled ORG"):
        calibrate_pipeline(str(trained_folder), other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_texts_without_ids_are_told_apart(trained_folder, trained_nlp, tmp_path) -> None:
    for name, text in (("one", KNOWN), ("two", "Naloxone has the same effect as aspirin.")):
        doc = trained_nlp.make_doc(text)
        doc.user_data[GOLD_KEY] = CHEMICALS[:1]
        write_docbin([doc], tmp_path / f"{name}.spacy")
        run("evaluate", trained_folder, tmp_path / f"{name}.spacy", "-o", tmp_path / f"{name}.json")
    files = [str(tmp_path / "one.json"), str(tmp_path / "two.json")]
    with pytest.raises(ConfigError, match="found other documents in one than in the other"):
        CliRunner().invoke(app, ["significance", *files], catch_exceptions=False)
