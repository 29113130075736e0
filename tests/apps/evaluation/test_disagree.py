import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.annotation.sources import InputSettings
from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation import disagree as module
from spacy_bioner.apps.evaluation.disagree import disagree, find_rules
from spacy_bioner.errors import ConfigError, CorpusError
from spacy_bioner.evaluation.disagreement import RuledEntity

LINES = InputSettings("lines")


@pytest.fixture
def model(tmp_path):
    """A pipeline whose rulers stand for the rules of two corpora."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tests_by_rules")
    nlp.config["corpora"] = {
        "train": {"corpora": {"drugs": {"labels": ["Chemical"]}, "genes": {"labels": ["Gene"]}}}
    }
    nlp.to_disk(tmp_path / "model")
    return str(tmp_path / "model")


@pytest.fixture(autouse=True)
def ruled(monkeypatch):
    """A component that marks insulin by the rules that a Doc asks for, and fails on "fail"."""

    @spacy.Language.component("tests_by_rules")
    def mark(doc):
        if "fail" in doc.text:
            raise ValueError("odd")
        label = {"drugs": "Chemical", "genes": "Gene"}[doc.user_data["bioner_dataset"]]
        doc.ents = [
            spacy.tokens.Span(doc, token.i, token.i + 1, label)
            for token in doc
            if token.lower_ == "insulin"
        ]
        return doc

    monkeypatch.setattr(module, "list_datasets", lambda nlp: ["drugs", "genes"])
    monkeypatch.setattr("spacy_bioner.apps.annotation.runner.check_dataset", lambda nlp, name: [])


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("Insulin acts.\nNothing.\nThis will fail.\nMore insulin.\n", encoding="utf-8")
    return path


def test_each_corpus_has_its_say(model, texts):
    done = disagree(model, texts, LINES)
    assert [(place.document, place.text) for place in done.found.places] == [
        ("1", "Insulin"),
        ("4", "insulin"),
    ]
    assert done.found.places[0].readings == {
        "drugs": (RuledEntity(0, 7, "Chemical"),),
        "genes": (RuledEntity(0, 7, "Gene"),),
    }
    assert (done.found.n_documents, done.is_cut) == (3, False)
    assert [(item.id, item.reason) for item in done.left_out] == [("3", "ValueError: odd")]


def test_only_so_many_documents_are_read(model, texts):
    done = disagree(model, texts, LINES, limit=2)
    assert (done.found.n_documents, done.is_cut, done.left_out) == (2, True, [])
    assert disagree(model, texts, LINES, limit=4).is_cut is False
    with pytest.raises(ConfigError, match="found limit 0"):
        disagree(model, texts, LINES, limit=0)


def test_a_text_that_is_none_is_refused(model, tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(CorpusError, match="found no document that can be read"):
        disagree(model, tmp_path / "empty.txt", LINES)


@pytest.mark.parametrize(
    ("names", "message"), [([], "knows no corpus' rules"), (["drugs"], "knows those of drugs only")]
)
def test_a_pipeline_without_rules_of_two_corpora_is_refused(names, message, monkeypatch):
    monkeypatch.setattr(module, "list_datasets", lambda nlp: names)
    with pytest.raises(ConfigError, match=f"{message}, expected the rules of two corpora or more"):
        find_rules(spacy.blank("en"))


def test_labels_are_those_of_the_training(model):
    nlp = spacy.load(model)
    assert find_rules(nlp) == {"drugs": {"Chemical"}, "genes": {"Gene"}}
    assert find_rules(spacy.blank("en")) == {"drugs": frozenset(), "genes": frozenset()}


def test_disagree_cli_writes_a_page_and_tells_what_it_left_out(model, texts, tmp_path):
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    arguments = ["disagree", model, texts, "--from", "lines", "--limit", 3, "--output", page]
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert "note: only the first 3 documents were read (--limit)" in result.stdout
    assert "1 document was left out; first: ValueError: odd" in result.stdout
    html = page.read_text(encoding="utf-8")
    assert "<mark>Insulin</mark> acts." in html
    assert "only the first 3 documents were read" in html
