import json

import pytest

from spacy_bioner.apps.experiments.kfold import cross_validate
from spacy_bioner.apps.profiles import load_profile
from spacy_bioner.apps.training import train as training
from spacy_bioner.corpora.docbin import read_docbin, write_docbin
from spacy_bioner.errors import ConfigError, CorpusError
from tests.paths import ROOT

SMALL = {"components.bioner.model.encoder.precision": "float32", "training.dropout": 0.0}
TEXTS = [
    ("Naloxone reverses the effect of clonidine.", [(0, 8, "Chemical"), (32, 41, "Chemical")]),
    ("hypertension in rats", [(0, 12, "Disease")]),
    ("clonidine in hypertension", [(0, 9, "Chemical"), (13, 25, "Disease")]),
    ("the effect of Naloxone in rats", [(14, 22, "Chemical")]),
    ("rats of hypertension", [(8, 20, "Disease")]),
    ("clonidine reverses hypertension", [(0, 9, "Chemical"), (19, 31, "Disease")]),
]


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def corpus(make_example, tmp_path):
    docs = [make_example(text, entities).reference for text, entities in TEXTS]
    for number, doc in enumerate(docs):
        doc.user_data["bioner_id"] = f"d{number}"
    write_docbin(docs, tmp_path / "all.spacy")
    return tmp_path / "all.spacy"


@pytest.fixture
def profile(tiny_bert):
    return load_profile("demo", encoder=str(tiny_bert))


@pytest.fixture
def trained(monkeypatch):
    """Count the trainings."""
    calls = []
    real = training.train

    def count(*args, **settings):
        calls.append(args[2].parent.name)
        return real(*args, **settings)

    monkeypatch.setattr(training, "train", count)
    return calls


def run(corpus, output, profile, **settings):
    chosen = {"k": 2, "seed": 0, "max_steps": 2, "dev_share": 0.3, "overrides": SMALL, **settings}
    return cross_validate(corpus, output, profile, **chosen)


def ids_in(path, vocab):
    return [doc.user_data["bioner_id"] for doc in read_docbin(path, vocab)]


def test_each_document_is_tested_once_and_never_trained_on(
    corpus, profile, tmp_path, blank_nlp, trained
):
    outcome = run(corpus, tmp_path / "out", profile)
    assert trained == ["fold-1", "fold-2"]
    tested = []
    for number in (1, 2):
        folder = tmp_path / "out" / f"fold-{number}" / "corpus"
        names = ("train", "dev", "test")
        parts = [ids_in(folder / f"{name}.spacy", blank_nlp.vocab) for name in names]
        assert sorted(name for part in parts for name in part) == [f"d{i}" for i in range(6)]
        tested += parts[2]
    assert sorted(tested) == [f"d{i}" for i in range(6)]
    assert [fold["test"] for fold in outcome.folds] == [3, 3]
    assert sum(counts.gold for counts in outcome.counts) == 9


def test_finished_folds_are_not_trained_again(corpus, profile, tmp_path, trained):
    first = run(corpus, tmp_path / "out", profile)
    (tmp_path / "out" / "fold-2" / "result.json").unlink()
    trained.clear()
    lines = []
    second = run(corpus, tmp_path / "out", profile, report=lines.append)
    assert trained == ["fold-2"]
    assert lines == ["fold 1 of 2: finished before", "fold 2 of 2: training"]
    assert second.counts == first.counts


def test_changed_settings_are_an_error_before_any_training(corpus, profile, tmp_path, trained):
    run(corpus, tmp_path / "out", profile)
    trained.clear()
    with pytest.raises(ConfigError, match=r"result\.json: found a result made with seed 0, exp"):
        run(corpus, tmp_path / "out", profile, seed=1)
    assert trained == []


def test_result_has_every_fold_deviation_and_pooled_score(corpus, profile, tmp_path):
    run(corpus, tmp_path / "out", profile)
    data = json.loads((tmp_path / "out" / "folds.json").read_text(encoding="utf-8"))
    assert [fold["fold"] for fold in data["folds"]] == [1, 2]
    assert data["pooled"]["gold"] == 9
    assert data["pooled_intervals"]["n_docs"] == 6
    assert data["summary"]["recall"]["n"] == 2
    left = sorted(path.name for path in (tmp_path / "out" / "fold-1").iterdir())
    assert left == ["corpus", "curves.png", "curves.svg", "result.json", "training.jsonl"]


def test_more_folds_than_documents_is_an_error(corpus, profile, tmp_path):
    with pytest.raises(CorpusError, match="found 6 documents that may be separated for 7 parts"):
        run(corpus, tmp_path / "out", profile, k=7)
    assert not (tmp_path / "out").exists()


def test_one_fold_is_an_error(corpus, profile, tmp_path):
    with pytest.raises(ConfigError, match="found 1 folds, expected two or more"):
        run(corpus, tmp_path / "out", profile, k=1)


def test_group_that_is_not_in_the_metadata_is_an_error(corpus, profile, tmp_path):
    with pytest.raises(CorpusError, match="found no 'patient' in the metadata"):
        run(corpus, tmp_path / "out", profile, group_by="patient")
