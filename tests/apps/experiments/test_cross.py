"""`bioner cross`: pipelines on corpora of other labels, with documents that were trained on."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("datasketch")

import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.experiments.ablate import parse_choice
from spacy_bioner.apps.experiments.cross import CrossSettings, cross_evaluate
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.corpora.labels import LabelMap
from spacy_bioner.errors import ConfigError, CorpusError, LabelError
from spacy_bioner.evaluation.cross_corpus import score_cell
from spacy_bioner.evaluation.matching import Comparison
from spacy_bioner.gold import GOLD_KEY, ID_KEY
from tests.paths import ROOT

KNOWN = "Naloxone reverses the effect of clonidine."
RATS = "hypertension in rats"


def write(nlp, folder, **splits):
    folder.mkdir(parents=True)
    for name, documents in splits.items():
        docs = []
        for number, (text, rows) in enumerate(documents):
            doc = nlp.make_doc(text)
            doc.user_data.update({GOLD_KEY: rows, ID_KEY: f"{folder.name}-{name}-{number}"})
            spans = [doc.char_span(start, end, label=label) for start, end, label, _ in rows]
            doc.set_ents(spans, default="outside")
            docs.append(doc)
        write_docbin(docs, folder / f"{name}.spacy")
    return folder


@pytest.fixture
def corpora(trained_nlp, tmp_path):
    drugs = [(KNOWN, [[0, 8, "Drug", []], [32, 41, "Drug", []]])]
    # The second one was trained on, in other case.
    other = [(RATS, [[0, 12, "Disease", []]]), ("Rats, rats.", [[0, 4, "Species", []]])]
    return {
        "drugs": write(trained_nlp, tmp_path / "drugs", train=[(RATS.upper(), [])], test=drugs),
        "diseases": write(trained_nlp, tmp_path / "diseases", test=other),
    }


def test_a_label_map_without_any_label_of_theirs_is_refused(trained_folder, corpora, tmp_path):
    settings = CrossSettings(label_map=LabelMap("other", {"Sign": "Symptom"}))
    with pytest.raises(LabelError, match=r"label Sign, which the label map other renames; .*Drug"):
        cross_evaluate(corpora, {"m": str(trained_folder)}, tmp_path / "out", settings)
    assert not (tmp_path / "out" / "cross.json").exists()


def test_labels_are_brought_together_and_what_was_trained_on_is_left_out(
    trained_folder, corpora, tmp_path
) -> None:
    label_map = LabelMap("test", {"Drug": "Chemical"})
    models = {"drugs": str(trained_folder), "another": str(trained_folder)}
    settings = CrossSettings(label_map=label_map)
    cells = cross_evaluate(corpora, models, tmp_path / "out", settings)
    found = {(cell.model, cell.corpus): cell for cell in cells}
    assert list(found) == [
        ("drugs", "drugs"), ("drugs", "diseases"), ("another", "drugs"), ("another", "diseases")
    ]  # fmt: skip
    assert found["drugs", "drugs"].labels == ["Chemical"]
    assert found["drugs", "drugs"].counts.tp == 2
    # Species is unknown to the pipeline, and the text on rats was in its training.
    across = found["drugs", "diseases"]
    assert (across.labels, across.n_docs, across.n_left_out) == (["Disease"], 1, 1)
    assert across.counts.tp == across.counts.fn == 0
    # Nothing is known of the other's training.
    assert found["another", "diseases"].n_left_out is None
    assert found["another", "diseases"].counts.tp == 1
    stored = json.loads((tmp_path / "out" / "cross.json").read_text(encoding="utf-8"))
    assert [cell["n_left_out"] for cell in stored["cells"]] == [0, 1, None, None]
    assert (tmp_path / "out" / "cross.png").is_file()


def test_without_a_label_in_common_there_is_no_score(trained_folder, corpora, tmp_path) -> None:
    words = ["cross", tmp_path / "out", "--model", f"x={trained_folder}"]
    words += ["--corpus", f"drugs={corpora['drugs']}"]
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0
    assert "none in common" in result.stdout


def test_profiles_are_trained_once(trained_nlp, tiny_bert, tmp_path) -> None:
    documents = [(KNOWN, [[0, 8, "Chemical", []]]), (RATS, [])]
    corpus = write(trained_nlp, tmp_path / "c", train=documents, dev=documents, test=documents)
    words = ["cross", tmp_path / "out", "--corpus", f"c={corpus}", "--profile", "demo"]
    words += ["--encoder", tiny_bert, "--max-steps", 2, "--training.eval_frequency", 1]
    said = []
    for _ in range(2):
        result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        said.append(result.stderr)
    assert "c: training" in said[0]
    assert "c: training" not in said[1]


@pytest.mark.parametrize(("words", "message"), [
    (["--corpus", "no"], "--corpus no: expected NAME=VALUE"),
    (["--corpus", "a=x", "--corpus", "a=y"], "found the name a twice"),
    (["--corpus", "a=x"], "found 1 corpora and 0 pipelines"),
])  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path, words, message) -> None:
    with pytest.raises(ConfigError, match=message):
        CliRunner().invoke(app, ["cross", str(tmp_path / "out"), *words], catch_exceptions=False)


def test_a_corpus_without_test_documents_is_refused(trained_folder, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"found no test\.spacy in it, expected a folder"):
        cross_evaluate({"a": tmp_path}, {"a": str(trained_folder)}, tmp_path / "o", CrossSettings())
    assert not (tmp_path / "o").exists()


def test_documents_to_train_on_are_looked_for_before_anything_is_scored(
    trained_folder, corpora, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = []
    models = {"drugs": str(trained_folder)}
    settings = CrossSettings(profile=load_profile("demo"))
    with pytest.raises(CorpusError, match=r"\.spacy: no such file"):
        cross_evaluate(corpora, models, tmp_path / "out", settings, report=said.append)
    assert said == []


def test_rules_that_do_not_name_labels_are_scored_on_all(corpora, tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.to_disk(tmp_path / "blank")
    models = {"blank": str(tmp_path / "blank")}
    cells = cross_evaluate(corpora, models, tmp_path / "out", CrossSettings())
    assert cells[0].labels == ["Drug"]
    assert cells[0].counts.fn == 2


def test_two_labels_that_become_one_count_once() -> None:
    compared = Comparison([(0, 3, "A"), (0, 3, "B"), (5, 6, "C")], [(0, 3, "A"), (5, 6, "D")], 9)
    names = {"A": "X", "B": "X", "C": None}
    cell = score_cell("m", "c", [compared], ["A", "D"], rename=lambda label: names.get(label))
    assert cell.labels == ["X"]
    assert (cell.counts.tp, cell.counts.fp, cell.counts.fn) == (1, 0, 0)


def test_labels_of_components_that_write_no_entities_do_not_count(corpora, tmp_path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat").add_label("positive")
    nlp.get_pipe("textcat").add_label("negative")
    nlp.initialize()
    nlp.to_disk(tmp_path / "textcat")
    models = {"textcat": str(tmp_path / "textcat")}
    cells = cross_evaluate(corpora, models, tmp_path / "out", CrossSettings())
    assert cells[0].labels == ["Drug"]


@pytest.mark.parametrize("name", ["../up", "/root", ".."])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name) -> None:
    words = ["cross", str(tmp_path / "out"), "--corpus", f"{name}=x", "--profile", "demo"]
    with pytest.raises(ConfigError, match="expected NAME=VALUE with a simple name"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    with pytest.raises(ConfigError, match="found a name that no folder can have"):
        parse_choice(f"{name}:a=1")
