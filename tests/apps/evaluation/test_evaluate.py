import json
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation.evaluate import EvaluationSettings, evaluate
from spacy_bioner.apps.loading import fingerprint
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import BionerError, ConfigError, CorpusError, DeviceError, LabelError
from spacy_bioner.evaluation.runner import entity_labels
from spacy_bioner.reports.text.evaluation import render_evaluation


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    nlp = spacy.blank("en")
    patterns = [{"label": "Chemical", "pattern": "Aspirin"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    folder = tmp_path_factory.mktemp("models") / "rules"
    nlp.to_disk(folder)
    return str(folder)


@pytest.fixture
def corpus(tmp_path):
    doc = spacy.blank("en").make_doc("Aspirin eases headache")
    doc.user_data["bioner_gold"] = [[0, 7, "Chemical", ["MESH:D001241"]], [14, 22, "Disease", []]]
    path = tmp_path / "test.spacy"
    write_docbin([doc], path)
    return path


def test_evaluate_scores_a_pipeline_on_a_corpus(model, corpus):
    scores = evaluate(model, corpus).evaluation.scores["pipeline"]
    assert (scores.micro.tp, scores.micro.fp, scores.micro.fn) == (1, 0, 1)
    assert scores.labels_unknown_to_model == ("Disease",)


def test_paths_may_be_strings_or_paths(model, corpus, tmp_path, capsys):
    output = str(tmp_path / "test.json")
    settings = EvaluationSettings(train=str(corpus))
    found = evaluate(Path(model), str(corpus), settings, output=output)
    stored = json.loads(Path(output).read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(found.to_json()))
    assert (stored["model"]["path"], stored["train"]) == (model, str(corpus))
    assert capsys.readouterr().out == ""


def test_evaluate_writes_json(model, corpus, tmp_path):
    output = tmp_path / "metrics" / "test.json"
    evaluate(model, corpus, output=output)
    data = json.loads(output.read_text(encoding="utf-8"))
    about = {"path": model, "lang": "en", "name": "pipeline", "version": "0.0.0"}
    assert data["model"] == {**about, "fingerprint": fingerprint(Path(model))}
    assert (data["n_docs"], data["n_mentions"], data["n_words"]) == (1, 2, 3)
    assert data["scores"]["pipeline"]["micro"]["recall"] == 0.5
    assert [path.name for path in output.parent.iterdir()] == ["test.json"]


def test_evaluate_leaves_labels_out_that_were_not_asked_for(model, corpus, tmp_path):
    output = tmp_path / "test.json"
    settings = EvaluationSettings(labels=["Chemical"])
    scores = evaluate(model, corpus, settings, output=output).evaluation.scores["pipeline"]
    assert (scores.micro.tp, scores.micro.fp, scores.micro.fn) == (1, 0, 0)
    assert json.loads(output.read_text(encoding="utf-8"))["labels"] == ["Chemical"]


def test_evaluate_scores_a_span_group_beside_the_entities(corpus, tmp_path):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "found"})
    ruler.add_patterns(
        [{"label": "Chemical", "pattern": "Aspirin"}, {"label": "Disease", "pattern": "headache"}]
    )
    nlp.to_disk(tmp_path / "model")
    output = tmp_path / "test.json"
    settings = EvaluationSettings(spans_key="found")
    found = evaluate(str(tmp_path / "model"), corpus, settings, output=output)
    scores = found.evaluation.scores
    assert (scores["spans"].micro.tp, scores["spans"].micro.fn) == (2, 0)
    assert (scores["pipeline"].micro.tp, scores["pipeline"].micro.fn) == (0, 2)
    stored = json.loads(output.read_text(encoding="utf-8"))
    assert stored["spans_key"] == "found"
    # With intervals and all else, as the entities.
    assert found.group is not None
    assert found.group.strict.micro == scores["spans"].micro
    interval = stored["group_measurement"]["intervals"]["averages"]["micro"]["f_score"]
    assert (interval["value"], interval["low"], interval["high"]) == (1.0, 1.0, 1.0)
    assert stored["measurement"]["intervals"]["averages"]["micro"]["recall"]["value"] == 0.0
    said = render_evaluation(found.evaluation, found.measurement, found.group)
    assert said.index("doc.ents\n") < said.index("The span group\n")


def test_evaluate_refuses_a_span_group_that_nothing_writes(model, corpus):
    with pytest.raises(ConfigError, match=r"found no span group 'gone' .* it writes none"):
        evaluate(model, corpus, EvaluationSettings(spans_key="gone"))


def test_evaluate_refuses_a_label_that_the_corpus_has_not(model, corpus):
    with pytest.raises(LabelError, match="no mention labeled Gene; the corpus has Chemical, Dis"):
        evaluate(model, corpus, EvaluationSettings(labels=["Gene"]))


def test_evaluate_cli_prints_table_and_speed(model, corpus):
    result = CliRunner().invoke(app, ["evaluate", model, str(corpus)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Full pipeline (doc.ents) · strict match of offsets and label · 1 document" in (
        result.stdout
    )
    assert "words/s" in result.stdout.splitlines()[-2]


def test_evaluate_without_corpus_leaves_no_output(model, tmp_path):
    output = tmp_path / "metrics.json"
    with pytest.raises(CorpusError, match="no such file"):
        evaluate(model, tmp_path / "gone.spacy", output=output)
    assert not output.exists()


def test_evaluate_refuses_a_corpus_without_documents(model, tmp_path):
    write_docbin([], tmp_path / "empty.spacy")
    with pytest.raises(CorpusError, match="found no document"):
        evaluate(model, tmp_path / "empty.spacy")


def test_evaluate_names_a_model_that_does_not_exist(corpus):
    with pytest.raises(BionerError, match="en_bioner_gone: neither a folder nor an installed"):
        evaluate("en_bioner_gone", corpus)


def test_evaluate_names_a_folder_that_is_no_pipeline(corpus, tmp_path):
    with pytest.raises(BionerError, match=r"without config\.cfg"):
        evaluate(str(tmp_path), corpus)


def test_evaluate_names_a_gpu_that_is_absent(model, corpus):
    torch = pytest.importorskip("torch")
    absent = torch.cuda.device_count() + 7
    with pytest.raises(DeviceError, match=f"GPU {absent} was asked for"):
        evaluate(model, corpus, gpu_id=absent)


def test_evaluate_annotates_by_the_rules_of_the_corpus_that_is_named(
    tiny_bert, corpus, tmp_path
) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    encoder = {"name": str(tiny_bert), "datasets": ["drugs", "genes"]}
    pipe = nlp.add_pipe("bioner", config={"model": {"encoder": encoder}})
    pipe.add_label("Chemical")
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    output = tmp_path / "test.json"
    command = ["evaluate", str(tmp_path / "model"), str(corpus), "--label", "Chemical"]
    options = ["--rules", "drugs", "--output", str(output)]
    CliRunner().invoke(app, [*command, *options], catch_exceptions=False)
    assert json.loads(output.read_text(encoding="utf-8"))["dataset"] == "drugs"
    with pytest.raises(ConfigError, match="found corpus 'cells', expected one of drugs, genes"):
        evaluate(str(tmp_path / "model"), corpus, EvaluationSettings(dataset="cells"))


def test_evaluate_says_that_a_pipeline_knows_no_corpora(model, corpus) -> None:
    with pytest.raises(ConfigError, match="no component has learned a vector per corpus"):
        evaluate(model, corpus, EvaluationSettings(dataset="drugs"))


def test_evaluate_says_why_every_score_is_0(model, corpus, tmp_path) -> None:
    rules = spacy.blank("en")
    rules.add_pipe("entity_ruler").add_patterns([{"label": "Virus", "pattern": "aspirin"}])
    rules.to_disk(tmp_path / "rules")
    (warning,) = evaluate(str(tmp_path / "rules"), corpus).warnings
    assert warning.startswith("the pipeline has none of the labels of these documents: it knows ")
    assert "Virus" in warning
    spacy.blank("en").to_disk(tmp_path / "blank")
    (warning,) = evaluate(str(tmp_path / "blank"), corpus).warnings
    assert warning == "no component of the pipeline writes entities (components: none)"
    assert evaluate(model, corpus).warnings == []


def test_evaluate_knows_labels_of_span_categorizers(corpus, tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler").add_patterns([{"label": "Chemical", "pattern": "Naloxone"}])
    nlp.add_pipe("bioner_overlaps", config={"sources": ["ruler"]})
    assert entity_labels(nlp) == {"Chemical"}
    nlp.add_pipe("textcat").add_label("positive")
    assert entity_labels(nlp) == {"Chemical"}
