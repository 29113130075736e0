import json

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.apps.cli.main import app
from spacy_bioner.apps.evaluation.link import LinkSettings, link
from spacy_bioner.apps.terms.store import make_store
from spacy_bioner.corpora.alignment import align
from spacy_bioner.corpora.docbin import write_docbin
from spacy_bioner.errors import ConfigError
from spacy_bioner.records import Mention, Record

TABLE = "D1\tFever\tlabel\nD1\tPyrexia\tsynonym\nD2\tCough\tlabel\n"
TEXT = "Pyrexia, coughs and chills."


@pytest.fixture
def store(tmp_path):
    (tmp_path / "fevers.tsv").write_text("id\tname\tkind\n" + TABLE)
    make_store([f"Disease={tmp_path / 'fevers.tsv'}"], tmp_path / "x.store")
    return tmp_path / "x.store"


def write_corpus(path, *mentions):
    write_docbin([align(Record("1", TEXT, mentions), spacy.blank("en")).doc], path)
    return path


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(
        tmp_path / "gold.spacy",
        Mention(0, 7, "Disease", concept_ids=("MESH:D1",)),
        Mention(9, 15, "Disease", concept_ids=("D2",)),
        Mention(20, 26, "Disease", concept_ids=("D3",)),
        Mention(20, 26, "Person"),
    )


def test_gold_mentions_and_documents_are_scored(corpus, store, tmp_path):
    scores = link(corpus, store, output=tmp_path / "scores.json")
    row = scores.rows["Disease"]
    assert (row.total.mentions, row.total.in_table, row.total.right) == (3, 2, 2)
    assert row.intervals["accuracy in table"].value == 1.0
    assert row.documents["recall"].value == 2 / 3
    assert list(scores.rows) == ["Disease", ""]
    saved = json.loads((tmp_path / "scores.json").read_text())
    assert saved["labels"]["Disease"]["right"] == 2


def test_a_pipeline_gets_the_store_and_is_scored(corpus, store, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Disease", "pattern": "Pyrexia"}])
    nlp.to_disk(tmp_path / "pipeline")
    scores = link(corpus, store, pipeline=str(tmp_path / "pipeline"))
    assert {name: item.value for name, item in scores.end_to_end["Disease"].items()} == {
        "precision": 1.0,
        "recall": 1 / 3,
        "f_score": 1 / 2,
    }


def test_labels_of_the_corpus_can_be_mapped_to_those_of_the_store(store, tmp_path):
    corpus = write_corpus(tmp_path / "x.spacy", Mention(0, 7, "DISO", concept_ids=("D1",)))
    with pytest.raises(ConfigError, match="found mentions of DISO; expected some of Disease"):
        link(corpus, store)
    scores = link(corpus, store, LinkSettings(label_map={"DISO": "Disease"}))
    assert scores.rows["DISO"].total.right == 1


def test_a_corpus_without_ids_is_refused(store, tmp_path):
    corpus = write_corpus(tmp_path / "x.spacy", Mention(0, 7, "Disease"))
    with pytest.raises(ConfigError, match="found no mention of Disease with a concept id"):
        link(corpus, store)


def test_commands_make_a_store_and_score_with_it(corpus, store, tmp_path):
    table = f"Disease={tmp_path / 'fevers.tsv'}"
    made = CliRunner().invoke(app, ["terms", "store", table, str(tmp_path / "y.store")])
    assert made.exit_code == 0, made.output
    assert "3 names of 2 concepts (Disease); format 1" in made.output
    checked = CliRunner().invoke(app, ["terms", "store", table, str(store), "--check"])
    assert checked.exit_code == 0, checked.output
    scored = CliRunner().invoke(app, ["link", str(corpus), str(store), "--resamples", "50"])
    assert scored.exit_code == 0, scored.output
    assert "100.00 [100.00, 100.00]" in scored.output
    assert "50 resamples of 1 documents, seed 0" in scored.output
